/** One sentence about the range that is worth reading, or why there is none: never a claim without its basis. */
import type { Overview } from './contract.ts'
import { startOf } from './days.ts'
import { kwh, type Nano } from './decimal.ts'
import { isConsumption, parentsOf } from './directory.ts'
import type { DeviceFigures } from './device-figures.ts'
import { LEAST_COVERAGE, USUAL_DAYS, type UsualFigures } from './figures.ts'
import { houseTotal } from './kpis.ts'
import { deviceName, localTime, percent, type Picture } from './picture.ts'

const LEAST_DAYS = 3
const LEAST_ELAPSED_S = 3600
/** Smaller differences are noise: 50 Wh and a fifth. */
const LEAST_DIFFERENCE_NWH = 50_000_000_000n
const LEAST_SHARE = 0.2

type InsightCard = Pick<Overview, 'insight' | 'insight_reason'>

const none = (insight_reason: string): InsightCard => ({ insight: null, insight_reason })

export function insightOf(picture: Picture): InsightCard {
  return picture.span.from === picture.span.to ? unusualUse(picture) : largestUse(picture)
}

interface Use {
  device: DeviceFigures
  now: Nano
  usual: Nano
  days: number
}

/** A single day: the device that differs most from what it used in the same part of the days before. */
function unusualUse(picture: Picture): InsightCard {
  const { span, timeZone, figures } = picture
  const dayMs = startOf(span.to, timeZone)
  const untilMs = span.cut?.current.beforeMs ?? span.endMs
  const seconds = (untilMs - dayMs) / 1000
  if (seconds < LEAST_ELAPSED_S) return none('The day has only just begun.')
  const today = span.cut ? figures.cuts.filter(({ date }) => date === span.to) : figures.devices
  const measured = new Map(today.map((row) => [row.device_id, row]))
  const before = new Map(figures.usual.map((row) => [row.device_id, row]))
  const uses = figures.devices.flatMap(
    (device) => useOf(device, measured.get(device.device_id), before.get(device.device_id), seconds) ?? [],
  )
  const days = Math.max(0, ...uses.map((use) => use.days))
  if (days < LEAST_DAYS)
    return none(`What is usual needs ${LEAST_DAYS} well measured days before; there are ${days}.`)
  const [most] = uses
    .filter(({ now, usual, days: count }) => count >= LEAST_DAYS && isUnusual(now, usual))
    .toSorted((a, b) => Number(distance(b) - distance(a)))
  if (!most) return none('Every device is close to its usual use.')
  const change = Number(((most.now - most.usual) * 1000n) / most.usual) / 1000
  const more = change > 0 ? 'more' : 'less'
  const until = span.cut ? `until ${localTime(untilMs, timeZone)}` : 'all day'
  return {
    insight: {
      text: `${deviceName(most.device)} used ${percent(Math.abs(change))} ${more} than usual.`,
      basis: `${kwh(most.now)} kWh on ${span.to} ${until}; ${kwh(most.usual)} kWh in the same part of the day, mean of ${most.days} of the ${USUAL_DAYS} days before.`,
      device_id: most.device.device_id,
    },
    insight_reason: null,
  }
}

function useOf(
  device: DeviceFigures,
  today: Pick<DeviceFigures, 'energy' | 'covered_s'> | undefined,
  usual: UsualFigures | undefined,
  seconds: number,
): Use | undefined {
  // A day on which the clocks change is an hour shorter or longer, which the least coverage forgives.
  if (!today || today.energy === null || today.covered_s < LEAST_COVERAGE * seconds) return undefined
  if (!usual || usual.energy <= 0n) return undefined
  return { device, now: today.energy, usual: usual.energy / BigInt(usual.days), days: usual.days }
}

const distance = ({ now, usual }: Use): Nano => (now > usual ? now - usual : usual - now)

function isUnusual(now: Nano, usual: Nano): boolean {
  const difference = now > usual ? now - usual : usual - now
  return difference >= LEAST_DIFFERENCE_NWH && Number(difference) >= LEAST_SHARE * Number(usual)
}

/** Several days: the device that used most. */
function largestUse(picture: Picture): InsightCard {
  const total = houseTotal(picture, 'energy')
  const parents = parentsOf(picture.home)
  const [most] = picture.figures.devices
    .filter(
      ({ device_id, device_type, energy }) =>
        energy !== null &&
        energy > 0n &&
        !parents.has(device_id) &&
        isConsumption(picture.home, device_id, device_type),
    )
    .toSorted((a, b) => Number(b.energy! - a.energy!))
  if (!most || total === null || total <= 0n) return none('No energy was measured in this range.')
  const share = Number((most.energy! * 1000n) / total) / 1000
  return {
    insight: {
      text: `${deviceName(most)} used most: ${percent(share)} of the energy.`,
      basis: `${kwh(most.energy!)} of ${kwh(total)} kWh from ${picture.span.from} to ${picture.span.to}.`,
      device_id: most.device_id,
    },
    insight_reason: null,
  }
}
