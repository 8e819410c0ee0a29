/** Arrivals of two devices with every fault, for the property tests. */
import fc from 'fast-check'
import type { Arrival } from './house.ts'

const START = Date.parse('2024-01-15T00:00:00Z')

/** Event times on a coarse grid, so that equal ones, 24-hour ends and one-hour edges are met often. */
const timestamp = fc
  .tuple(fc.integer({ min: 0, max: 60 }), fc.constantFrom(0, 1, 2, 10, 15, 59))
  .map(([hour, minute]) => new Date(START + hour * 3_600_000 + minute * 60_000).toISOString())

export const arrival: fc.Arbitrary<Arrival> = fc.record(
  {
    device_id: fc.constantFrom('a', 'b'),
    timestamp,
    channel: fc.constantFrom('', '', '1'),
    event_id: fc.constantFrom('x', 'y'),
    power_usage: fc.constantFrom(0, 33.5, 1000, 6000, 20_000),
    temperature: fc.constantFrom(20, 21.5, 85, -127, 60),
    energy_consumption_wh: fc.constantFrom(0.1, 7, -1),
    energy_total_wh: fc.constantFrom(0, 3, 5, 100, 100.4, 101, 5000, 99_999_999),
    status: fc.constantFrom('online', 'offline', ' '),
    alert: fc.constantFrom('none', 'high_power'),
    metrics: fc.constantFrom({ humidity_pct: 40 }, { uptime_s: 3 }),
  },
  { requiredKeys: ['device_id', 'timestamp', 'channel'] },
)

/** Arrivals in batches; after each batch a step, final or not. */
export const history = fc.array(
  fc.record({ arrivals: fc.array(arrival, { minLength: 1, maxLength: 8 }), final: fc.boolean() }),
  { minLength: 1, maxLength: 6 },
)
