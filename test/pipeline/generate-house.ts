/** What figures depend on besides readings, as fast-check arbitraries, and how it changes on the way. */
import fc from 'fast-check'
import { DEFAULT_TARIFF, catalogued } from '../oracle/arrivals.ts'
import { formatUs } from '../oracle/exact.ts'
import type { CatalogueEntry, CataloguePeriod, RuleChange, Tariff } from '../oracle/types.ts'
import type { Given } from './case.ts'

/**
 * Houses of a case: they share the stages, their batches, their failures, tariffs and rules, and each has devices, faults and
 * corrections of its own. A step costs what its statements cost, whatever the rows: many houses are tried for the price of one.
 */
export const HOUSES = 8

/** The id of a house's home; the first house has the names as they are. */
export const homeOf = (home: 'home' | 'demo', house: number): string =>
  house === 0 ? home : `${home}${house + 1}`

const S = 1_000_000
const TYPES = ['smart_plug', 'smart_bulb', 'mains', 'solar', 'thermostat', 'boiler']

const entry = (tenant_id: string, device_id: string): fc.Arbitrary<CatalogueEntry> =>
  fc
    .record({
      device_type: fc.option(fc.constantFrom(...TYPES)),
      user_id: fc.option(fc.constantFrom('ann', 'bob')),
      location: fc.option(fc.constant('hall')),
      installation_date: fc.option(fc.constant('2017-05-31')),
      manufacturer: fc.option(fc.constant('acme')),
      model: fc.option(fc.constant('one')),
      rated_power_w: fc.option(fc.constantFrom(100, 2300, 0.5)),
      expected_interval_s: fc.option(fc.constantFrom(60, 300, 600, 0.5, 1200.5)),
      energy_source: fc.oneof(
        { weight: 6, arbitrary: fc.constant(null) },
        { weight: 1, arbitrary: fc.constantFrom('counter', 'reported', 'integrated') },
      ),
      parent_device_id: fc.constant(device_id === 'plug' && tenant_id.startsWith('home') ? 'mains' : null),
    })
    .map((fields) => catalogued({ tenant_id, device_id, ...fields }))

/** One list of every house's. */
const ofEveryHouse = <T>(ofHouse: (house: number) => fc.Arbitrary<readonly T[]>): fc.Arbitrary<T[]> =>
  fc.tuple(...Array.from({ length: HOUSES }, (_, house) => ofHouse(house))).map((lists) => lists.flat())

const catalogue = ofEveryHouse((house) =>
  fc
    .tuple(
      fc.option(entry(homeOf('home', house), 'plug')),
      fc.option(entry(homeOf('home', house), 'mains')),
      fc.option(entry(homeOf('demo', house), 'plug')),
    )
    .map((entries) => entries.filter((e) => e !== null)),
)

const { tariff_version: _version, ...FLAT } = DEFAULT_TARIFF
const TARIFF_SETS: Omit<Tariff, 'tariff_version'>[][] = [
  [FLAT],
  [],
  [
    FLAT,
    { ...FLAT, user_id: 'ann', band: 'night', hour_to: 6, energy_rate_kwh: '0.071234567' },
    { ...FLAT, user_id: 'ann', band: 'day', hour_from: 6, energy_rate_kwh: '0.333333333' },
    {
      ...FLAT,
      user_id: 'bob',
      band: 'winter',
      season_from: 1028,
      season_to: 1300,
      energy_rate_kwh: '0.200000000',
    },
    {
      ...FLAT,
      user_id: 'bob',
      band: 'spring',
      season_from: 229,
      season_to: 331,
      energy_rate_kwh: '0.300000000',
    },
    { ...FLAT, tenant_id: 'demo', weekdays: '67', energy_rate_kwh: '0.999999999' },
    { ...FLAT, tenant_id: 'home', user_id: 'bob', valid_to: '2024-03-31', energy_rate_kwh: '0.100000000' },
  ],
]

const RULE_SETS: RuleChange[][] = [
  [],
  [],
  [
    { rule: 'temperature_unusual', device_type: 'boiler', enabled: false, points: null, limit: null },
    { rule: 'unknown_location', device_type: '*', enabled: true, points: 60, limit: null },
    { rule: 'power_out_of_range', device_type: 'smart_plug', enabled: false, points: null, limit: null },
  ],
  [
    { rule: 'sentinel', device_type: '*', enabled: false, points: null, limit: null },
    { rule: 'negative_energy', device_type: '*', enabled: false, points: null, limit: null },
    { rule: 'temperature_out_of_range', device_type: '*', enabled: false, points: null, limit: null },
    { rule: 'temperature_out_of_range', device_type: 'thermostat', enabled: true, points: null, limit: null },
    { rule: 'power_high', device_type: 'mains', enabled: true, points: 0, limit: null },
    { rule: 'high_power', device_type: '*', enabled: true, points: null, limit: 60 },
    { rule: 'low_temperature', device_type: 'mains', enabled: false, points: null, limit: null },
  ],
]

/** A stretch of time about the edge, with the ends on event times that occur. */
const stretch = (edgeUs: number) =>
  fc.tuple(fc.integer({ min: -24, max: 24 }), fc.constantFrom(0, 1, 3, 12, 288)).map(([from, length]) => ({
    from_time: formatUs(BigInt(edgeUs + from * 300 * S)),
    to_time: formatUs(BigInt(edgeUs + (from + length) * 300 * S)),
  }))

const corrections = (edgeUs: number, house: number): fc.Arbitrary<NonNullable<Given['corrections']>> =>
  fc.array(
    fc
      .tuple(
        stretch(edgeUs),
        fc.constantFrom(
          { action: 'exclude' as const, field: null, value: null },
          { action: 'set' as const, field: 'power_usage' as const, value: 42 },
          { action: 'set' as const, field: 'power_usage' as const, value: null },
          { action: 'set' as const, field: 'energy_total_wh' as const, value: 50_010 },
          { action: 'set' as const, field: 'temperature' as const, value: 20 },
        ),
        fc.constantFrom(null, null, 'b'),
      )
      .map(([times, what, channel]) => ({
        ...times,
        ...what,
        tenant_id: homeOf('home', house),
        device_id: 'plug',
        channel,
        undoes: null,
      })),
    { maxLength: 2 },
  )

/** A house's plug by period: its own until somewhere about the edge, then another kind, elsewhere. */
const periods = (edgeUs: number, house: number): fc.Arbitrary<CataloguePeriod[]> =>
  fc.constantFrom(0, -3600, 7200).map((seconds) => {
    const moved = formatUs(BigInt(edgeUs + seconds * S))
    const { device_id, tenant_id } = catalogued({ tenant_id: homeOf('home', house), device_id: 'plug' })
    const both = { tenant_id, device_id, installation_date: null, manufacturer: 'acme', model: null }
    return [
      {
        ...both,
        valid_from: '1970-01-01T00:00:00Z',
        valid_to: moved,
        device_type: null,
        user_id: 'ann',
        location: 'attic',
      },
      {
        ...both,
        valid_from: moved,
        valid_to: null,
        device_type: 'smart_bulb',
        user_id: 'bob',
        location: null,
      },
    ]
  })

export const given = (edgeUs: number): fc.Arbitrary<Given> =>
  fc.record({
    lateWatermarkHours: fc.constantFrom(48, 48, 1),
    catalogue,
    periods: ofEveryHouse((house) =>
      fc.oneof(
        { weight: 3, arbitrary: fc.constant<CataloguePeriod[]>([]) },
        { weight: 1, arbitrary: periods(edgeUs, house) },
      ),
    ),
    tariffs: fc.constantFrom(...TARIFF_SETS),
    rules: fc.constantFrom(...RULE_SETS),
    corrections: ofEveryHouse((house) => corrections(edgeUs, house)),
  })

/** Later something is another one, and the first correction may be taken back. */
export const changed = (before: Given, edgeUs: number): fc.Arbitrary<Given | undefined> =>
  fc
    .tuple(
      given(edgeUs),
      fc.constantFrom('nothing', 'catalogue', 'periods', 'tariffs', 'rules', 'corrections', 'undo', 'all'),
    )
    .map(([other, what]) => {
      if (what === 'nothing') return undefined
      if (what === 'all') return other
      const first = before.corrections?.[0]
      if (what === 'undo')
        return {
          ...before,
          corrections:
            first === undefined
              ? []
              : [{ ...first, action: 'undo' as const, field: null, value: null, undoes: 1 }],
        }
      return { ...before, corrections: [], [what]: other[what as keyof Given] }
    })
