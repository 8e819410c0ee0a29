/** The published rules with what the configuration switches, weighs and limits otherwise: the table `type_limits`. */
import {
  DEFAULT_LIMITS,
  limitsOf,
  PLAUSIBLE_FLOOR_W,
  RULES,
  TYPE_LIMITS,
  type Rule,
  type RuleName,
} from './rules.ts'

/** One way in which a rule differs from the published one; a row of `reference.rules`. */
export interface RuleChange {
  rule: string
  /** `*`: every type that no other row names for this rule. */
  device_type: string
  enabled: boolean
  /** null: as published. */
  points: number | null
  limit: number | null
}

/** Values that every integer form can hold, but no rule lets through by default: the limits of a range that is switched off. */
const WIDEST = { powerW: 1e9, temperatureC: 1e6 }

/** A threshold that nothing reaches: that of an alert that is switched off. */
const NEVER = 1e300

/** The columns of `type_limits`; `*` stands for every type that has no row. Points below 0: the rule is off. */
export interface TypeRow {
  device_type: string
  power_min_w: number
  power_max_w: number
  temperature_min_c: number
  temperature_max_c: number
  rated_power_w: number | null
  plausible_w: number
  sentinel: boolean
  power_up_sentinel: boolean
  negative_energy: boolean
  points_location: number
  points_manufacturer: number
  points_model: number
  points_temperature: number
  points_power: number
  high_temperature_c: number
  low_temperature_c: number
  high_power_w: number
}

/** One row for every type that has limits or rules of its own, and `*`. */
export function typeRows(changes: readonly RuleChange[]): TypeRow[] {
  const types = new Set(['*', ...Object.keys(TYPE_LIMITS), ...changes.map((change) => change.device_type)])
  return [...types].toSorted().map((type) => typeRow(type, changes))
}

function typeRow(type: string, changes: readonly RuleChange[]): TypeRow {
  const limits = type === '*' ? DEFAULT_LIMITS : limitsOf(type)
  const change = (rule: RuleName): RuleChange | undefined =>
    changes.find((row) => row.rule === rule && row.device_type === type) ??
    changes.find((row) => row.rule === rule && row.device_type === '*')
  const isOn = (rule: RuleName): boolean => change(rule)?.enabled ?? true
  const published = (rule: RuleName): Rule => RULES.find(({ name }) => name === rule)!
  const points = (rule: RuleName): number =>
    isOn(rule) ? (change(rule)?.points ?? published(rule).points ?? 0) : -1
  const limit = (rule: RuleName): number => change(rule)?.limit ?? published(rule).limit ?? 0
  const powerOn = isOn('power_out_of_range')
  const temperatureOn = isOn('temperature_out_of_range')
  return {
    device_type: type,
    power_min_w: powerOn ? limits.powerMinW : -WIDEST.powerW,
    power_max_w: powerOn ? limits.powerMaxW : WIDEST.powerW,
    temperature_min_c: temperatureOn ? limits.temperatureMinC : -WIDEST.temperatureC,
    temperature_max_c: temperatureOn ? limits.temperatureMaxC : WIDEST.temperatureC,
    rated_power_w: limits.ratedPowerW,
    plausible_w: Math.max(limits.powerMaxW, PLAUSIBLE_FLOOR_W),
    sentinel: isOn('sentinel'),
    power_up_sentinel: limits.powerUpSentinel && isOn('power_up'),
    negative_energy: isOn('negative_energy'),
    points_location: points('unknown_location'),
    points_manufacturer: points('unknown_manufacturer'),
    points_model: points('unknown_model'),
    points_temperature: points('temperature_unusual'),
    points_power: points('power_high'),
    high_temperature_c: isOn('high_temperature') ? limit('high_temperature') : NEVER,
    low_temperature_c: isOn('low_temperature') ? limit('low_temperature') : -NEVER,
    high_power_w: isOn('high_power') ? limit('high_power') : NEVER,
  }
}

/** The rows as one SELECT that our engine and Spark understand. */
export function typeRowsSql(rows: readonly TypeRow[]): string {
  const value = (name: string, item: string | number | boolean | null): string => {
    if (typeof item === 'string') return `'${item.replaceAll("'", "''")}'`
    if (typeof item === 'boolean') return String(item)
    return `CAST(${item ?? 'NULL'} AS ${name.startsWith('points_') ? 'INT' : 'DOUBLE'})`
  }
  return rows
    .map(
      (row) =>
        `SELECT ${Object.entries(row)
          .map(([name, item]) => `${value(name, item)} AS ${name}`)
          .join(', ')}`,
    )
    .join(' UNION ALL ')
}

/** The types for which rules differ; `*` among them: any type may be concerned that has no row. */
export function typesThatDiffer(before: readonly RuleChange[], now: readonly RuleChange[]): string[] {
  const types = new Set([...typeRows(before), ...typeRows(now)].map((row) => row.device_type))
  const text = (changes: readonly RuleChange[], type: string): string =>
    JSON.stringify(typeRow(type, changes))
  return [...types].filter((type) => text(before, type) !== text(now, type))
}
