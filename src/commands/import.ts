import { importFiles, REASONS, type ImportProgress, type ImportReport } from '../1-source/import/import.ts'
import type { MappingOptions, Unit } from '../1-source/import/mapping.ts'
import { PlatformError } from '../errors.ts'
import { openSettings, openStage, openStreamAlone, openWarehouse, type Settings } from '../main.ts'
import { DEFAULT_TENANT } from '../reading.ts'
import { runStage } from '../run/loop.ts'
import { watchReference } from '../run/reference.ts'
import { COMMON_OPTIONS, JSON_OPTION, type Arguments, type Command } from './command.ts'

const UNITS: readonly Unit[] = ['W', 'kW', 'Wh', 'kWh']
const DATE_ORDERS = ['dmy', 'mdy', 'ymd'] as const

export const IMPORT: Command = {
  name: 'import',
  summary: 'readings from files: CSV and JSON lines, plain or gzip',
  positional: 'FILE…',
  options: {
    ...COMMON_OPTIONS,
    map: {
      value: 'FIELD=COLUMN',
      description: 'which column a field is in, by name or number from 1; may stand several times',
      multiple: true,
    },
    device: {
      value: 'ID',
      description: "the device, or a pattern over the path with one group; default: the file's name",
    },
    type: { value: 'TYPE', description: 'the device type, likewise' },
    unit: { value: 'W|kW|Wh|kWh', description: 'unit of the mapped power or energy; default W, Wh' },
    tz: { value: 'ZONE', description: "zone of times that name none; default: the house's" },
    'date-order': { value: 'dmy|mdy|ymd', description: 'order of day, month and year where it is not clear' },
    'no-header': { description: 'the first row is data already' },
    delimiter: { value: 'C', description: 'what stands between columns; found by itself where clear' },
    tenant: { value: 'ID', description: `home that the devices belong to; default ${DEFAULT_TENANT}` },
    wait: { description: 'also refine and aggregate, and say what was accepted, duplicate, rejected' },
    ...JSON_OPTION,
  },
  examples: [
    'smarthouse import readings.jsonl.gz',
    'smarthouse import plugs.csv --map timestamp=time --map power_usage=watt --device kettle --tz Europe/Berlin',
    "smarthouse import folder --no-header --map timestamp=1 --map power_usage=2 --date-order dmy --tz Europe/Berlin --device '(dev_[0-9A-F]+)'",
  ],
  exitCodes: { 130: 'interrupted; the next import goes on from there' },
  async run(args, stop) {
    if (args.positionals.length === 0)
      throw new PlatformError(
        'usage',
        'import needs a file, a folder or a pattern',
        'Write smarthouse import FILE.',
      )
    const mapping = mappingOf(args)
    const settings = openSettings(args, { create: true })
    const log = await openStreamAlone(settings)
    try {
      const before = await log.bounds()
      const report = await importFiles({
        ...mapping,
        paths: args.positionals,
        log,
        ledgerDir: settings.folder.stream,
        timeZone: args.text('tz') ?? settings.config.time_zone,
        onProgress: tellProgress(),
        signal: stop,
      })
      const after = await log.bounds()
      const verdicts =
        args.flag('wait') && !stop.aborted
          ? await verdictsOf(settings, stop, {
              tenant: mapping.tenant ?? DEFAULT_TENANT,
              from: before[0]!.end,
              to: after[0]!.end,
            })
          : undefined
      print(report, verdicts, args.flag('json'))
      return stop.aborted ? 130 : 0
    } finally {
      await log.close()
    }
  },
}

function oneOf<T extends string>(args: Arguments, name: string, known: readonly T[]): T | undefined {
  const text = args.text(name)
  const found = known.find((value) => value === text)
  if (text !== undefined && found === undefined)
    throw new PlatformError(
      'usage',
      `--${name} must be one of ${known.join(', ')}, not "${text}"`,
      `Write for example --${name} ${known[0]}.`,
    )
  return found
}

function mappingOf(args: Arguments): MappingOptions {
  const map = args.list('map').map((text) => {
    const at = text.indexOf('=')
    if (at < 1 || at === text.length - 1)
      throw new PlatformError(
        'usage',
        `--map takes FIELD=COLUMN, not "${text}"`,
        'Write for example --map power_usage=2.',
      )
    return [text.slice(0, at), text.slice(at + 1)] as const
  })
  const optional = {
    device: args.text('device'),
    type: args.text('type'),
    unit: oneOf(args, 'unit', UNITS),
    tenant: args.text('tenant'),
    delimiter: args.text('delimiter'),
    dateOrder: oneOf(args, 'date-order', DATE_ORDERS),
  }
  return {
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    ...(map.length > 0 && { map: Object.fromEntries(map) }),
    ...(args.flag('no-header') && { header: false }),
  }
}

/** A line that is written over on a terminal; a line every few seconds elsewhere. */
function tellProgress(): (progress: ImportProgress) => void {
  const everyMs = process.stderr.isTTY ? 200 : 5000
  let toldMs = Date.now()
  return ({ phase, filesDone, files, bytesDone, bytes, rows }) => {
    if (Date.now() - toldMs < everyMs) return
    toldMs = Date.now()
    const share = bytes > 0 ? Math.floor((100 * bytesDone) / bytes) : 0
    const text =
      phase === 'check'
        ? `checking file ${filesDone + 1} of ${files}`
        : `file ${filesDone + 1} of ${files}, ${share} %, ${rows} rows`
    process.stderr.write(process.stderr.isTTY ? `\r\u001B[K${text}` : `${text}\n`)
  }
}

interface Verdicts {
  accepted: number
  duplicate: number
  rejected: number
}

/** Works the stages off, beside others that may run, and counts what became of the rows of these offsets. */
async function verdictsOf(
  settings: Settings,
  stop: AbortSignal,
  { tenant, from, to }: { tenant: string; from: number; to: number },
): Promise<Verdicts> {
  const warehouse = await openWarehouse(settings)
  try {
    await watchReference(settings, warehouse, (line) => process.stderr.write(`${line}\n`))
    for (const name of ['bronze', 'silver', 'gold'] as const) {
      const stage = await openStage(name, settings, warehouse)
      await runStage(stage, { once: true, pauseMs: 0, stop })
      await stage.close()
    }
    const session = await warehouse.engine.session()
    const count = async (table: string): Promise<number> => {
      const { files } = await warehouse.lake.snapshot(table)
      const [row] = await session.rows<{ n: number }>(
        `SELECT count(*) AS n FROM ${warehouse.lake.scan(table, files)} WHERE stream_offset >= $1 AND stream_offset < $2 AND tenant_id = $3`,
        [from, to, tenant],
      )
      return row!.n
    }
    const verdicts = {
      accepted: await count('silver.readings'),
      duplicate: await count('silver.duplicates'),
      rejected: await count('silver.rejects'),
    }
    await session.close()
    return verdicts
  } finally {
    await warehouse.close()
  }
}

function print(report: ImportReport, verdicts: Verdicts | undefined, json: boolean): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001B[K')
  if (json) {
    console.log(JSON.stringify({ ...report, ...(verdicts && { verdicts }) }))
    return
  }
  const { rows, taken, appended, unreadable, files } = report
  console.log(
    `${files.length} ${files.length === 1 ? 'file' : 'files'}: ${rows} rows read, ${taken} taken${appended < taken ? ` (${taken - appended} of them were there already)` : ''}, ${rows - taken} unreadable.`,
  )
  for (const [reason, { count, examples }] of Object.entries(unreadable)) {
    console.log(`  ${count} × ${REASONS[reason as keyof typeof REASONS]}:`)
    for (const { path, line, text } of examples)
      console.log(`    ${path}, line ${line}: ${text.slice(0, 100)}`)
  }
  if (verdicts)
    console.log(
      `Accepted ${verdicts.accepted}, duplicate ${verdicts.duplicate}, rejected ${verdicts.rejected}.`,
    )
}
