import { RULES, type Rule } from '../4-silver/rules.ts'
import { PlatformError } from '../errors.ts'
import { openSettings, openWarehouse } from '../main.ts'
import { readRules, recordRules, type RuleRow } from '../reference/sync.ts'
import { differing, rulesAskedFor, textOf } from '../run/rules.ts'
import { workOff } from '../run/work-off.ts'
import { COMMON_OPTIONS, JSON_OPTION, type Command } from './command.ts'
import { asTable } from './rows.ts'

export const RULES_COMMAND: Command = {
  name: 'rules',
  summary: 'the quality rules in force; put those of the configuration in force',
  positional: '[apply]',
  options: {
    ...COMMON_OPTIONS,
    ...JSON_OPTION,
  },
  examples: ['smarthouse rules', 'smarthouse rules apply', 'smarthouse rules --json'],
  async run(args, stop) {
    const [action, ...others] = args.positionals
    if ((action !== undefined && action !== 'apply') || others.length > 0)
      throw new PlatformError(
        'usage',
        `rules takes nothing or apply, not "${action}"`,
        'Write smarthouse rules apply.',
      )
    const settings = openSettings(args)
    const asked = rulesAskedFor(settings.config)
    const warehouse = await openWarehouse(settings)
    try {
      const { lake, engine } = warehouse
      const inForce = (await readRules(lake, engine)).value
      const different = differing(asked, inForce)
      if (action === undefined) {
        print(inForce, different, args.flag('json'))
        return 0
      }
      if (different.length > 0) await recordRules(lake, engine, asked)
      for (const line of different) console.log(line)
      const say = (line: string): void => console.log(line)
      // Also where they are in force already: who said so before may have been interrupted before anything was refined again.
      const done = await workOff(settings, warehouse, stop, say)
      if (stop.aborted) {
        console.log('Stopped. The rules are in force; say it again to refine the rest of what they concern.')
        return 130
      }
      if (different.length === 0) console.log('The rules of the configuration are in force already.')
      else if (done) console.log('The rules are in force, and what they concern is refined again.')
      else console.log('The rules are in force; the platform that runs refines again what they concern.')
      return 0
    } finally {
      await warehouse.close()
    }
  },
}

function print(inForce: readonly RuleRow[], different: readonly string[], json: boolean): void {
  const known: readonly Rule[] = RULES
  const rows = known.map((rule) => ({
    rule: rule.name,
    kind: rule.kind,
    points: rule.points ?? null,
    limit: rule.limit === undefined ? null : `${rule.limit} ${rule.unit}`,
    changed: inForce
      .filter((row) => row.rule === rule.name)
      .map((row) => textOf(row).slice(rule.name.length + 1))
      .join('; '),
  }))
  if (json) {
    console.log(JSON.stringify({ rules: known, changed: inForce, configuration_differs: different }, null, 2))
    return
  }
  process.stdout.write(asTable(rows))
  if (different.length === 0) return
  console.log('The configuration asks for others; smarthouse rules apply puts them in force:')
  for (const line of different) console.log(`  ${line}`)
}
