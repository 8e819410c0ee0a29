/** Wide files: each numeric column is a device. */
import { unitSuffix } from '../../units.ts'
import { slug } from '../decoders/values.ts'
import { columnLabel, described, numericColumns, unitOf, type FieldColumn, type Sample } from './columns.ts'
import { matchesName, notTelemetry, type MappingOptions } from './options.ts'
import type { Series } from './table.ts'
import { isMissing, parseNumber } from './values.ts'

/**
 * The devices of a wide file. A column holds what its unit says: W power, Wh energy, °C temperature, anything else a metric;
 * power where no unit is said. `--device` is put in front of the columns' names, or `{column}` in it stands for them.
 */
export function wideSeries(
  sample: Sample,
  times: readonly number[],
  options: MappingOptions,
  named: { device: string | undefined; type: string | undefined },
): Series[] {
  const columns = chosenColumns(sample, times, options)
  const parent = options.parent?.toLowerCase()
  const names = columns.map((index) => columnLabel(sample, index))
  if (parent !== undefined && !names.some((name) => name.toLowerCase() === parent))
    throw notTelemetry(
      sample.path,
      `the parent ${options.parent} is none of its columns ${names.join(', ')}`,
      'Name one of them with --parent.',
    )
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined)
    throw notTelemetry(
      sample.path,
      `the column ${twice} stands more than once`,
      'Choose by number with --columns.',
    )
  const series = columns.map((index, at): Series => {
    const name = names[at]!
    const field = fieldOf(sample, index, options)
    const isParent = name.toLowerCase() === parent
    const type = named.type?.replaceAll('{column}', name) ?? (isParent ? 'mains' : undefined)
    return {
      device: deviceOf(name, named.device),
      type,
      fields: [described(sample, { field, index }, options)],
    }
  })
  refuseCounters(
    sample,
    series.map(({ fields }) => fields[0]!),
    options,
  )
  return series
}

function deviceOf(name: string, device: string | undefined): string {
  if (device === undefined) return name
  return device.includes('{column}') ? device.replaceAll('{column}', name) : `${device}_${name}`
}

function chosenColumns(sample: Sample, times: readonly number[], options: MappingOptions): number[] {
  const numeric = numericColumns(sample, times)
  if (options.columns === undefined) {
    if (numeric.length === 0)
      throw notTelemetry(
        sample.path,
        'none of its columns holds numbers',
        'Check the file, and --delimiter and --decimal.',
      )
    return numeric
  }
  const chosen = options.columns.flatMap((pattern) => {
    const found = sample.names.flatMap((name, index) =>
      !times.includes(index) && (matchesName(pattern, name) || pattern === String(index + 1)) ? [index] : [],
    )
    if (found.length === 0)
      throw notTelemetry(
        sample.path,
        `no column is called ${pattern} (its columns are ${sample.names.join(', ')})`,
        'Name columns that are there with --columns.',
      )
    return found
  })
  return [...new Set(chosen)].toSorted((a, b) => a - b)
}

function fieldOf(sample: Sample, index: number, options: MappingOptions): string {
  if (options.field !== undefined) return options.field
  const unit = unitOf(sample.names[index] ?? '', index, undefined, options)
  const suffix = unit === undefined ? undefined : unitSuffix(unit)
  if (suffix === undefined && options.cumulative) return 'energy_total_wh'
  if (suffix === undefined || suffix === 'w') return 'power_usage'
  if (suffix === 'wh') return options.cumulative ? 'energy_total_wh' : 'energy_consumption_wh'
  if (suffix === 'c') return 'temperature'
  return `metrics.${slug(columnLabel(sample, index))}_${suffix}`
}

/** A counter that nobody called one would be counted whole in every interval. */
function refuseCounters(sample: Sample, columns: readonly FieldColumn[], options: MappingOptions): void {
  if (options.field !== undefined) return
  const counter = columns.find(
    (column) => column.field === 'energy_consumption_wh' && looksLikeCounter(sample, column),
  )
  if (!counter) return
  throw notTelemetry(
    sample.path,
    `the energy in ${counter.name} never falls, as that of a counter, and is not called one`,
    'Say which it is: --cumulative, or --field energy_consumption_wh for the energy of each interval.',
  )
}

const ROWS_THAT_TELL = 10

function looksLikeCounter(sample: Sample, column: FieldColumn): boolean {
  const values = sample.rows
    .map((row) => row[column.index])
    .filter((cell) => !isMissing(cell))
    .flatMap((cell) => parseNumber(cell, column) ?? [])
  const steps = values.slice(1).map((value, at) => value - values[at]!)
  const isRising = steps.every((step) => step >= 0) || steps.every((step) => step <= 0)
  return values.length >= ROWS_THAT_TELL && isRising && values[0] !== values.at(-1)
}
