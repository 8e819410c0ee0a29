/** What the understanding of a table says to people, and to the catalogue. */
import { DEFAULT_TENANT } from '../../reading.ts'
import { isNumberField, type MappingOptions } from './options.ts'
import type { Survey } from './survey.ts'
import type { TableForm } from './table.ts'
import type { DeviceWord, UnderstandOptions } from './understood.ts'

/** Beyond this a gap ends what a reading covers, where the catalogue names no interval. */
const DEFAULT_GAP_MS = 15 * 60_000

export function deviceWords(
  { series }: Pick<TableForm, 'series'>,
  tenant: string | undefined,
  intervalMs: number,
  { parent }: MappingOptions,
): DeviceWord[] {
  const meter =
    parent === undefined
      ? undefined
      : series.find(({ fields }) => fields[0]?.name.toLowerCase() === parent.toLowerCase())
  const isSparse = intervalMs > DEFAULT_GAP_MS
  return series.flatMap(({ device, fields }) => {
    const isPart = meter !== undefined && meter.device !== device
    const isEnergy = fields.some(({ field }) => field === 'power_usage' || field.startsWith('energy_'))
    if (device === undefined || (!isPart && !(isSparse && isEnergy))) return []
    return [
      {
        tenant_id: tenant ?? DEFAULT_TENANT,
        device_id: device,
        ...(isPart && { parent_device_id: meter.device! }),
        ...(isSparse && isEnergy && { expected_interval_s: intervalMs / 1000 }),
      },
    ]
  })
}

export function describe(
  kind: string,
  { times, series }: Pick<TableForm, 'times' | 'series'>,
  form: TableForm,
  survey: Survey,
  options: UnderstandOptions,
): string[] {
  const time =
    typeof times === 'string' ? `"${times}"` : times.map((index) => `column ${index + 1}`).join(' and ')
  const orders = [...new Set(Object.values(survey.orders))].join(', ')
  const zone = survey.firstMs === undefined ? 'each names its instant' : `clock of ${options.timeZone}`
  const details = [
    zone,
    ...(orders === '' ? [] : [`order ${orders}`]),
    ...(survey.descending ? ['newest first'] : []),
    ...(survey.midnightEnds ? ['00:00 is the end of the day that it names'] : []),
    ...(form.labels ? [`names the ${form.labels} of its interval`] : []),
    ...(form.intervalMs > 0 ? [`every ${form.intervalMs / 1000} s`] : []),
  ]
  return [
    kind,
    `time: ${time} (${details.join('; ')})`,
    ...series.flatMap(({ device, type, fields }) =>
      fields
        .filter(({ field }) => isNumberField(field) || field === 'device_id')
        .map(({ field, name, unit, mark }) => {
          const owner =
            device === undefined
              ? 'the row names its device'
              : `device ${device}${type === undefined ? '' : ` (${type})`}`
          const as = [
            ...(unit === undefined ? [] : [`in ${unit}`]),
            ...(mark === 'comma' ? ['decimal comma'] : []),
          ]
          return `"${name}" → ${field}${as.length > 0 ? ` (${as.join(', ')})` : ''}, ${owner}`
        }),
    ),
  ]
}

export function notesOf(
  { series }: Pick<TableForm, 'series'>,
  survey: Survey,
  options: UnderstandOptions,
): string[] {
  const notes: string[] = []
  const hasIntervals = series.some(({ fields }) =>
    fields.some(({ field }) => field === 'energy_consumption_wh'),
  )
  const { firstMs, lastMs, stepMs, skipped } = survey
  const dayMs = 86_400_000
  const runsLikeStarts =
    firstMs !== undefined &&
    lastMs !== undefined &&
    firstMs % dayMs === 0 &&
    lastMs % dayMs === dayMs - stepMs
  if (hasIntervals && options.labels === undefined && !survey.isDays && stepMs > 0 && runsLikeStarts)
    notes.push(
      'The energy of a row is taken as used until its time. The first time is 00:00 and the last one an interval before midnight, as where times name the start of an interval: if so, import with --labels start.',
    )
  if (skipped.rows > 0)
    notes.push(
      `${skipped.rows} rows have times that no clock of ${options.timeZone} has shown (the first: ${skipped.example}), since it was put forward then. They are taken as if it had not been. If the clock of this file does not change in spring and autumn, import with --tz and its fixed offset, for example --tz +01:00, or --tz UTC.`,
    )
  return notes
}
