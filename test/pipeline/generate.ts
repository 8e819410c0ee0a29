/** Streams of readings with every fault that the rules know, as fast-check arbitraries. */
import fc from 'fast-check'
import { formatUs, parseUs } from '../oracle/exact.ts'
import type { Case, Happening, Message } from './case.ts'
import { HOUSES, changed, given, homeOf } from './generate-house.ts'

/** Zones, with an instant about which their days are odd: clock changes, a skipped day, the end of a month. */
const EDGES: readonly (readonly [zone: string, at: string])[] = [
  ['UTC', '2024-03-01T00:00:00Z'],
  ['Europe/Berlin', '2024-03-31T01:00:00Z'],
  ['Europe/Berlin', '2024-10-27T01:00:00Z'],
  ['America/New_York', '2024-11-03T06:00:00Z'],
  ['America/New_York', '2024-01-01T05:00:00Z'],
  ['Asia/Kathmandu', '2024-06-03T18:15:00Z'],
  ['Australia/Lord_Howe', '2024-04-06T15:00:00Z'],
  ['America/Sao_Paulo', '2018-02-18T02:00:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
]

/** Devices of a house; the first comes most often, one id is used by two homes. */
const DEVICES = [
  { tenant: 'home', device_id: 'plug' },
  { tenant: 'home', device_id: 'mains' },
  { tenant: 'demo', device_id: 'plug' },
] as const

const S = 1_000_000
/** Event time as distance from the edge, µs. Few different values, so that arrivals meet. */
const distanceUs = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: -24, max: 24 }).map((n) => n * 300 * S) },
  { weight: 4, arbitrary: fc.integer({ min: -8, max: 8 }).map((n) => n * 900 * S) },
  { weight: 3, arbitrary: fc.integer({ min: -60, max: 60 }).map((n) => n * 20 * S) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.integer({ min: -6, max: 6 }), fc.constantFrom(-1, 1, -S, S, 333_333))
      .map(([quarter, by]) => quarter * 900 * S + by),
  },
  { weight: 1, arbitrary: fc.integer({ min: -5, max: 5 }).map((n) => n * 6 * 3600 * S) },
  { weight: 1, arbitrary: fc.constantFrom(24 * 3600 * S, 24 * 3600 * S + 1, 25 * 3600 * S, 49 * 3600 * S) },
)

/** How long after its event time a reading is accepted, ms; negative: the device's clock runs ahead. */
const delayMs = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0, 1000, 1000, 2000) },
  { weight: 3, arbitrary: fc.constantFrom(600_000, 1_800_000, 3_600_000, 7_200_000) },
  { weight: 1, arbitrary: fc.constantFrom(48 * 3_600_000, 48 * 3_600_000 + 1, 90 * 3_600_000) },
  { weight: 1, arbitrary: fc.constantFrom(-60_000, -600_000, -600_001) },
)

const power = often([0, 10, 60, 60, 100.5, 1234.567], [6000, 10_000, 10_000.01, -5, 0.0005, 2147483647, 300])
const reported = often([0.5, 1.25, 10, 0], [-1, 9e8, 1e-9, 1234.5678, 4294967295, 32767])
const temperature = often([20, 21.5, 19.9995], [0, 85, -127, 127.99, 55.5, -20, 100, 100.5, 32767, -50])
/** A counter as a function of time (Wh at the edge + W × hours), and what devices make of it. */
const counter = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(600, 600, 600.001).map((w) => ({ startWh: 50_000, w })) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(0, 3, 6, 49_999.5, 50_000, 45_000, 44_000)
      .map((startWh) => ({ startWh, w: 0 })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(99_999_999, 9e12, -5, 2147483647, 1e9).map((startWh) => ({ startWh, w: 0 })),
  },
)
const status = often(['online', 'offline', 'maintenance'], ['', '  '])
const alert = often(['none', 'high_temperature', 'low_battery'], [''])
const metrics = fc.constantFrom<Record<string, number>>(
  { humidity_pct: 40 },
  { uptime_s: 30 },
  { uptime_s: 61 },
  {},
)

function often<T>(usual: T[], odd: T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
  )
}
const sometimes = <T>(arbitrary: fc.Arbitrary<T>, times: number, of = 10): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: of - times, arbitrary: fc.constant(undefined) }, { weight: times, arbitrary })

/** What a device measures: its readings carry these, and now and then lack one. */
const STYLES = ['power', 'power', 'reported', 'counter', 'counter+power', 'all'] as const

const odd = fc.constantFrom<Record<string, unknown>>(
  { temperature: 'warm' },
  { power_usage: '17 W', unknown: true },
  { timestamp: '2024-03-01 10:00' },
  { timestamp: undefined },
  { timestamp: '1970-01-01T00:00:11Z' },
  { timestamp: '2093-01-01T00:00:00Z' },
  { device_id: '  ' },
  { device_id: undefined },
  { status: 5 },
  { metrics: { voltage_v: 'high', current_a: 1 } },
  { energy_total_wh: null },
)
const NOT_READINGS = ['not json', '{"device_id":"plug"', '5', 'null', '[]', '[7]', '{}', '']

const reading = fc.record({
  device: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(1, 2) }),
  channel: sometimes(fc.constant('b'), 2),
  distanceUs,
  delayMs,
  power: sometimes(power, 8),
  reported: sometimes(reported, 7),
  counter: sometimes(counter, 8),
  temperature: sometimes(temperature, 4),
  status: sometimes(status, 2),
  alert: sometimes(alert, 3),
  metrics: sometimes(metrics, 1),
  eventId: sometimes(fc.constantFrom('e1', 'e2'), 1),
  own: sometimes(
    fc.constantFrom<object>(
      { location: 'attic' },
      { user_id: 'eve' },
      { device_type: 'mains' },
      { model: ' ' },
    ),
    2,
  ),
  backfill: sometimes(fc.constant(true), 1),
  odd: sometimes(odd, 1, 15),
  replaced: sometimes(fc.constantFrom(...NOT_READINGS), 1, 30),
  againAfterMs: sometimes(fc.constantFrom(1, 700_000), 1),
  withNext: sometimes(fc.constant(true), 1),
})
type Draft = typeof reading extends fc.Arbitrary<infer T> ? T : never

interface Accepted {
  atMs: number
  value: string
  withNext: boolean
}

interface House {
  styles: readonly string[]
  drafts: readonly Draft[]
}

function sent(draft: Draft, edgeUs: number, styles: readonly string[], house: number): Accepted[] {
  const { tenant, device_id } = DEVICES[draft.device] ?? DEVICES[0]
  const tenant_id = homeOf(tenant, house)
  // Who does not name its home is at home.
  const device = { tenant_id: tenant_id === 'home' ? undefined : tenant_id, device_id }
  const style = styles[draft.device] ?? 'all'
  const eventUs = edgeUs + draft.distanceUs
  const has = (part: string): boolean => style === 'all' || style.includes(part)
  const counterWh =
    draft.counter === undefined
      ? undefined
      : Math.round((draft.counter.startWh + (draft.counter.w * draft.distanceUs) / 3.6e9) * 1000) / 1000
  const value =
    draft.replaced ??
    JSON.stringify({
      ...device,
      channel: draft.channel,
      timestamp: formatUs(BigInt(eventUs)).replace(/\.?0*Z$/, 'Z'),
      event_id: draft.eventId,
      power_usage: has('power') ? draft.power : undefined,
      energy_consumption_wh: has('reported') ? draft.reported : undefined,
      energy_total_wh: has('counter') ? counterWh : undefined,
      temperature: draft.temperature,
      status: draft.status,
      alert: draft.alert,
      metrics: draft.metrics,
      ingest_kind: draft.backfill ? 'backfill' : undefined,
      ...draft.own,
      ...draft.odd,
    })
  const atMs = Math.floor(eventUs / 1000) + draft.delayMs
  const first = { atMs, value, withNext: draft.withNext === true }
  return draft.againAfterMs === undefined ? [first] : [first, { ...first, atMs: atMs + draft.againAfterMs }]
}

/** In order of acceptance; neighbours that are sent together become one message with an array. */
function toMessages(houses: readonly House[], edgeUs: number): Message[] {
  const accepted = houses
    .flatMap(({ drafts, styles }, house) => drafts.flatMap((draft) => sent(draft, edgeUs, styles, house)))
    .toSorted((a, b) => a.atMs - b.atMs)
  const messages: Message[] = []
  for (let k = 0; k < accepted.length; k++) {
    const one = accepted[k] as Accepted
    const next = accepted[k + 1]
    if (
      one.withNext &&
      next &&
      one.value.startsWith('{"') &&
      next.value.startsWith('{"') &&
      one.value.endsWith('}')
    ) {
      messages.push({ acceptedAtMs: next.atMs, value: `[${one.value},${next.value}]` })
      k++
    } else messages.push({ acceptedAtMs: one.atMs, value: one.value })
  }
  return messages
}

const step = fc.constantFrom('bronze' as const, 'silver' as const, 'gold' as const)
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .integer({ min: 1, max: 12 * HOUSES })
      .map((messages) => ({ do: 'append' as const, messages })),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: step, final: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: step,
      final: fc.boolean(),
      fail: fc.record({ commit: fc.integer({ min: 0, max: 2 }), when: fc.constantFrom('before', 'after') }),
    }) as fc.Arbitrary<Happening>,
  },
  { weight: 2, arbitrary: step.map((stage) => ({ do: 'restart' as const, stage })) },
  { weight: 2, arbitrary: fc.constant({ do: 'change' as const }) },
)

const house: fc.Arbitrary<House> = fc.record({
  styles: fc.array(fc.constantFrom(...STYLES), { minLength: 3, maxLength: 3 }),
  drafts: fc.array(reading, { maxLength: 30, size: 'max' }),
})

export const anyCase: fc.Arbitrary<Case> = fc
  .constantFrom(...EDGES)
  .chain(([timeZone, at]) => {
    const edgeUs = Number(parseUs(at))
    return given(edgeUs).chain((before) =>
      fc.record({
        timeZone: fc.constant(timeZone),
        before: fc.constant(before),
        later: changed(before, edgeUs),
        houses: fc.array(house, { minLength: HOUSES, maxLength: HOUSES }),
        schedule: fc.array(happening, { maxLength: 10 }),
        edgeUs: fc.constant(edgeUs),
      }),
    )
  })
  .map(({ before, houses, edgeUs, later, ...rest }) => ({
    ...rest,
    ...before,
    ...(later !== undefined && { later }),
    messages: toMessages(houses, edgeUs),
  }))
