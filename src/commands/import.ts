import { understandFiles, type CheckOptions } from '../1-source/import/check.ts'
import { importFiles } from '../1-source/import/import.ts'
import type { MappingOptions } from '../1-source/import/options.ts'
import { previewFiles } from '../1-source/import/preview.ts'
import type { DeviceWord } from '../1-source/import/understood.ts'
import { isDataFolder } from '../data-folder.ts'
import { PlatformError } from '../errors.ts'
import {
  beginSettings,
  dataPath,
  openConfig,
  openStage,
  openStreamAlone,
  openWarehouse,
  type Settings,
} from '../main.ts'
import { DEFAULT_TENANT } from '../reading.ts'
import { emptyNote } from '../reference/devices.ts'
import { readDeviceNotes, writeDeviceNotes } from '../reference/sync.ts'
import { runStage } from '../run/loop.ts'
import { recordReference, watchReference } from '../run/reference.ts'
import { requireDurationMs } from '../units.ts'
import { print, printPreview, printRefused, tellProgress, type Verdicts } from './import-report.ts'
import { COMMON_OPTIONS, JSON_OPTION, type Arguments, type Command } from './command.ts'

const DATE_ORDERS = ['dmy', 'mdy', 'ymd'] as const
const LABELS = ['start', 'end'] as const
const DECIMALS = ['point', 'comma'] as const

const say = (line: string): void => void process.stderr.write(`${line}\n`)

export const IMPORT: Command = {
  name: 'import',
  summary: 'readings from files: CSV, JSON lines (plain or gzip), Parquet, histories of Home Assistant',
  positional: 'FILE…',
  options: {
    ...COMMON_OPTIONS,
    map: {
      value: 'FIELD=COLUMN',
      description:
        'which column a field is in, by name or number from 1; timestamp=DATE+CLOCK for two; may stand several times',
      multiple: true,
    },
    wide: { description: 'each numeric column is a device' },
    columns: {
      value: 'LIST',
      description: 'wide: only these columns; names, numbers, patterns with *',
      multiple: true,
    },
    field: { value: 'FIELD', description: 'what the columns of a wide file, or the only value column, hold' },
    cumulative: { description: 'energies are counters, not the energy of each interval' },
    parent: { value: 'COLUMN', description: 'wide: the meter that the other columns are a part of' },
    device: {
      value: 'ID',
      description:
        "the device, or a pattern over the path with one group; default: the file's name, or the column's (wide)",
    },
    type: { value: 'TYPE', description: 'the device type, likewise' },
    tenant: {
      value: 'ID',
      description: `home that the devices belong to, likewise; default ${DEFAULT_TENANT}`,
    },
    unit: {
      value: 'W|kW|Wh|kWh|…',
      description: "unit of the values, or COLUMN=UNIT of one; default: the header's, else W, Wh, °C",
      multiple: true,
    },
    labels: {
      value: 'start|end',
      description: 'which end of its interval a time names; default: of power the start, of energy the end',
    },
    interval: {
      value: 'DURATION',
      description: 'with --labels: how long an interval is; found by itself where clear',
    },
    tz: {
      value: 'ZONE',
      description: "zone of times that name none, also a fixed one such as +01:00; default: the house's",
    },
    'date-order': { value: 'dmy|mdy|ymd', description: 'order of day, month and year where it is not clear' },
    'no-header': { description: 'the first row is data already' },
    delimiter: {
      value: 'C',
      blank: true,
      description: 'what stands between columns; found by itself where clear',
    },
    decimal: {
      value: 'point|comma',
      description: 'what parts the fraction of a number; found by itself where clear',
    },
    missing: {
      value: 'MARK',
      description: 'a further mark of a missing value, for example -9999',
      multiple: true,
    },
    'dry-run': { description: 'show how the files and their first rows are understood, and take nothing' },
    wait: { description: 'also refine and aggregate, and say what was accepted, duplicate, rejected' },
    ...JSON_OPTION,
  },
  examples: [
    'smarthouse import readings.jsonl.gz',
    'smarthouse import plugs.csv --map timestamp=time --map power_usage=watt --device kettle --tz Europe/Berlin --dry-run',
    "smarthouse import folder --no-header --map timestamp=1 --map power_usage=2 --date-order dmy --tz Europe/Berlin --device '(dev_[0-9A-F]+)'",
    'smarthouse import house.csv --wide --parent Aggregate --tz UTC',
    'smarthouse import home-assistant_v2.db',
  ],
  exitCodes: {
    1: 'a file is refused: one that was named, and nothing is taken; one found in a folder, and the others are',
    130: 'interrupted; the next import goes on from there',
  },
  async run(args, stop) {
    if (args.positionals.length === 0)
      throw new PlatformError(
        'usage',
        'import needs a file, a folder or a pattern',
        'Write smarthouse import FILE.',
      )
    const mapping = mappingOf(args)
    if (args.flag('dry-run')) return await preview(args, mapping)
    // That the folder cannot be used is said before files are read for minutes; a new one is begun only where they can be taken.
    isDataFolder(dataPath(args))
    const onProgress = tellProgress()
    const files = await understandFiles({ ...mapping, ...sourceOf(args), onProgress })
    const settings = await beginSettings(args)
    const log = await openStreamAlone(settings)
    try {
      const before = await log.bounds()
      const report = await importFiles(files, {
        log,
        ledgerDir: settings.folder.stream,
        onProgress,
        onDevices: (words) => noteDevices(settings, words),
        signal: stop,
      })
      const after = await log.bounds()
      const verdicts =
        args.flag('wait') && !stop.aborted
          ? await verdictsOf(
              settings,
              stop,
              report.tenants,
              after.map(({ partition, end }) => ({
                partition,
                from: before.find((bounds) => bounds.partition === partition)?.end ?? 0,
                to: end,
              })),
            )
          : undefined
      print(report, verdicts, args.flag('json'))
      return stop.aborted ? 130 : report.refused.length > 0 ? 1 : 0
    } finally {
      await log.close()
    }
  },
}

const sourceOf = (args: Arguments): Pick<CheckOptions, 'paths' | 'timeZone'> => ({
  paths: args.positionals,
  timeZone: args.text('tz') ?? openConfig(args).config.time_zone,
})

async function preview(args: Arguments, mapping: MappingOptions): Promise<number> {
  const previewed = await previewFiles({ ...mapping, ...sourceOf(args) })
  if (args.flag('json')) console.log(JSON.stringify(previewed))
  else {
    for (const one of previewed.files) printPreview(one)
    printRefused(previewed.refused)
  }
  return previewed.refused.length > 0 ? 1 : 0
}

/** What the import knows of devices stands with what people have said of them; the catalogue file wins. */
async function noteDevices(settings: Settings, words: readonly DeviceWord[]): Promise<void> {
  const warehouse = await openWarehouse(settings)
  try {
    const notes = await readDeviceNotes(warehouse.lake, warehouse.engine)
    const noted = new Map(notes.map((note) => [JSON.stringify([note.tenant_id, note.device_id]), note]))
    for (const word of words) {
      const key = JSON.stringify([word.tenant_id, word.device_id])
      noted.set(key, { ...emptyNote(word.tenant_id, word.device_id), ...noted.get(key), ...word })
    }
    for (const { tenant_id, device_id, parent_device_id } of words) {
      // A meter that was said to lie behind what now lies behind it would make a circle.
      const meter = noted.get(JSON.stringify([tenant_id, parent_device_id]))
      if (meter?.parent_device_id === device_id) meter.parent_device_id = null
    }
    await writeDeviceNotes(warehouse.lake, warehouse.engine, [...noted.values()])
    await recordReference(settings, warehouse, say)
  } finally {
    await warehouse.close()
  }
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
  const interval = args.text('interval')
  const optional = {
    device: args.text('device'),
    type: args.text('type'),
    tenant: args.text('tenant'),
    field: args.text('field'),
    parent: args.text('parent'),
    delimiter: delimiterOf(args.text('delimiter')),
    dateOrder: oneOf(args, 'date-order', DATE_ORDERS),
    labels: oneOf(args, 'labels', LABELS),
    decimal: oneOf(args, 'decimal', DECIMALS),
    intervalMs: interval === undefined ? undefined : requireDurationMs('--interval', interval),
  }
  const [units, columns, missing] = [
    args.list('unit'),
    args.list('columns').flatMap((list) => list.split(',').map((name) => name.trim())),
    args.list('missing'),
  ]
  return {
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    ...(map.length > 0 && { map: Object.fromEntries(map) }),
    ...(units.length > 0 && { units }),
    ...(columns.length > 0 && { columns }),
    ...(missing.length > 0 && { missing }),
    ...(args.flag('wide') && { wide: true }),
    ...(args.flag('cumulative') && { cumulative: true }),
    ...(args.flag('no-header') && { header: false }),
  }
}

/** As it is written in a shell, where a tab is hard to type. */
function delimiterOf(text: string | undefined): string | undefined {
  return text === 'tab' || text === String.raw`\t` ? '\t' : text === 'space' ? ' ' : text
}

/** Works the stages off, beside others that may run, and counts what became of the rows of these offsets. */
async function verdictsOf(
  settings: Settings,
  stop: AbortSignal,
  tenants: readonly string[],
  ranges: readonly { partition: number; from: number; to: number }[],
): Promise<Verdicts> {
  const warehouse = await openWarehouse(settings)
  try {
    await watchReference(settings, warehouse, say)
    for (const name of ['bronze', 'silver', 'gold'] as const) {
      const stage = await openStage(name, settings, warehouse)
      await runStage(stage, { once: true, pauseMs: 0, stop })
      await stage.close()
    }
    const session = await warehouse.engine.session()
    const places = ranges.map(
      ({ partition, from, to }) =>
        `(stream_partition = ${partition} AND stream_offset >= ${from} AND stream_offset < ${to})`,
    )
    const homes = tenants.map((_, index) => `$${index + 1}`).join(', ')
    const count = async (table: string): Promise<number> => {
      const { files } = await warehouse.lake.snapshot(table)
      const [row] = await session.rows<{ n: number }>(
        `SELECT count(*) AS n FROM ${warehouse.lake.scan(table, files)} WHERE (${places.join(' OR ')}) AND tenant_id IN (${homes})`,
        [...tenants],
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
