/**
 * Every constant of Silver's rules. The SQL models see them as the one-row table `constants` and the table
 * `type_limits`; the meaning of each rule stands in docs/decisions/0002-readings-and-energy-made-exact.md.
 */

const MINUTE_US = 60_000_000
const HOUR_US = 60 * MINUTE_US

/** What is believable of a device type. Limits are inclusive. */
export interface TypeLimits {
  powerMinW: number
  powerMaxW: number
  temperatureMinC: number
  temperatureMaxC: number
  /** Power above it is unusual, where the catalogue names none for the device; null: not known. */
  ratedPowerW: number | null
  /** Whether 85.0 °C and 0 °C right after power-up are taken for a sensor that has not measured yet. */
  powerUpSentinel: boolean
}

export const DEFAULT_LIMITS: TypeLimits = {
  powerMinW: 0,
  powerMaxW: 10_000,
  temperatureMinC: -50,
  temperatureMaxC: 100,
  ratedPowerW: null,
  powerUpSentinel: true,
}

const SIGNED = { powerMinW: -100_000, powerMaxW: 100_000 }
const STRONG = { powerMinW: 0, powerMaxW: 100_000 }

/** Types that differ from the default; every other type has `DEFAULT_LIMITS`. */
export const TYPE_LIMITS: Readonly<Record<string, TypeLimits>> = {
  grid: { ...DEFAULT_LIMITS, ...SIGNED },
  solar: { ...DEFAULT_LIMITS, ...SIGNED, powerUpSentinel: false },
  battery: { ...DEFAULT_LIMITS, ...SIGNED },
  ev_charger: { ...DEFAULT_LIMITS, ...STRONG },
  heat_pump: { ...DEFAULT_LIMITS, ...STRONG },
  mains: { ...DEFAULT_LIMITS, ...STRONG },
  boiler: { ...DEFAULT_LIMITS, powerUpSentinel: false },
  water_heater: { ...DEFAULT_LIMITS, powerUpSentinel: false },
  smart_bulb: { ...DEFAULT_LIMITS, ratedPowerW: 250 },
}

export function limitsOf(deviceType: string | null): TypeLimits {
  return (deviceType === null ? undefined : TYPE_LIMITS[deviceType]) ?? DEFAULT_LIMITS
}

/** One row; names are the columns of the table `constants`. Whole numbers unless the comment says otherwise. */
export const CONSTANTS = {
  /** Values that mean "no value": the largest numbers of 16, 32 and unsigned 32 bits, and two of probes (°C). */
  sentinel_int16: 32_767,
  sentinel_int32: 2_147_483_647,
  sentinel_uint32: 4_294_967_295,
  sentinel_probe_open_c: -127,
  sentinel_probe_top_c: 127.99,
  /** What a probe says before its first measurement, °C, while `metrics.uptime_s` is at most so many seconds. */
  power_up_high_c: 85,
  power_up_low_c: 0,
  power_up_s: 60,
  /** Wh, exclusive: beyond these an energy does not fit its integer form. */
  reported_limit_wh: 900_000_000,
  counter_limit_wh: 9_000_000_000_000,
  /** µWh: an interval of energy must be smaller than this (10⁹ Wh) to fit DECIMAL(18,9). */
  interval_limit_uwh: 1_000_000_000_000_000,
  earliest_event_us: 946_684_800_000_000,
  ahead_limit_us: 10 * MINUTE_US,
  /** Points, of 100, that an unusual reading loses. */
  points_unknown: 10,
  points_temperature: 20,
  points_power: 20,
  valid_points: 50,
  usual_temperature_min_c: 0,
  usual_temperature_max_c: 50,
  usual_power_max_w: 5_000,
  window_us: HOUR_US,
  /** The maximum gap: so many expected intervals, at least this. */
  gap_floor_us: 15 * MINUTE_US,
  gap_intervals: 3,
  /** A counter or reported method ends so long after its last value. */
  method_end_us: 24 * HOUR_US,
  /** Plausible: at most 12/10 of the rated power; where none is known, of the type's limit, at least 25 kW. */
  plausible_tenths: 12,
  plausible_floor_w: 25_000,
  /** A drop is a dip, not a reset, where drop × this is at most the value before. */
  dip_divisor: 10,
} as const

/** Delay above which a live reading is late, where the settings name none, hours. */
export const DEFAULT_LATE_WATERMARK_HOURS = 48

/** Reject reasons in the order in which they are looked for; `conflict` is found last, among accepted arrivals. */
export const REJECT_REASONS = [
  'not_json',
  'missing_device_id',
  'missing_timestamp',
  'before_2000',
  'in_future',
  'empty',
  'temperature_out_of_range',
  'power_out_of_range',
  'negative_energy',
  'conflict',
] as const
