import type { TableDefinition } from '../lake/types.ts'

/**
 * What figures depend on besides the readings lies in the lake too, so that a copied folder gives the same
 * figures elsewhere. Files under `config/` are inputs; each change is a new version here.
 */
export const REFERENCE_CATALOGUE: TableDefinition = {
  name: 'reference.catalogue',
  description: 'The devices as last told by the catalogue file; the history is the table versions.',
  columns: [
    { name: 'tenant_id', type: 'string', required: true, description: 'Home that the device belongs to.' },
    { name: 'device_id', type: 'string', required: true, description: 'Device.' },
    { name: 'device_type', type: 'string', description: 'Kind of device.' },
    { name: 'user_id', type: 'string', description: 'Owner.' },
    { name: 'location', type: 'string', description: 'Where the device stands.' },
    { name: 'installation_date', type: 'date', description: 'When it was installed.' },
    { name: 'manufacturer', type: 'string', description: 'Who made it.' },
    { name: 'model', type: 'string', description: 'Model.' },
    { name: 'rated_power_w', type: 'double', description: 'Rated power, W.' },
    { name: 'expected_interval_s', type: 'double', description: 'Expected seconds between readings.' },
    {
      name: 'energy_source',
      type: 'string',
      description: 'counter, reported or integrated, fixed by a person; null: found by the rules.',
    },
    { name: 'parent_device_id', type: 'string', description: 'Meter that this device lies behind.' },
    { name: 'name', type: 'string', description: 'What people call it.' },
    {
      name: 'origin',
      type: 'string',
      description: 'Who told of it: `file` (the catalogue file), `person`, or `discovered` by its messages.',
    },
    { name: 'protocol', type: 'string', description: 'Protocol that it speaks, where it was discovered.' },
    {
      name: 'merged_into',
      type: 'string',
      description: "The device that this one is the same as: all of its readings are that one's.",
    },
    { name: 'retired_on', type: 'date', description: 'When it was taken out of use.' },
  ],
  partitionBy: [],
  sortBy: ['tenant_id', 'device_id'],
  key: ['tenant_id', 'device_id'],
}

export const REFERENCE_DEVICES: TableDefinition = {
  name: 'reference.devices',
  description: 'What a person has said of devices by command; each field wins over what was discovered.',
  columns: [
    { name: 'tenant_id', type: 'string', required: true, description: 'Home that the device belongs to.' },
    { name: 'device_id', type: 'string', required: true, description: 'Device.' },
    { name: 'name', type: 'string', description: 'What people call it.' },
    { name: 'device_type', type: 'string', description: 'Kind of device.' },
    { name: 'user_id', type: 'string', description: 'Owner.' },
    { name: 'location', type: 'string', description: 'Where the device stands.' },
    { name: 'merged_into', type: 'string', description: 'The device that this one is the same as.' },
    { name: 'retired_on', type: 'date', description: 'When it was taken out of use.' },
  ],
  partitionBy: [],
  sortBy: ['tenant_id', 'device_id'],
  key: ['tenant_id', 'device_id'],
}

export const REFERENCE_TARIFFS: TableDefinition = {
  name: 'reference.tariffs',
  description: 'Prices of energy: one row per user and tariff band, valid from a local date on.',
  columns: [
    {
      name: 'tariff_version',
      type: 'long',
      required: true,
      description: 'Grows with each change; a price that stays keeps its own.',
    },
    { name: 'tenant_id', type: 'string', description: 'Home; null: every home.' },
    { name: 'user_id', type: 'string', description: 'User; null: every user.' },
    { name: 'valid_from', type: 'date', required: true, description: 'First local date on which it holds.' },
    {
      name: 'valid_to',
      type: 'date',
      description: 'First local date on which it holds no more; null: open.',
    },
    {
      name: 'band',
      type: 'string',
      required: true,
      description: 'Name of the band; flat where there is one.',
    },
    {
      name: 'weekdays',
      type: 'string',
      required: true,
      description: 'ISO weekdays in which the band holds, for example 12345.',
    },
    {
      name: 'hour_from',
      type: 'integer',
      required: true,
      description: 'First local hour of the band, 0–23.',
    },
    {
      name: 'hour_to',
      type: 'integer',
      required: true,
      description: 'First local hour after the band, 1–24.',
    },
    { name: 'energy_rate_kwh', type: 'decimal(18,9)', required: true, description: 'Price per kWh.' },
    {
      name: 'base_charge_month',
      type: 'decimal(18,9)',
      required: true,
      description: 'Base charge per month; on bills only.',
    },
    { name: 'currency', type: 'string', required: true, description: 'ISO 4217 code.' },
  ],
  partitionBy: [],
  sortBy: ['tariff_version', 'valid_from'],
  key: ['tenant_id', 'user_id', 'valid_from', 'band', 'weekdays', 'hour_from'],
}

export const REFERENCE_SETTINGS: TableDefinition = {
  name: 'reference.settings',
  description:
    'What else figures depend on: the time zone, the late watermark, the format version of the folder.',
  columns: [
    {
      name: 'name',
      type: 'string',
      required: true,
      description: 'time_zone, late_watermark_hours, format_version, …',
    },
    { name: 'value', type: 'string', required: true, description: 'Its value, as text.' },
  ],
  partitionBy: [],
  sortBy: ['name'],
  key: ['name'],
}

export const REFERENCE_TABLES = [
  REFERENCE_CATALOGUE,
  REFERENCE_DEVICES,
  REFERENCE_TARIFFS,
  REFERENCE_SETTINGS,
] as const
