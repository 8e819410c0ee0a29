/**
 * The one table of Silver's rules, and every constant of theirs. The SQL models see the constants as the one-row table
 * `constants`, and what differs by kind of device as the table `type_limits` (rules-in-force.ts); docs/quality-rules.md
 * is made from here, and how they are applied exactly stands in docs/decisions/0002-readings-and-energy-made-exact.md.
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

/** A counter's rise is plausible up to the type's limit of power, but at least this, W; where no rated power is known. */
export const PLAUSIBLE_FLOOR_W = 25_000

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
  /** A drop is a dip, not a reset, where drop × this is at most the value before. */
  dip_divisor: 10,
} as const

/** Delay above which a live reading is late, where the settings name none, hours. */
export const DEFAULT_LATE_WATERMARK_HOURS = 48

const C = CONSTANTS
const hours = (us: number): string => `${us / HOUR_US} h`
const minutes = (us: number): string => `${us / MINUTE_US} min`

/** What a rule does: null a field, reject the arrival, take points, say something of the energy, raise an alert. */
export type RuleKind = 'null' | 'reject' | 'penalty' | 'energy' | 'alert'

export interface Rule {
  /** As `quality_reasons`, `reject_reason` and `threshold_alerts` name it. */
  name: string
  kind: RuleKind
  /** When it holds; one sentence. */
  when: string
  /** Points of 100 that it takes. */
  points?: number
  /** Threshold of an alert, in `unit`. */
  limit?: number
  unit?: string
  /** Whether the configuration may switch it off. The others keep readings in a form that can be counted. */
  switchable?: true
}

/** Every rule. Within a kind in the order in which they are looked at; the first null rule and the first reject rule count. */
export const RULES = [
  { name: 'not_a_number', kind: 'null', when: 'The field is of the wrong kind, not finite, or no number.' },
  {
    name: 'sentinel',
    kind: 'null',
    when: `The value means "no value": ${C.sentinel_int32} or ${C.sentinel_uint32}; of a temperature also ${C.sentinel_int16}, ${C.sentinel_probe_open_c} and ${C.sentinel_probe_top_c} °C.`,
    switchable: true,
  },
  {
    name: 'power_up',
    kind: 'null',
    when: `A temperature of exactly ${C.power_up_high_c} or ${C.power_up_low_c} °C while metrics.uptime_s is at most ${C.power_up_s}; never of the types boiler, water_heater, solar.`,
    switchable: true,
  },
  {
    name: 'too_large',
    kind: 'null',
    when: `energy_consumption_wh of ${C.reported_limit_wh} Wh or more, energy_total_wh of ${C.counter_limit_wh} Wh or more, of either sign.`,
  },
  {
    name: 'corrected',
    kind: 'null',
    when: 'A person has recorded another value, or none: that one counts, and no other null rule is looked at.',
  },
  { name: 'not_json', kind: 'reject', when: 'The message is no JSON object.' },
  { name: 'missing_device_id', kind: 'reject', when: 'device_id is absent or blank.' },
  { name: 'missing_timestamp', kind: 'reject', when: 'timestamp is absent, or no instant with a zone.' },
  { name: 'before_2000', kind: 'reject', when: 'The event time lies before 2000-01-01.' },
  {
    name: 'in_future',
    kind: 'reject',
    when: `The event time lies more than ${minutes(C.ahead_limit_us)} after the ingestion.`,
  },
  { name: 'empty', kind: 'reject', when: 'There is no status, no alert and no number in it.' },
  {
    name: 'temperature_out_of_range',
    kind: 'reject',
    when: `The temperature lies outside the type's limits, ${DEFAULT_LIMITS.temperatureMinC}…${DEFAULT_LIMITS.temperatureMaxC} °C.`,
    switchable: true,
  },
  {
    name: 'power_out_of_range',
    kind: 'reject',
    when: "The power lies outside the type's limits (see below).",
    switchable: true,
  },
  { name: 'negative_energy', kind: 'reject', when: 'energy_consumption_wh is below 0.', switchable: true },
  { name: 'excluded', kind: 'reject', when: 'A person has excluded it.' },
  {
    name: 'conflict',
    kind: 'reject',
    when: 'An arrival of the same identity (tenant, device, channel, time, event id) has another value of a field.',
  },
  {
    name: 'unknown_location',
    kind: 'penalty',
    when: 'Neither the reading nor the catalogue says where it stands.',
    points: 10,
    switchable: true,
  },
  {
    name: 'unknown_manufacturer',
    kind: 'penalty',
    when: 'Neither says who made it.',
    points: 10,
    switchable: true,
  },
  {
    name: 'unknown_model',
    kind: 'penalty',
    when: 'Neither says which model it is.',
    points: 10,
    switchable: true,
  },
  {
    name: 'temperature_unusual',
    kind: 'penalty',
    when: `The temperature lies outside ${C.usual_temperature_min_c}…${C.usual_temperature_max_c} °C.`,
    points: 20,
    switchable: true,
  },
  {
    name: 'power_high',
    kind: 'penalty',
    when: `The power is above ${C.usual_power_max_w} W, or above the rated power of the device, else of its type.`,
    points: 20,
    switchable: true,
  },
  {
    name: 'counter_glitch',
    kind: 'energy',
    when: 'A counter value that the next one shows to be wrong; it is set aside.',
  },
  {
    name: 'counter_implausible',
    kind: 'energy',
    when: `A rise above rated power × ${C.plausible_tenths / 10} × time (no rated power: the type's limit, at least ${PLAUSIBLE_FLOOR_W} W); its energy is withheld.`,
  },
  {
    name: 'counter_dip',
    kind: 'energy',
    when: `A drop of at most 1/${C.dip_divisor} of the value before: 0 Wh.`,
  },
  {
    name: 'counter_reset',
    kind: 'energy',
    when: 'A larger drop: the counter began again, and counts from 0 where that is plausible.',
  },
  {
    name: 'counter_gap',
    kind: 'energy',
    when: `The energy lies over more than the largest gap: ${C.gap_intervals} expected intervals, at least ${minutes(C.gap_floor_us)}.`,
  },
  {
    name: 'high_temperature',
    kind: 'alert',
    when: 'The temperature is above the limit.',
    limit: 35,
    unit: '°C',
    switchable: true,
  },
  {
    name: 'low_temperature',
    kind: 'alert',
    when: 'The temperature is below the limit.',
    limit: 5,
    unit: '°C',
    switchable: true,
  },
  {
    name: 'high_power',
    kind: 'alert',
    when: 'The power is above the limit.',
    limit: 3500,
    unit: 'W',
    switchable: true,
  },
] as const satisfies readonly Rule[]

export type RuleName = (typeof RULES)[number]['name']

/** Reject reasons in the order in which they are looked for; `conflict` is found last, among accepted arrivals. */
export const REJECT_REASONS = RULES.filter(({ kind }) => kind === 'reject').map(({ name }) => name)

/** What else is fixed, for the published page. */
export const OTHER_CONSTANTS = {
  'a reading is valid': `with at least ${C.valid_points} of 100 points`,
  'one-hour windows': `(t − ${hours(C.window_us)}, t] of event time`,
  'a counter or reported method ends': `${hours(C.method_end_us)} after its last value, once a lower method has a reading there`,
  'a live reading is late': `more than ${DEFAULT_LATE_WATERMARK_HOURS} h after its event time (silver.late_watermark_hours)`,
} as const
