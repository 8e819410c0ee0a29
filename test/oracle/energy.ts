/** Energy of one channel: decision 0002, "Energy, per channel". */
import { greater, lesser, toInteger, HOUR_US } from './exact.ts'
import { powerRangeW } from './limits.ts'
import { maxGapUs } from './types.ts'
import type { Accepted, Energy } from './types.ts'

type Field = 'energy_total_wh' | 'energy_consumption_wh' | 'power_usage'

/** Rows (by index) in which a method is in force: first…last, or for ever where it has not ended. */
interface Span {
  first: number
  last: number
  open: boolean
}

/** Equal counter values in a row. */
interface Step {
  microWh: bigint
  rows: number[]
}

/** DECIMAL(18,9) holds less than this, µWh. */
const COLUMN_LIMIT_UWH = 10n ** 15n

/**
 * Energy of every row of one channel.
 * @param rows the channel's accepted rows in row order
 * @param offline the rows with status `offline` of the device, any channel, in row order
 */
export function channelEnergy(rows: readonly Accepted[], offline: readonly Accepted[]): Energy[] {
  const energies = rows.map((): Energy => nothing())
  const counterSpans = spansOf(
    rows,
    (row) => has(row, 'energy_total_wh'),
    (row) => !has(row, 'energy_total_wh') && (has(row, 'energy_consumption_wh') || has(row, 'power_usage')),
  )
  const reportedSpans = spansOf(
    rows,
    (row) => has(row, 'energy_consumption_wh'),
    (row) => !has(row, 'energy_total_wh') && !has(row, 'energy_consumption_wh') && has(row, 'power_usage'),
  )
  const hold = (r: number): Energy | null => closeHold(rows, r, counterSpans, reportedSpans, offline)

  for (let r = 0; r < rows.length; r++) {
    const row = rows[r] as Accepted
    if (counterSpans.some((span) => reaches(span, r))) {
      const begins = counterSpans.some((span) => span.first === r)
      if (begins && !reportedSpans.some((span) => holdsGapBefore(span, r))) energies[r] = hold(r) ?? nothing()
    } else if (reportedSpans.some((span) => reaches(span, r))) {
      if (has(row, 'energy_consumption_wh')) {
        const nwh = toInteger(row.energy_consumption_wh as number, 1e9)
        energies[r] = { nwh, from: null, to: null, method: 'reported', reasons: [] }
      }
    } else if (has(row, 'power_usage')) {
      energies[r] = hold(r) ?? nothing()
    }
  }
  for (const span of counterSpans) countSpan(rows, span, energies)
  return energies
}

const nothing = (): Energy => ({ nwh: null, from: null, to: null, method: 'none', reasons: [] })

/** Whether the row has the field, as far as the catalogue lets it be looked at. */
function has(row: Accepted, field: Field): boolean {
  const fixed = row.entry?.energy_source ?? null
  const only =
    fixed === 'counter'
      ? 'energy_total_wh'
      : fixed === 'reported'
        ? 'energy_consumption_wh'
        : fixed === 'integrated'
          ? 'power_usage'
          : field
  return only === field && row[field] !== null
}

/** Runs of members, broken where a row of a lower method lies more than 24 h after the member before it. */
function spansOf(
  rows: readonly Accepted[],
  isMember: (row: Accepted) => boolean,
  isLower: (row: Accepted) => boolean,
): Span[] {
  const spans: Span[] = []
  let current: Span | undefined
  rows.forEach((row, index) => {
    if (isMember(row)) {
      if (current?.open) current.last = index
      else {
        current = { first: index, last: index, open: true }
        spans.push(current)
      }
    } else if (current?.open && isLower(row)) {
      const lastAt = (rows[current.last] as Accepted).at
      if (row.at > lastAt + 24n * HOUR_US) current.open = false
    }
  })
  return spans
}

const reaches = (span: Span, r: number): boolean => span.first <= r && (r <= span.last || span.open)
const holdsGapBefore = (span: Span, r: number): boolean =>
  span.first <= r - 1 && (r <= span.last || span.open)

/** What row r integrates: the power of the channel's row with power before it, held to the left. */
function closeHold(
  rows: readonly Accepted[],
  r: number,
  counterSpans: readonly Span[],
  reportedSpans: readonly Span[],
  offline: readonly Accepted[],
): Energy | null {
  let p = r - 1
  while (p >= 0 && !has(rows[p] as Accepted, 'power_usage')) p--
  if (p < 0) return null
  if (reportedSpans.some((span) => span.first > p && span.first < r)) return null
  const [held, closing] = [rows[p] as Accepted, rows[r] as Accepted]

  let from = held.at
  for (const span of [...counterSpans, ...reportedSpans])
    if (!span.open && p <= span.last && span.last < r) from = greater(from, (rows[span.last] as Accepted).at)

  let to = lesser(closing.at, held.at + maxGapUs(held.entry))
  const wentOffline = offline.find((row) => row.order >= held.order && row.order < closing.order)
  if (wentOffline) to = lesser(to, wentOffline.at)
  if (to < from) return null
  const milliwatts = toInteger(held.power_usage as number, 1000)
  return { nwh: (milliwatts * (to - from)) / 3600n, from, to, method: 'integrated', reasons: [] }
}

/** Fills in the energy of the counter rows of one span. */
function countSpan(rows: readonly Accepted[], span: Span, energies: Energy[]): void {
  const steps = stepsOf(rows, span)
  const atFirst = (step: Step): bigint => (rows[step.rows[0] as number] as Accepted).at
  const plausible = (a: Step, b: Step): boolean =>
    b.microWh >= a.microWh && isPlausible(b.microWh - a.microWh, atFirst(b) - atFirst(a), first(rows, b))

  let before: Step | undefined
  steps.forEach((step, n) => {
    const [previous, next] = [steps[n - 1], steps[n + 1]]
    if (previous && next) {
      const dropsAndReturns = step.microWh < previous.microWh && next.microWh >= previous.microWh
      const jumpsAndReturns =
        step.microWh > previous.microWh && !plausible(previous, step) && plausible(previous, next)
      if (dropsAndReturns || jumpsAndReturns) {
        for (const r of step.rows) energies[r] = { ...nothing(), reasons: ['counter_glitch'] }
        return
      }
    }
    if (before) energies[step.rows[0] as number] = stepEnergy(rows, before, step, plausible)
    for (let k = 1; k < step.rows.length; k++)
      energies[step.rows[k] as number] = counted(rows, 0n, step.rows[k - 1] as number, step.rows[k] as number)
    before = step
  })
}

const first = (rows: readonly Accepted[], step: Step): Accepted => rows[step.rows[0] as number] as Accepted

function stepsOf(rows: readonly Accepted[], span: Span): Step[] {
  const steps: Step[] = []
  for (let r = span.first; r <= span.last; r++) {
    const row = rows[r] as Accepted
    if (!has(row, 'energy_total_wh')) continue
    const microWh = toInteger(row.energy_total_wh as number, 1e6)
    const newest = steps.at(-1)
    if (newest?.microWh === microWh) newest.rows.push(r)
    else steps.push({ microWh, rows: [r] })
  }
  return steps
}

/** At most rated power × 1.2 × the time. */
function isPlausible(microWh: bigint, elapsedUs: bigint, row: Accepted): boolean {
  const ratedW = row.entry?.rated_power_w ?? Math.max(powerRangeW(row.device_type)[1], 25_000)
  return microWh < COLUMN_LIMIT_UWH && microWh * 36_000_000n <= toInteger(ratedW, 1000) * 12n * elapsedUs
}

/** Energy of the first row of a step, from the step m that counts before it. */
function stepEnergy(
  rows: readonly Accepted[],
  m: Step,
  n: Step,
  plausible: (a: Step, b: Step) => boolean,
): Energy {
  const [from, to] = [m.rows.at(-1) as number, n.rows[0] as number]
  if (n.microWh >= m.microWh) {
    if (plausible(m, n)) return counted(rows, n.microWh - m.microWh, from, to)
    return { ...nothing(), reasons: ['counter_implausible'] }
  }
  if ((m.microWh - n.microWh) * 10n <= m.microWh) return counted(rows, 0n, from, to, 'counter_dip')
  const since = (rows[to] as Accepted).at - first(rows, m).at
  const believed = n.microWh >= 0n && isPlausible(n.microWh, since, first(rows, n))
  return counted(rows, believed ? n.microWh : 0n, from, to, 'counter_reset')
}

function counted(
  rows: readonly Accepted[],
  microWh: bigint,
  fromRow: number,
  toRow: number,
  reason?: string,
): Energy {
  const [from, to] = [(rows[fromRow] as Accepted).at, (rows[toRow] as Accepted).at]
  const reasons = reason === undefined ? [] : [reason]
  if (to - from > maxGapUs((rows[toRow] as Accepted).entry)) reasons.push('counter_gap')
  return { nwh: microWh * 1000n, from, to, method: 'counter', reasons }
}
