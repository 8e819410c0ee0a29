/** Health of devices and of the system, with an open day scaled to its elapsed part. */
import type { z } from 'zod'
import type { DeviceHealth, HealthVsRisk, SystemHealth } from './contract.ts'
import { elapsedSecondsOf } from './days.ts'
import { ratio } from './decimal.ts'
import type { HealthRow } from './figures.ts'
import { counted, deviceName, noDataReason, percent, type Picture } from './picture.ts'

/** Rates per hour of an open day rest on at least an hour, or one alert after midnight would be sixty an hour. */
const LEAST_HOURS = 1
const SMALL_LOSS = 0.005
const GOOD = 90
const FAIR = 70
const NAMED_DEVICES = 3

export type ScoredDevice = z.infer<typeof DeviceHealth>

/** The formulas of `gold.device_health_metrics` with the elapsed hours of the open day in the place of all of them. */
function scored(row: HealthRow, { span, timeZone, nowMs }: Picture): Score | null {
  return scoreOf(row, span.today, { timeZone, nowMs })
}

export interface Score {
  health: number
  risk: number
}

/** Of one row of `gold.device_health_metrics`; `today` is the open day. */
export function scoreOf(
  row: HealthRow,
  today: string,
  { timeZone, nowMs }: { timeZone: string; nowMs: number },
): Score | null {
  if (row.health_score === null || row.failure_probability === null) return null
  if (row.date !== today) return { health: row.health_score, risk: row.failure_probability }
  const hours = Math.max(LEAST_HOURS, elapsedSecondsOf(row.date, timeZone, nowMs) / 3600)
  const perHour = (row.alert_episodes ?? 0) / hours
  const health =
    0.4 * row.mean_quality_score +
    0.3 * row.valid_share +
    0.2 * (1 - row.late_share) +
    0.1 * (1 - Math.min(perHour / 10, 1))
  return { health, risk: Math.min(1, 0.7 * (1 - health) + perHour / 20 + 0.3 * row.late_share) }
}

/** Devices with a score in the range, by their newest day; highest risk first. */
export function scoredDevices(picture: Picture): ScoredDevice[] {
  const facts = new Map(picture.figures.devices.map((device) => [device.device_id, device]))
  const devices = picture.figures.health.flatMap((row) => {
    const score = scored(row, picture)
    if (!score) return []
    const known = facts.get(row.device_id) ?? picture.home.catalogue.get(row.device_id)
    return {
      device_id: row.device_id,
      device_type: known?.device_type ?? null,
      location: known?.location ?? null,
      date: row.date,
      health_score: ratio(score.health),
      failure_probability: ratio(score.risk),
      data_reliability: row.data_reliability,
      main_cause: mainCause(row),
    }
  })
  return devices.toSorted(
    (a, b) =>
      b.failure_probability - a.failure_probability ||
      a.health_score - b.health_score ||
      (a.device_id < b.device_id ? -1 : 1),
  )
}

/** A part of the health score and what it takes from it. */
export interface HealthLoss {
  name: string
  weight: number
  /** 0–1: what of the part is reached. */
  share: number
  loss: number
  text: string
}

/** The part of the formula that takes most. */
export function mainCause(row: HealthRow): string | null {
  const [worst] = lossesOf(row)
  return worst!.loss >= SMALL_LOSS ? worst!.text : null
}

/** The parts of the formula, what takes most first. `hours`: of the day, so far. */
export function lossesOf(row: HealthRow, hours = 24): HealthLoss[] {
  const episodes = row.alert_episodes ?? 0
  const parts = [
    {
      name: 'quality',
      weight: 0.4,
      share: row.mean_quality_score,
      text: `quality of its readings ${percent(row.mean_quality_score)}`,
    },
    {
      name: 'valid',
      weight: 0.3,
      share: row.valid_share,
      text: `${percent(1 - row.valid_share)} of its readings not valid or rejected`,
    },
    {
      name: 'in_time',
      weight: 0.2,
      share: 1 - row.late_share,
      text: `${percent(row.late_share)} of its readings late`,
    },
    {
      name: 'calm',
      weight: 0.1,
      share: 1 - Math.min(episodes / Math.max(LEAST_HOURS, hours) / 10, 1),
      text: counted(episodes, 'alert'),
    },
  ]
  return parts
    .map((part) => ({ ...part, loss: part.weight * (1 - part.share) }))
    .toSorted((x, y) => y.loss - x.loss)
}

/** Sum and number of the scores per day, today's scaled. */
export function healthByDay(picture: Picture): Map<string, { sum: number; scores: number; mean: number }> {
  const days = new Map(
    picture.figures.healthDays.map((day) => [day.date, { sum: day.score_sum, scores: day.scores }]),
  )
  const today = picture.figures.health
    .filter((row) => row.date === picture.span.today)
    .flatMap((row) => scored(row, picture)?.health ?? [])
  if (today.length > 0)
    days.set(picture.span.today, { sum: today.reduce((sum, score) => sum + score, 0), scores: today.length })
  return new Map([...days].map(([date, day]) => [date, { ...day, mean: ratio(day.sum / day.scores) }]))
}

/** Mean over the device-days of a period. */
export function meanHealth(
  picture: Picture,
  from: string,
  to: string,
): { mean: number | null; scores: number } {
  const days = [...healthByDay(picture)].filter(([date]) => date >= from && date <= to).map(([, day]) => day)
  const scores = days.reduce((count, day) => count + day.scores, 0)
  const sum = days.reduce((total, day) => total + day.sum, 0)
  return { mean: scores === 0 ? null : ratio(sum / scores), scores }
}

export function healthVsRiskOf(picture: Picture): z.infer<typeof HealthVsRisk> {
  const devices = scoredDevices(picture)
  return {
    devices,
    reason: devices.length === 0 ? noDataReason(picture) : null,
    definition: {
      what: 'Health of each device against its risk of failure, on its newest day in the range. The risk is a rule, not yet a calibrated model.',
      formula: 'risk = 0.7 × (1 − health) + alert episodes per hour / 20 + 0.3 × late share, at most 1',
    },
  }
}

/** Mean health of all known devices, where one that sent nothing counts 0. */
export function systemHealthOf(picture: Picture, coverage: number | null): z.infer<typeof SystemHealth> {
  const devices = scoredDevices(picture)
  const known = new Set([...picture.home.devices, ...devices.map((device) => device.device_id)])
  const what = 'Mean health of all known devices; one that sent nothing in the range counts 0.'
  if (devices.length === 0)
    return {
      value: null,
      word: 'unknown',
      reason: noDataReason(picture),
      top_issue: null,
      definition: { what, formula: '100 × sum of health / known devices' },
    }
  const sum = devices.reduce((total, device) => total + device.health_score, 0)
  const value = Math.round((1000 * sum) / known.size) / 10
  return {
    value,
    word: value >= GOOD ? 'good' : value >= FAIR ? 'fair' : 'poor',
    reason: null,
    top_issue: topIssue(picture, devices, known, coverage),
    definition: { what, formula: `100 × ${ratio(sum)} / ${counted(known.size, 'known device')} = ${value}` },
  }
}

type Issue = NonNullable<z.infer<typeof SystemHealth>['top_issue']>

/** What to look at first: a critical alert, silent devices, the least healthy device, a warning, unmeasured time. */
function topIssue(
  { alerts, figures, span }: Picture,
  devices: readonly ScoredDevice[],
  known: ReadonlySet<string>,
  coverage: number | null,
): Issue | null {
  const critical = alerts.find((alert) => alert.severity === 'critical')
  if (critical) return { text: critical.text, device_id: critical.device_id }
  const heard = new Set(
    figures.devices.filter((device) => device.readings > 0).map((device) => device.device_id),
  )
  const silent = [...known].filter((device) => !heard.has(device)).toSorted()
  if (silent.length > 0) {
    const named = silent.slice(0, NAMED_DEVICES).join(', ')
    const more = silent.length > NAMED_DEVICES ? ` and ${silent.length - NAMED_DEVICES} more` : ''
    const text = `${silent.length} of ${counted(known.size, 'device')} sent nothing in the range: ${named}${more}.`
    return { text, device_id: silent.length === 1 ? silent[0]! : null }
  }
  const worst = devices.toSorted((a, b) => a.health_score - b.health_score)[0]!
  if (worst.health_score * 100 < GOOD)
    return {
      text: `${deviceName(worst)}: health ${percent(worst.health_score)}${worst.main_cause ? `, ${worst.main_cause}` : ''}.`,
      device_id: worst.device_id,
    }
  const warning = alerts[0]
  if (warning) return { text: warning.text, device_id: warning.device_id }
  // Over several days a house that is new to us would always have this.
  if (span.from === span.to && coverage !== null && coverage * 100 < GOOD)
    return { text: `Energy is measured ${percent(coverage)} of the time.`, device_id: null }
  return null
}
