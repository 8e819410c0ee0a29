import type { Column, TableDefinition } from '../lake/types.ts'
import { DEVICE, LOCAL_DATE, LOCAL_MONTH, TENANT } from './columns.ts'
import { GOLD_HEALTH, GOLD_SUMMARY } from './tables-health.ts'

export { GOLD_HEALTH, GOLD_SUMMARY }

/** Sums of one device over a span of time; they add up from quarter-hours to months to the last digit. */
const SUMS: readonly Column[] = [
  {
    name: 'energy_wh',
    type: 'decimal(38,9)',
    description: 'Energy of (start, end], Wh; null where nothing was measured.',
  },
  {
    name: 'energy_method',
    type: 'string',
    description: 'reported, counter, integrated; mixed where several; null without energy.',
  },
  {
    name: 'covered_s',
    type: 'long',
    required: true,
    description: 'Seconds in energy intervals no longer than the maximum gap.',
  },
  { name: 'readings', type: 'long', required: true, description: 'Rows of [start, end), all channels.' },
  { name: 'power_sum_mw', type: 'long', description: 'Sum of power values, mW.' },
  { name: 'power_count', type: 'long', required: true, description: 'Number of power values.' },
  { name: 'power_max_w', type: 'double', description: 'Largest power value, W.' },
  { name: 'temperature_sum_mc', type: 'long', description: 'Sum of temperature values, m°C.' },
  { name: 'temperature_count', type: 'long', required: true, description: 'Number of temperature values.' },
  { name: 'temperature_min_c', type: 'double', description: 'Lowest temperature, °C.' },
  { name: 'temperature_max_c', type: 'double', description: 'Highest temperature, °C.' },
  {
    name: 'cost',
    type: 'decimal(38,9)',
    description: "Energy × rate, in the house's currency; negative energy costs 0.",
  },
  {
    name: 'tariff_version',
    type: 'long',
    description: 'Version of the tariff that priced it; the newest where several did.',
  },
]

export const GOLD_CALENDAR: TableDefinition = {
  name: 'gold.calendar',
  description:
    'Local time of every quarter-hour, per IANA zone; an input written by the program, since zone conversion is not portable SQL.',
  columns: [
    { name: 'zone', type: 'string', required: true, description: 'IANA time zone.' },
    {
      name: 'quarter_hour',
      type: 'timestamp',
      required: true,
      description: 'Start of the quarter-hour, UTC.',
    },
    {
      name: 'hour_start',
      type: 'timestamp',
      required: true,
      description: 'Start of the local hour that holds it, UTC.',
    },
    { name: 'date', type: 'date', required: true, description: 'Local date.' },
    { name: 'month', type: 'date', required: true, description: 'First day of the local month.' },
    { name: 'local_hour', type: 'integer', required: true, description: 'Hour on the local clock, 0–23.' },
    { name: 'local_weekday', type: 'integer', required: true, description: 'ISO weekday, 1 = Monday.' },
    { name: 'day_s', type: 'integer', required: true, description: 'Seconds of the whole local day.' },
    { name: 'year', type: 'integer', required: true, description: 'Local year; partition.' },
  ],
  partitionBy: ['year'],
  sortBy: ['zone', 'quarter_hour'],
  key: ['zone', 'quarter_hour'],
}

export const GOLD_QUARTER_HOURLY: TableDefinition = {
  name: 'gold.quarter_hourly_energy',
  description:
    'Energy, power and temperature of one device in one quarter-hour. Every longer span is a sum of these.',
  columns: [
    TENANT,
    DEVICE,
    {
      name: 'quarter_hour',
      type: 'timestamp',
      required: true,
      description: 'Start of the quarter-hour, UTC.',
    },
    ...SUMS,
    {
      name: 'user_id',
      type: 'string',
      description:
        'Whose it was, by the last reading that says so: whose tariff priced it, and who is billed.',
    },
    LOCAL_DATE,
  ],
  partitionBy: ['date'],
  sortBy: ['tenant_id', 'device_id', 'quarter_hour'],
  key: ['tenant_id', 'device_id', 'quarter_hour'],
}

export const GOLD_HOURLY: TableDefinition = {
  name: 'gold.hourly_energy',
  description: 'Sums of one device in one local hour.',
  columns: [
    TENANT,
    DEVICE,
    { name: 'hour_start', type: 'timestamp', required: true, description: 'Start of the local hour, UTC.' },
    ...SUMS,
    {
      name: 'fed_in_wh',
      type: 'decimal(38,9)',
      description:
        'What its quarter-hours of negative energy fed in, Wh; energy_wh is what was used less this.',
    },
    {
      name: 'user_id',
      type: 'string',
      description: 'Whose all its energy was; null where nobody’s, or of several.',
    },
    {
      name: 'one_user',
      type: 'boolean',
      description: 'Whether all its energy was of one user, or of nobody; null without energy.',
    },
    LOCAL_DATE,
    LOCAL_MONTH,
  ],
  partitionBy: ['month'],
  // A month of hours is many rows, of which a page shows a day.
  sortBy: ['tenant_id', 'date', 'device_id', 'hour_start'],
  key: ['tenant_id', 'device_id', 'hour_start'],
}

export const GOLD_DAILY: TableDefinition = {
  name: 'gold.daily_energy_consumption',
  description: 'One device, one local day: energy, cost, power, temperature, completeness.',
  columns: [
    TENANT,
    DEVICE,
    LOCAL_DATE,
    {
      name: 'total_energy_wh',
      type: 'decimal(38,9)',
      description: 'Energy of the day, Wh; null where nothing was measured.',
    },
    {
      name: 'mean_energy_wh',
      type: 'double',
      description: 'Mean energy of the quarter-hours that have energy, Wh.',
    },
    { name: 'max_energy_wh', type: 'decimal(38,9)', description: 'Largest energy of a quarter-hour, Wh.' },
    { name: 'reading_count', type: 'long', required: true, description: 'Readings of the day.' },
    { name: 'mean_power_w', type: 'double', description: 'Mean of the power values, W.' },
    { name: 'max_power_w', type: 'double', description: 'Largest power value, W.' },
    { name: 'mean_temperature_c', type: 'double', description: 'Mean of the temperature values, °C.' },
    { name: 'min_temperature_c', type: 'double', description: 'Lowest temperature, °C.' },
    { name: 'max_temperature_c', type: 'double', description: 'Highest temperature, °C.' },
    { name: 'cost', type: 'decimal(38,9)', description: "Energy × rate, in the house's currency." },
    {
      name: 'energy_efficiency',
      type: 'double',
      description: 'Sum of reported Wh / sum of W, over rows that have both and power above zero.',
    },
    {
      name: 'data_completeness',
      type: 'decimal(9,6)',
      description:
        'Intervals with a reading / expected intervals, at most 1; null where no interval is known.',
    },
    {
      name: 'coverage_ratio',
      type: 'decimal(9,6)',
      required: true,
      description: 'Covered seconds / seconds of the local day.',
    },
    { name: 'device_type', type: 'string', description: 'Kind of device.' },
    { name: 'location', type: 'string', description: 'Where the device stands.' },
    { name: 'user_id', type: 'string', description: 'Owner.' },
    { name: 'energy_method', type: 'string', description: 'Method of the day; mixed where several.' },
    {
      name: 'covered_s',
      type: 'long',
      required: true,
      description: 'Seconds of the day in energy intervals no longer than the maximum gap.',
    },
    LOCAL_MONTH,
  ],
  partitionBy: ['month'],
  sortBy: ['tenant_id', 'date', 'device_id'],
  key: ['tenant_id', 'device_id', 'date'],
}

export const GOLD_MONTHLY: TableDefinition = {
  name: 'gold.monthly_energy',
  description: 'Sums of one device in one local month.',
  columns: [
    TENANT,
    DEVICE,
    LOCAL_MONTH,
    ...SUMS,
    { name: 'year', type: 'integer', required: true, description: 'Local year; partition.' },
  ],
  partitionBy: ['year'],
  sortBy: ['tenant_id', 'device_id', 'month'],
  key: ['tenant_id', 'device_id', 'month'],
}

/** What Gold builds, in the order of dependence; the calendar is an input. */
export const GOLD_TABLES = [
  GOLD_QUARTER_HOURLY,
  GOLD_HOURLY,
  GOLD_DAILY,
  GOLD_MONTHLY,
  GOLD_HEALTH,
  GOLD_SUMMARY,
] as const
