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
    { name: 'parent_device_id', type: 'string', description: 'Meter that this device lies behind.' },
    { name: 'expected_interval_s', type: 'double', description: 'Expected seconds between readings.' },
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
    {
      name: 'season_from',
      type: 'integer',
      description: 'First day of the year of the band, month × 100 + day; null: it holds all year.',
    },
    {
      name: 'season_to',
      type: 'integer',
      description: 'First day of the year after the band, month × 100 + day; 1300: after the last one.',
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
  key: ['tenant_id', 'user_id', 'valid_from', 'band', 'weekdays', 'hour_from', 'season_from'],
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

export const REFERENCE_PERIODS: TableDefinition = {
  name: 'reference.catalogue_periods',
  description:
    'What a device was from when to when, for devices of which the catalogue file says that; it replaces those columns of reference.catalogue.',
  columns: [
    { name: 'tenant_id', type: 'string', required: true, description: 'Home that the device belongs to.' },
    { name: 'device_id', type: 'string', required: true, description: 'Device.' },
    { name: 'valid_from', type: 'timestamp', required: true, description: 'When it begins to hold.' },
    { name: 'valid_to', type: 'timestamp', description: 'When it holds no more; null: open.' },
    { name: 'device_type', type: 'string', description: 'Kind of device.' },
    { name: 'user_id', type: 'string', description: 'Owner.' },
    { name: 'location', type: 'string', description: 'Where the device stands.' },
    { name: 'installation_date', type: 'date', description: 'When it was installed.' },
    { name: 'manufacturer', type: 'string', description: 'Who made it.' },
    { name: 'model', type: 'string', description: 'Model.' },
  ],
  partitionBy: [],
  sortBy: ['tenant_id', 'device_id', 'valid_from'],
  key: ['tenant_id', 'device_id', 'valid_from'],
}

export const REFERENCE_RULES: TableDefinition = {
  name: 'reference.rules',
  description:
    'Where the quality rules in force differ from the published table (docs/quality-rules.md): switched off, or with other points or another limit.',
  columns: [
    { name: 'rule', type: 'string', required: true, description: 'Rule, as quality_reasons names it.' },
    { name: 'device_type', type: 'string', required: true, description: 'Kind of device; *: every one.' },
    { name: 'enabled', type: 'boolean', required: true, description: 'Whether it is looked at.' },
    { name: 'points', type: 'integer', description: 'Points of 100 that it takes; null: as published.' },
    { name: 'limit', type: 'double', description: 'Threshold of an alert, °C or W; null: as published.' },
  ],
  partitionBy: [],
  sortBy: ['rule', 'device_type'],
  key: ['rule', 'device_type'],
}

export const REFERENCE_CORRECTIONS: TableDefinition = {
  name: 'reference.corrections',
  description:
    'What people have said of readings that the rules let through. Only added to: a correction is undone by a further record.',
  columns: [
    { name: 'correction_id', type: 'long', required: true, description: 'Number of the record, from 1 on.' },
    { name: 'recorded_at', type: 'timestamp', required: true, description: 'When it was recorded.' },
    { name: 'recorded_by', type: 'string', required: true, description: 'Who recorded it.' },
    { name: 'reason', type: 'string', required: true, description: 'Why.' },
    { name: 'tenant_id', type: 'string', required: true, description: 'Home of the device.' },
    { name: 'device_id', type: 'string', required: true, description: 'Device.' },
    { name: 'channel', type: 'string', description: 'Endpoint; null: every one of the device.' },
    {
      name: 'from_time',
      type: 'timestamp',
      required: true,
      description: 'First event time that it concerns.',
    },
    { name: 'to_time', type: 'timestamp', required: true, description: 'Last event time that it concerns.' },
    { name: 'action', type: 'string', required: true, description: 'exclude, set or undo.' },
    { name: 'field', type: 'string', description: 'set: the measured field.' },
    { name: 'value', type: 'double', description: "set: its value, in the field's unit; null: none." },
    { name: 'undoes', type: 'long', description: 'undo: the correction that is taken back.' },
  ],
  partitionBy: [],
  sortBy: ['correction_id'],
  key: ['correction_id'],
  properties: { 'delta.appendOnly': 'true' },
}

export const REFERENCE_TABLES = [
  REFERENCE_CATALOGUE,
  REFERENCE_PERIODS,
  REFERENCE_DEVICES,
  REFERENCE_TARIFFS,
  REFERENCE_SETTINGS,
  REFERENCE_RULES,
  REFERENCE_CORRECTIONS,
] as const
