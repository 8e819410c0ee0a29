/** What a person says of the files of an import, and what of it cannot be meant. */
import { PlatformError } from '../../errors.ts'
import { NUMBER_FIELDS, TEXT_FIELDS } from '../../reading.ts'
import { unitSuffix } from '../../units.ts'
import type { DateOrder } from './clock.ts'
import { portablePath } from './files.ts'
import type { DecimalMark } from './values.ts'

export interface MappingOptions {
  /** Field → column: its name, or its number from 1. `metrics.<name>` maps a further number; `timestamp` may be two: `Date+Time`. */
  map?: Readonly<Record<string, string>>
  /** Each numeric column is a device. */
  wide?: boolean
  /** Of a wide file only these columns: names, numbers from 1, patterns with `*`. */
  columns?: readonly string[]
  /** What the columns of a wide file, or the only value column, hold. */
  field?: string
  /** Energies without another word are a counter. */
  cumulative?: boolean
  /** Of a wide file: the column that measures what the other ones are a part of. */
  parent?: string
  /** Device id; with a group in parentheses a pattern over the path, whose first group is taken. Default: the file's name, or the column's in a wide file. */
  device?: string
  /** Device type, likewise. */
  type?: string
  /** Home, likewise. */
  tenant?: string
  /** `kWh`: of every field that it can be of; `COLUMN=kWh`, `FIELD=kWh`: of that one. Default W, Wh, °C, or what a header says. */
  units?: readonly string[]
  dateOrder?: DateOrder
  /** Whether a time names the start or the end of its interval. Default: powers hold from their time on, energies were used until theirs. */
  labels?: 'start' | 'end'
  /** Length of the intervals, ms; default: found in the file. */
  intervalMs?: number
  /** Whether a row of a text file names the columns; default: found in the file. */
  header?: boolean
  /** Default: found in the file. */
  delimiter?: string
  decimal?: DecimalMark
  /** Further marks of a missing value. */
  missing?: readonly string[]
}

const NUMBERS: ReadonlySet<string> = new Set(NUMBER_FIELDS)
export const FIELDS: readonly string[] = [...TEXT_FIELDS, ...NUMBER_FIELDS, 'timestamp']
const KINDS: Readonly<Record<string, string>> = {
  power_usage: 'w',
  energy_consumption_wh: 'wh',
  energy_total_wh: 'wh',
  temperature: 'c',
}

export function isNumberField(field: string): boolean {
  return NUMBERS.has(field) || field.startsWith('metrics.')
}

/** The suffix of the platform's unit of a field; undefined where it may have any. */
export function kindOf(field: string): string | undefined {
  return KINDS[field]
}

export interface UnitOption {
  /** Column or field; undefined: all that it can be of. */
  of?: string
  unit: string
}

export function unitOptions(options: MappingOptions): UnitOption[] {
  return (options.units ?? []).map((text) => {
    const at = text.lastIndexOf('=')
    return at < 0 ? { unit: text } : { of: text.slice(0, at), unit: text.slice(at + 1) }
  })
}

const usage = (message: string, cure: string): PlatformError => new PlatformError('usage', message, cure)

/** Refuses options that cannot be meant, before any file is looked at. */
export function checkMappingOptions(options: MappingOptions): void {
  const map = options.map ?? {}
  const fields = `Use one of ${FIELDS.join(', ')}, or metrics.<name>.`
  for (const field of Object.keys(map))
    if (!FIELDS.includes(field) && !/^metrics\../.test(field))
      throw usage(`--map ${field}=…: a reading has no field ${field}.`, fields)
  const { field, wide, columns, parent, cumulative } = options
  if (field !== undefined && !isNumberField(field))
    throw usage(
      `--field ${field}: that is no field that holds a number.`,
      'Use power_usage, energy_consumption_wh, energy_total_wh, temperature, or metrics.<name>.',
    )
  if (!wide && columns)
    throw usage('--columns chooses columns of a wide file.', 'Write --wide too, or map columns with --map.')
  if (!wide && parent !== undefined)
    throw usage(
      '--parent names a column of a wide file.',
      'Write --wide too, or name parents in the catalogue.',
    )
  if (wide && Object.keys(map).some((name) => isNumberField(name)))
    throw usage(
      '--wide takes each numeric column as a device, and --map takes a column as a field.',
      'Choose one of them; --columns and --field say which columns of a wide file are what.',
    )
  if (cumulative && field !== undefined && field !== 'energy_total_wh')
    throw usage(`--cumulative speaks of energy_total_wh, --field of ${field}.`, 'Leave one of them out.')
  checkUnits(options)
}

function checkUnits(options: MappingOptions): void {
  for (const { of, unit } of unitOptions(options)) {
    const suffix = unitSuffix(unit)
    if (suffix === undefined)
      throw usage(`--unit: there is no unit "${unit}".`, 'Use for example W, kW, Wh, kWh, MWh, kWmin, C, F.')
    if (of !== undefined && kindOf(of) !== undefined && kindOf(of) !== suffix)
      throw usage(`--unit ${of}=${unit}: that is no unit of ${of}.`, 'Name a unit of that quantity.')
    const mapped = Object.keys(options.map ?? {}).filter(isNumberField)
    if (of !== undefined || options.wide || options.field !== undefined || mapped.length === 0) continue
    if (!mapped.some((field) => kindOf(field) === suffix))
      throw usage(
        `--unit ${unit} is a unit of ${suffix === 'wh' ? 'energy' : suffix === 'w' ? 'power' : 'something else'}, but no such field is mapped.`,
        suffix === 'wh'
          ? 'Map energy_consumption_wh (energy per interval) or energy_total_wh (a cumulative counter).'
          : 'Map a field of that quantity, or name the column: --unit COLUMN=UNIT.',
      )
  }
}

/** A fixed text, or the first group of a pattern over the path. */
export function fromPath(option: string, given: string, path: string): string {
  if (!given.includes('(')) return given
  let pattern: RegExp
  try {
    pattern = new RegExp(given)
  } catch (error) {
    throw new PlatformError('usage', `--${option} ${given} is no valid pattern.`, 'Mend the pattern.', {
      cause: error,
    })
  }
  const found = pattern.exec(portablePath(path))?.[1]
  if (found !== undefined) return found
  throw usage(
    `--${option} ${given}: the pattern finds nothing in the path ${portablePath(path)}.`,
    'Mend the pattern, or import this file by itself.',
  )
}

/** A column's name, or a pattern with `*` and `?`, without regard to case. */
export function matchesName(pattern: string, name: string): boolean {
  const escaped = pattern
    .replaceAll(/[\\^$.+()[\]{}|]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${escaped}$`, 'i').test(name)
}

export function notTelemetry(path: string, why: string, cure: string): PlatformError {
  return new PlatformError(
    'file_not_telemetry',
    `${path} cannot be read as telemetry: ${why}. Nothing of it was taken.`,
    cure,
  )
}
