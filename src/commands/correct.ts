import { userInfo } from 'node:os'
import { SILVER_READINGS, SILVER_REJECTS } from '../4-silver/tables.ts'
import { PlatformError } from '../errors.ts'
import { openSettings, openWarehouse, type Warehouse } from '../main.ts'
import { DEFAULT_TENANT } from '../reading.ts'
import {
  CORRECTABLE,
  readCorrections,
  recordCorrections,
  undoneBy,
  type Correctable,
  type Correction,
  type CorrectionDraft,
} from '../reference/corrections.ts'
import { workOff } from '../run/work-off.ts'
import { nearest } from '../units.ts'
import { COMMON_OPTIONS, JSON_OPTION, wholeNumber, type Arguments, type Command } from './command.ts'
import { asTable } from './rows.ts'

export const CORRECT: Command = {
  name: 'correct',
  summary:
    'exclude readings that are wrong, or say what they should have been; recorded, and taken back by a further record',
  options: {
    ...COMMON_OPTIONS,
    device: { value: 'ID', description: 'of which device' },
    channel: { value: 'NAME', description: 'only this channel of it; default all' },
    tenant: { value: 'ID', description: 'home of the device; default home' },
    from: { value: 'TIME', description: 'first event time that is concerned, an instant with its zone' },
    to: { value: 'TIME', description: 'last event time that is concerned; default the same' },
    exclude: { description: 'the readings count for nothing; they go to silver.rejects' },
    set: {
      value: 'FIELD=VALUE',
      description: `the value that counts instead, or none; ${Object.keys(CORRECTABLE).join(', ')}`,
      multiple: true,
    },
    reason: { value: 'TEXT', description: 'why; stands in the record' },
    by: { value: 'NAME', description: 'who says so; default the user of this computer' },
    undo: { value: 'N', description: 'take correction N back' },
    list: { description: 'list what has been recorded' },
    ...JSON_OPTION,
  },
  examples: [
    'smarthouse correct --device plug-1 --from 2026-01-15T10:30:00Z --exclude --reason "spike while it was plugged in"',
    'smarthouse correct --device plug-1 --from 2026-01-15T10:00:00Z --to 2026-01-15T10:10:00Z --set power_usage=60 --reason "wrong scale"',
    'smarthouse correct --list',
    'smarthouse correct --undo 3 --reason "it was true after all"',
  ],
  async run(args, stop) {
    if (args.text('undo') !== undefined) numberOf(args.text('undo')!)
    const drafts = args.flag('list') || args.text('undo') !== undefined ? [] : draftsOf(args)
    const settings = openSettings(args)
    const warehouse = await openWarehouse(settings)
    try {
      if (args.flag('list')) {
        list(await readCorrections(warehouse.lake, warehouse.engine), args.flag('json'))
        return 0
      }
      const undo = args.text('undo')
      const given = undo === undefined ? drafts : await undoOf(undo, args, warehouse)
      const concerned = given[0] ? await countConcerned(given[0], warehouse) : { readings: 0, rejects: 0 }
      if (undo === undefined && concerned.readings + concerned.rejects === 0) throw nothingThere(given[0]!)
      const recorded = given[0] ? await recordCorrections(warehouse.lake, warehouse.engine, given) : []
      const say = (line: string): void => void process.stderr.write(`${line}\n`)
      const done = await workOff(settings, warehouse, stop, say)
      tell(recorded, concerned, done, args.flag('json'))
      return stop.aborted ? 130 : 0
    } finally {
      await warehouse.close()
    }
  },
}

const usage = (message: string, cure: string): PlatformError => new PlatformError('usage', message, cure)

function required(args: Arguments, name: string, example: string): string {
  const text = args.text(name)?.trim()
  if (text !== undefined && text !== '') return text
  throw usage(
    `correct needs --${name}`,
    `Write for example --${name} ${example}; see smarthouse correct --help.`,
  )
}

function draftsOf(args: Arguments): CorrectionDraft[] {
  const from = momentOf('from', required(args, 'from', '2026-01-15T10:30:00Z'))
  const to = momentOf('to', args.text('to') ?? from)
  if (to < from) throw usage(`--to ${to} lies before --from ${from}`, 'Let --to be the later one.')
  const sets = args.list('set').map(settingOf)
  if (args.flag('exclude') === sets.length > 0)
    throw usage(
      'correct takes either --exclude or --set',
      'Exclude the readings, or say with --set power_usage=60 what they should have been.',
    )
  const common = {
    ...record(args),
    tenant_id: args.text('tenant') ?? DEFAULT_TENANT,
    device_id: required(args, 'device', 'plug-1'),
    channel: args.text('channel') ?? null,
    from_time: from,
    to_time: to,
    undoes: null,
  }
  if (sets.length === 0) return [{ ...common, action: 'exclude', field: null, value: null }]
  return sets.map((set) => ({ ...common, action: 'set', ...set }))
}

function record(args: Arguments): Pick<CorrectionDraft, 'recorded_at' | 'recorded_by' | 'reason'> {
  return {
    recorded_at: new Date().toISOString(),
    recorded_by: args.text('by') ?? userInfo().username,
    reason: required(args, 'reason', '"spike while it was plugged in"'),
  }
}

/** To the microsecond, as event times are. */
function momentOf(option: string, text: string): string {
  const isInstant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)$/.test(text)
  try {
    if (isInstant) return Temporal.Instant.from(text).toString({ smallestUnit: 'microsecond' })
  } catch {
    // A day or an hour that does not exist.
  }
  throw usage(
    `--${option} takes an instant with its zone, not "${text}"`,
    'Write for example 2026-01-15T10:30:00Z or 2026-01-15T11:30:00+01:00.',
  )
}

function settingOf(text: string): { field: Correctable; value: number | null } {
  const [, field = '', value = ''] = /^([a-z_]+)=(.*)$/.exec(text) ?? []
  if (!Object.hasOwn(CORRECTABLE, field)) {
    const guess = nearest(field, Object.keys(CORRECTABLE))
    throw usage(
      `--set ${text}: ${field === '' ? 'it names no field' : `"${field}" cannot be corrected`}`,
      guess
        ? `Did you mean ${guess}?`
        : `Write --set FIELD=VALUE with one of ${Object.keys(CORRECTABLE).join(', ')}.`,
    )
  }
  if (value === 'none') return { field: field as Correctable, value: null }
  const { limit, unit } = CORRECTABLE[field as Correctable]
  const number = Number(value)
  if (/^[+-]?\d+(\.\d+)?$/.test(value) && Math.abs(number) < limit)
    return { field: field as Correctable, value: number }
  throw usage(
    `--set ${text}: "${value}" is no number of ${unit} below ${limit}`,
    `Write --set ${field}=60, or ${field}=none where it has no value.`,
  )
}

const numberOf = (undo: string): number => wholeNumber('--undo', undo, 1, Number.MAX_SAFE_INTEGER)

/** None where it is taken back already: who says it again may have been interrupted before it was worked off. */
async function undoOf(
  text: string,
  args: Arguments,
  { lake, engine }: Warehouse,
): Promise<CorrectionDraft[]> {
  const id = numberOf(text)
  const records = await readCorrections(lake, engine)
  const undone = records.find(({ correction_id: known }) => known === id)
  if (undone === undefined || undone.action === 'undo')
    throw usage(`There is no correction ${id}`, 'smarthouse correct --list shows them.')
  if (undoneBy(records).has(id)) return []
  const { correction_id: _id, ...rest } = undone
  return [{ ...rest, ...record(args), action: 'undo', field: null, value: null, undoes: id }]
}

interface Concerned {
  readings: number
  rejects: number
}

/** What Silver has of the device in that stretch of time. */
async function countConcerned(draft: CorrectionDraft, { lake, engine }: Warehouse): Promise<Concerned> {
  const session = await engine.session()
  const count = async (table: string): Promise<number> => {
    const { files } = await lake.snapshot(table)
    const [row] = await session.rows<{ n: number }>(
      `SELECT count(*) AS n FROM ${lake.scan(table, files)}
       WHERE coalesce(nullif(trim(tenant_id), ''), 'home') = $1 AND device_id = $2 AND ($3 IS NULL OR channel = $3)
         AND timestamp BETWEEN CAST($4 AS TIMESTAMPTZ) AND CAST($5 AS TIMESTAMPTZ)`,
      [draft.tenant_id, draft.device_id, draft.channel, draft.from_time, draft.to_time],
    )
    return row!.n
  }
  try {
    return { readings: await count(SILVER_READINGS.name), rejects: await count(SILVER_REJECTS.name) }
  } finally {
    await session.close()
  }
}

const nothingThere = (draft: CorrectionDraft): PlatformError =>
  new PlatformError(
    'unknown_device',
    `Silver has no reading of device "${draft.device_id}" (home ${draft.tenant_id}) from ${draft.from_time} to ${draft.to_time}`,
    'Check device, home, channel and times; smarthouse why shows the readings of a day.',
  )

function tell(recorded: readonly Correction[], concerned: Concerned, done: boolean, json: boolean): void {
  if (json) {
    console.log(JSON.stringify({ recorded, concerned, applied: done }, null, 2))
    return
  }
  const ids = recorded.map(({ correction_id: id }) => id).join(', ')
  console.log(
    ids === ''
      ? 'It was taken back already.'
      : `Recorded as ${ids}: concerns ${concerned.readings} readings and ${concerned.rejects} rejects.`,
  )
  console.log(
    done
      ? 'Silver and Gold are worked out anew from there on.'
      : 'The platform that runs works Silver and Gold out anew from there on, within a minute.',
  )
}

function list(records: readonly Correction[], json: boolean): void {
  const undone = undoneBy(records)
  const rows = records.map((one) => ({
    ...one,
    in_force: one.action !== 'undo' && !undone.has(one.correction_id),
  }))
  if (json) console.log(JSON.stringify(rows, null, 2))
  else if (rows.length === 0) console.log('Nothing has been corrected.')
  else
    process.stdout.write(
      asTable(
        rows.map((one) => ({
          id: one.correction_id,
          in_force: one.in_force,
          what: whatOf(one),
          device: one.channel === null ? one.device_id : `${one.device_id}/${one.channel}`,
          from: one.from_time,
          to: one.to_time,
          by: one.recorded_by,
          at: one.recorded_at,
          reason: one.reason,
        })),
      ),
    )
}

function whatOf({ action, field, value, undoes }: Correction): string {
  if (action === 'undo') return `undoes ${undoes}`
  return action === 'exclude' ? 'exclude' : `${field} = ${value ?? 'none'}`
}
