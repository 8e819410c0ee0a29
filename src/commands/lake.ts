import { PlatformError } from '../errors.ts'
import { LakeError } from '../lake/errors.ts'
import { openLakeAlone, openSettings, type Warehouse } from '../main.ts'
import { nearest, requireDurationMs } from '../units.ts'
import {
  COMMON_OPTIONS,
  JSON_OPTION,
  refuseForeign,
  wholeNumber,
  type Arguments,
  type Command,
} from './command.ts'
import { check, FOUND, history, limitOf, status, type Outcome } from './lake-state.ts'
import { asJson } from './rows.ts'
import { requireTables } from './sql.ts'

interface Action {
  /** How many tables it takes: `all` is every table of the lake where none is named. */
  tables: 'none' | 'one' | 'all'
  /** Those of the command's options that mean something to it. */
  options: readonly string[]
  run(warehouse: Warehouse, tables: readonly string[], args: Arguments, stop: AbortSignal): Promise<Outcome>
}

const LEAST_AGE_MS = 3_600_000

const ACTIONS: Readonly<Record<string, Action>> = {
  status: { tables: 'none', options: [], run: status },
  history: { tables: 'one', options: ['limit'], run: history },
  check: { tables: 'all', options: ['repair'], run: check },
  optimize: { tables: 'all', options: [], run: optimize },
  vacuum: { tables: 'all', options: ['older-than', 'dry-run'], run: vacuum },
  clean: { tables: 'all', options: ['dry-run'], run: clean },
  retain: { tables: 'one', options: ['days', 'dry-run'], run: retain },
}

export const LAKE: Command = {
  name: 'lake',
  summary: 'look after the tables: status, history, check, optimize, vacuum, clean, retain',
  positional: `${Object.keys(ACTIONS).join('|')} [TABLE…]`,
  options: {
    ...COMMON_OPTIONS,
    limit: { value: 'N', description: 'history: so many newest versions; default: all' },
    repair: { description: 'check: move a torn newest log entry aside, so that writing goes on' },
    'older-than': {
      value: 'DURATION',
      description:
        'vacuum: files that left the table longer ago; at least 1h; default: what the table says, else 7d',
    },
    days: {
      value: 'N|all',
      description:
        'retain: keep the newest N whole dates (UTC) from now on, recorded in the table; all: for ever',
    },
    'dry-run': { description: 'vacuum, clean, retain: say what would go, and change nothing' },
    ...JSON_OPTION,
  },
  examples: [
    'smarthouse lake status --json',
    'smarthouse lake history silver.readings --limit 10',
    'smarthouse lake check --repair',
    'smarthouse lake vacuum --dry-run',
    'smarthouse lake retain bronze.telemetry --days 400',
  ],
  exitCodes: {
    130: 'interrupted between two tables; what was done stays',
    [FOUND]: 'check found something, or a table is damaged or cannot be read: the others were looked after',
  },
  async run(args, stop) {
    const [name = '', ...named] = args.positionals
    const action = actionOf(name, named, args)
    const warehouse = await openLakeAlone(openSettings(args))
    try {
      const known = await warehouse.lake.tables()
      requireTables(named, known)
      const tables = named.length > 0 || action.tables !== 'all' ? named : known
      const { json, text, exit = 0 } = await action.run(warehouse, tables, args, stop)
      process.stdout.write(args.flag('json') ? asJson(json) : text)
      return stop.aborted ? 130 : exit
    } finally {
      await warehouse.close()
    }
  },
}

/** The action that the words name; refuses tables and options that it does not take. */
function actionOf(name: string, named: readonly string[], args: Arguments): Action {
  if (!Object.hasOwn(ACTIONS, name)) {
    const guess = nearest(name, Object.keys(ACTIONS))
    throw new PlatformError(
      'usage',
      name === '' ? 'lake takes an action' : `lake has no action "${name}"`,
      guess ? `Did you mean smarthouse lake ${guess}?` : 'See smarthouse lake --help.',
    )
  }
  const action = ACTIONS[name]!
  const right = { none: named.length === 0, one: named.length === 1, all: true }[action.tables]
  if (!right)
    throw new PlatformError(
      'usage',
      `lake ${name} takes ${action.tables === 'one' ? 'one table' : 'no table'}`,
      `Write smarthouse lake ${name}${action.tables === 'one' ? ' silver.readings' : ''}.`,
    )
  refuseForeign(LAKE, name, args, action.options)
  // What is written wrong is refused before anything is opened.
  olderThanMs(args)
  retentionDays(args)
  limitOf(args)
  return action
}

async function optimize(
  { lake, engine }: Warehouse,
  tables: readonly string[],
  _args: Arguments,
  stop: AbortSignal,
): Promise<Outcome> {
  const { compactTable } = await import('../lake/index.ts')
  const { done, broken } = await ofEach(tables, stop, (table) => compactTable({ lake, engine, table }))
  const lines = done.map(
    ({ table, outcome: { merged, written } }) => `${table}: ${merged} files merged into ${written}\n`,
  )
  const json = { tables: [...done.map(({ table, outcome }) => ({ table, ...outcome })), ...broken] }
  return { json, text: lines.join('') + wrongOf(broken), exit: broken.length > 0 ? FOUND : 0 }
}

interface Broken {
  table: string
  error: string
}

/** A table that is damaged, or cannot be read, keeps no other from its turn. Ctrl-C is heeded between two. */
async function ofEach<T>(tables: readonly string[], stop: AbortSignal, work: (table: string) => Promise<T>) {
  const done: { table: string; outcome: T }[] = []
  const broken: Broken[] = []
  for (const table of tables) {
    if (stop.aborted) break
    try {
      done.push({ table, outcome: await work(table) })
    } catch (error) {
      if (!(error instanceof LakeError) || error.code === 'usage') throw error
      broken.push({ table, error: error.message })
    }
  }
  return { done, broken }
}

function wrongOf(broken: readonly Broken[]): string {
  return broken.map(({ table, error }) => `WRONG ${table}: ${error}\n`).join('')
}

async function vacuum(
  { lake }: Warehouse,
  tables: readonly string[],
  args: Arguments,
  stop: AbortSignal,
): Promise<Outcome> {
  const options = { dryRun: args.flag('dry-run'), ...olderThanMs(args) }
  return await deletions(tables, args, stop, (table) => lake.vacuum(table, options))
}

function olderThanMs(args: Arguments): { olderThanMs?: number } {
  const age = args.text('older-than')
  if (age === undefined) return {}
  const ms = requireDurationMs('--older-than', age)
  if (ms < LEAST_AGE_MS)
    throw new PlatformError(
      'usage',
      `--older-than ${age} is less than an hour: such files may belong to a writer that is about to commit`,
      'Write --older-than 1h or more.',
    )
  return { olderThanMs: ms }
}

/** Null: all of them; undefined: nothing is said. */
function retentionDays(args: Arguments): number | null | undefined {
  const text = args.text('days')
  return text === undefined ? text : text === 'all' ? null : wholeNumber('--days', text, 1, 100_000)
}

async function clean(
  { lake }: Warehouse,
  tables: readonly string[],
  args: Arguments,
  stop: AbortSignal,
): Promise<Outcome> {
  const dryRun = args.flag('dry-run')
  return await deletions(tables, args, stop, (table) => lake.cleanUpLog(table, { dryRun }))
}

async function deletions(
  tables: readonly string[],
  args: Arguments,
  stop: AbortSignal,
  filesOf: (table: string) => Promise<string[]>,
): Promise<Outcome> {
  const { done, broken } = await ofEach(tables, stop, filesOf)
  const said = args.flag('dry-run') ? 'would be deleted' : 'deleted'
  const lines = done.map(({ table, outcome }) => `${table}: ${outcome.length} files ${said}\n`)
  const named = args.flag('dry-run')
    ? done.flatMap(({ table, outcome }) => outcome.map((file) => `  ${table}/${file}\n`))
    : []
  const each = [...done.map(({ table, outcome }) => ({ table, files: outcome })), ...broken]
  return {
    json: { dryRun: args.flag('dry-run'), tables: each },
    text: [...lines, ...named].join('') + wrongOf(broken),
    exit: broken.length > 0 ? FOUND : 0,
  }
}

async function retain(
  { lake }: Warehouse,
  [table = '']: readonly string[],
  args: Arguments,
): Promise<Outcome> {
  const days = retentionDays(args)
  const dryRun = args.flag('dry-run')
  if (dryRun && days !== undefined)
    throw new PlatformError(
      'usage',
      '--dry-run changes nothing, so it cannot record --days',
      'Leave one of them out; without --days it shows what goes by what the table says.',
    )
  const { columns, partitionBy } = await lake.snapshot(table)
  if (
    typeof days === 'number' &&
    !columns.some(({ name, type }) => type === 'date' && partitionBy.includes(name))
  )
    throw new PlatformError('usage', `${table} is not partitioned by a date`, 'Its rows are all kept.')
  if (days !== undefined)
    await lake.setProperties(table, { 'lake.retentionDays': days === null ? null : String(days) })
  const files = (await lake.retain(table, { dryRun })).map(({ path }) => path)
  const kept = (await lake.snapshot(table)).properties['lake.retentionDays']
  const lines = [
    kept === undefined ? `${table} keeps everything\n` : `${table} keeps the newest ${kept} dates\n`,
    `${files.length} files ${dryRun ? 'would leave' : 'left'} the table; vacuum deletes them later\n`,
    'What was made from them stays, until a rebuild: that makes a layer from what is left alone.\n',
  ]
  return {
    json: { table, retentionDays: kept === undefined ? null : Number(kept), dryRun, files },
    text: (kept === undefined ? lines.slice(0, 1) : lines).join(''),
  }
}
