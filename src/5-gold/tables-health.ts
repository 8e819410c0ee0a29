import type { TableDefinition } from '../lake/types.ts'
import { DEVICE, LOCAL_DATE, LOCAL_MONTH, TENANT } from './columns.ts'

export const GOLD_HEALTH: TableDefinition = {
  name: 'gold.device_health_metrics',
  description:
    'Health of one device on one local day. The failure probability is a rule-based risk, not a calibrated model.',
  columns: [
    TENANT,
    DEVICE,
    LOCAL_DATE,
    {
      name: 'health_score',
      type: 'decimal(9,6)',
      description:
        '0–1: 0.4 × mean quality + 0.3 × valid share + 0.2 × (1 − late share) + 0.1 × (1 − min(episodes per hour / 10, 1)).',
    },
    {
      name: 'failure_probability',
      type: 'decimal(9,6)',
      description:
        '0–1: 0.7 × (1 − health) + episodes per hour / 20 + 0.3 × late share, at most 1; a rule-based risk.',
    },
    {
      name: 'data_reliability',
      type: 'decimal(9,6)',
      description: '0–1: 0.6 × valid share + 0.4 × (1 − late share).',
    },
    {
      name: 'mean_quality_score',
      type: 'decimal(9,6)',
      required: true,
      description: 'Mean of the quality scores; 0 on a day with rejects only.',
    },
    {
      name: 'valid_share',
      type: 'decimal(9,6)',
      required: true,
      description: 'Valid rows / (rows + rejects that name the device).',
    },
    {
      name: 'late_share',
      type: 'decimal(9,6)',
      required: true,
      description: 'Late rows / rows; 0 on a day with rejects only.',
    },
    { name: 'alert_count', type: 'long', description: 'Readings with an alert.' },
    {
      name: 'alert_episodes',
      type: 'long',
      description: 'Alerts that began: after none, or after another alert; per channel.',
    },
    {
      name: 'uptime_percentage',
      type: 'decimal(9,6)',
      description:
        'Intervals with a reading that is not offline / expected intervals of the whole local day, 0–100.',
    },
    { name: 'mtbf_hours', type: 'double', description: 'Hours reporting / outages; null without an outage.' },
    { name: 'reading_count', type: 'long', description: 'Readings of the day.' },
    {
      name: 'quality_sum',
      type: 'decimal(38,6)',
      description: 'Sum of the quality scores, from which means over several devices are made.',
    },
    LOCAL_MONTH,
  ],
  partitionBy: ['month'],
  sortBy: ['tenant_id', 'date', 'device_id'],
  key: ['tenant_id', 'device_id', 'date'],
}

export const GOLD_SUMMARY: TableDefinition = {
  name: 'gold.daily_business_summary',
  description:
    'One home, one local day. Totals sum the devices without a parent and leave out solar and battery.',
  columns: [
    TENANT,
    LOCAL_DATE,
    { name: 'total_energy_wh', type: 'decimal(38,9)', description: 'Energy used, Wh.' },
    { name: 'total_energy_kwh', type: 'decimal(38,9)', description: 'Energy used, kWh.' },
    {
      name: 'total_cost',
      type: 'decimal(38,9)',
      description: "Cost of the energy, in the house's currency.",
    },
    {
      name: 'cost_per_kwh',
      type: 'double',
      description: 'total_cost / total_energy_kwh; null without energy.',
    },
    {
      name: 'active_devices',
      type: 'long',
      required: true,
      description: 'Devices with a reading on the day.',
    },
    { name: 'active_users', type: 'long', required: true, description: 'Owners of those devices.' },
    { name: 'mean_data_quality', type: 'decimal(9,6)', description: 'Mean quality score of the rows.' },
    { name: 'data_points', type: 'long', required: true, description: 'Readings of the day.' },
    { name: 'mean_health_score', type: 'decimal(9,6)', description: 'Mean health of the devices.' },
    {
      name: 'mean_failure_probability',
      type: 'decimal(9,6)',
      description: 'Mean rule-based failure risk of the devices.',
    },
    { name: 'alert_count', type: 'long', required: true, description: 'Readings with an alert.' },
    {
      name: 'untracked_energy_wh',
      type: 'decimal(38,9)',
      description:
        'Energy of parents minus their direct children, over quarter-hours in which the parent has energy, Wh; null without parents.',
    },
    LOCAL_MONTH,
  ],
  partitionBy: ['month'],
  sortBy: ['tenant_id', 'date'],
  key: ['tenant_id', 'date'],
}
