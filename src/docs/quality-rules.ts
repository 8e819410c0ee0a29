/** docs/quality-rules.md, made from the table of the rules. */
import {
  DEFAULT_LIMITS,
  OTHER_CONSTANTS,
  RULES,
  TYPE_LIMITS,
  type Rule,
  type RuleKind,
} from '../4-silver/rules.ts'

const KINDS: Readonly<Record<RuleKind, string>> = {
  null: '## The field becomes null\n\nThe reading stays, and `quality_reasons` has `<rule>:<field>`. A field gets one of them, the first that holds.',
  reject:
    '## The arrival is rejected\n\nIt goes to `silver.rejects`, whole and as received, with the first of these as `reject_reason`. The limits are inclusive.',
  penalty:
    '## Points are taken\n\n`quality_score` = (100 − points) / 100, at least 0; `quality_reasons` has the rule.',
  energy: '## Something is said of the energy\n\n`quality_reasons` has the rule; it takes no points.',
  alert:
    "## An alert is raised\n\n`threshold_alerts` has the rule, beside the device's own in `alert`. It takes no points, and health counts the device's own alerts.",
}

/** The whole page. */
export function rulesPage(): string {
  const rules: readonly Rule[] = RULES
  const sections = Object.entries(KINDS).map(([kind, head]) =>
    [head, '', ...ruleTable(rules.filter((rule) => rule.kind === kind))].join('\n'),
  )
  return `${[INTRODUCTION, ...sections, limits(), others(), CHANGES].join('\n\n')}\n`
}

const INTRODUCTION = `# Quality rules

Written from \`src/4-silver/rules.ts\` by \`npm run docs\`. How the rules are applied
exactly stands in [decision 2](decisions/0002-readings-and-energy-made-exact.md); which are in force on a data folder, \`smarthouse rules\` says.`

function ruleTable(rules: readonly Rule[]): string[] {
  return [
    '| rule | when | takes, limit | can be switched off |',
    '|---|---|---|---|',
    ...rules.map(
      ({ name, when, points, limit, unit, switchable }) =>
        `| \`${name}\` | ${when} | ${points === undefined ? '' : `${points} points`}${limit === undefined ? '' : `${limit} ${unit}`} | ${switchable ? 'yes' : ''} |`,
    ),
  ]
}

function limits(): string {
  const rows = Object.entries({ 'every other': DEFAULT_LIMITS, ...TYPE_LIMITS }).map(
    ([type, l]) =>
      `| ${type} | ${l.powerMinW} … ${l.powerMaxW} | ${l.temperatureMinC} … ${l.temperatureMaxC} | ${l.ratedPowerW ?? 'not known'} | ${l.powerUpSentinel ? 'yes' : 'no'} |`,
  )
  return [
    '## Limits by type',
    '',
    '| device_type | power, W | temperature, °C | rated power, W | `power_up` |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

function others(): string {
  return [
    '## What else is fixed',
    '',
    ...Object.entries(OTHER_CONSTANTS).map(([what, value]) => `- ${what}: ${value}`),
  ].join('\n')
}

const CHANGES = `## Other rules for a kind of device

    rules:
      - { rule: temperature_unusual, device_type: boiler, enabled: false }
      - { rule: unknown_location, points: 5 }
      - { rule: low_temperature, device_type: freezer, limit: -30 }

in the configuration, then \`smarthouse rules apply\`: all readings of the devices concerned are refined again. A rule of a type is
preferred to one of every type. \`alerts.high_temperature_c\`, \`low_temperature_c\` and \`high_power_w\` are the limits of the alerts of
every type. A range that is switched off still ends at ±10⁹ W and ±10⁶ °C, beyond which sums do not fit their integers; what of a
counter is plausible stays with the type's published limit.`
