/** The rules that the configuration asks for, held against those in force. */
import { RULES, type Rule } from '../4-silver/rules.ts'
import { SILVER_READINGS } from '../4-silver/tables.ts'
import { BRONZE_TELEMETRY } from '../3-bronze/tables.ts'
import type { Config } from '../config.ts'
import { PlatformError } from '../errors.ts'
import type { Warehouse } from '../main.ts'
import { readRules, recordRules, type RuleRow } from '../reference/sync.ts'
import { nearest } from '../units.ts'

/** Alerts of the configuration that are rules of Silver too. */
const THRESHOLDS = {
  high_temperature: 'high_temperature_c',
  low_temperature: 'low_temperature_c',
  high_power: 'high_power_w',
} as const

const KNOWN: readonly Rule[] = RULES

/** The rows of `reference.rules` that the configuration asks for. Throws `config_invalid`. */
export function rulesAskedFor(config: Config): RuleRow[] {
  const rows = config.rules.map((asked): RuleRow => {
    const { rule: name, device_type: type, enabled, points = null, limit = null } = asked
    const rule = KNOWN.find((known) => known.name === name)
    if (rule === undefined) {
      const guess = nearest(
        name,
        KNOWN.map((known) => known.name),
      )
      throw invalid(
        `there is no rule "${name}"`,
        guess ? `Did you mean ${guess}?` : 'docs/quality-rules.md names the rules.',
      )
    }
    if (!enabled && !rule.switchable)
      throw invalid(
        `the rule ${name} cannot be switched off`,
        'What can be, docs/quality-rules.md says; the others keep readings in a form that can be counted.',
      )
    if (points !== null && rule.kind !== 'penalty')
      throw invalid(`the rule ${name} takes no points`, 'Give points to penalties only.')
    if (limit !== null && rule.kind !== 'alert')
      throw invalid(`the rule ${name} has no limit`, 'Give limits to alerts only.')
    return { rule: name, device_type: type, enabled, points, limit }
  })
  const keys = rows.map(({ rule, device_type: type }) => `${rule} of ${type}`)
  const twice = keys.find((key, index) => keys.indexOf(key) !== index)
  if (twice !== undefined)
    throw invalid(`${twice} stands twice`, 'Write each rule once for each device type.')
  for (const [rule, key] of Object.entries(THRESHOLDS)) {
    const limit = config.alerts[key]
    const published = KNOWN.find(({ name }) => name === rule)?.limit
    const own = rows.find((row) => row.rule === rule && row.device_type === '*')
    if (own !== undefined) own.limit ??= limit
    else if (limit !== published) rows.push({ rule, device_type: '*', enabled: true, points: null, limit })
  }
  return rows.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1))
}

const invalid = (problem: string, cure: string): PlatformError =>
  new PlatformError('config_invalid', `rules: ${problem}`, cure)

export const textOf = ({ rule, device_type: type, enabled, points, limit }: RuleRow): string =>
  [
    `${rule} of ${type === '*' ? 'every type' : type}`,
    enabled ? null : 'off',
    points === null ? null : `${points} points`,
    limit === null ? null : `limit ${limit}`,
  ]
    .filter((part) => part !== null)
    .join(' ')

/** What is asked for and not in force (`+`), or in force and not asked for (`-`). */
export function differing(asked: readonly RuleRow[], inForce: readonly RuleRow[]): string[] {
  const [want, have] = [new Set(asked.map(textOf)), new Set(inForce.map(textOf))]
  return [
    ...[...want].filter((text) => !have.has(text)).map((text) => `+ ${text}`),
    ...[...have].filter((text) => !want.has(text)).map((text) => `- ${text}`),
  ]
}

/**
 * Puts the rules in force while there is no row that they could concern; later a difference is said, since all that it
 * concerns has to be refined again, which `smarthouse rules apply` does.
 */
export async function recordFirstRules(
  config: Config,
  { lake, engine }: Warehouse,
  say: (line: string) => void,
): Promise<void> {
  const asked = rulesAskedFor(config)
  const different = differing(asked, (await readRules(lake, engine)).value)
  if (different.length === 0) return
  const { txns } = await lake.snapshot(SILVER_READINGS.name)
  if (txns.has(BRONZE_TELEMETRY.name))
    say(
      `The quality rules of the configuration are not in force (${different.join(', ')}): smarthouse rules apply puts them in force and refines again what they concern.`,
    )
  else await recordRules(lake, engine, asked)
}
