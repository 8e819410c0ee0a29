import { WHY_FIGURES, WhyQuery, type Why } from '../6-serve/contract-why.ts'
import { createLakeReader, type LakeReader } from '../6-serve/lake-reader.ts'
import { homesOfDevice, readWhy } from '../6-serve/why.ts'
import { PlatformError } from '../errors.ts'
import { openSettings, openWarehouse } from '../main.ts'
import { isDate } from '../reference/csv.ts'
import { readSettings } from '../reference/sync.ts'
import { nearest } from '../units.ts'
import { COMMON_OPTIONS, JSON_OPTION, type Arguments, type Command } from './command.ts'

/** Readings that the text lists of each quarter-hour; with `--at`, all. */
const PARTS_SHOWN = 3
/** Duplicates, and rejects, that the text lists of a whole day. */
const LEFT_OUT_SHOWN = 10
/** A year of readings a second; JSON is for programs, which may want them all. */
const EVERYTHING = 40_000_000

export const WHY: Command = {
  name: 'why',
  summary: 'explain a figure: its quarter-hours, intervals and readings, down to the messages in Bronze',
  positional: WHY_FIGURES.join('|'),
  options: {
    ...COMMON_OPTIONS,
    device: { value: 'ID', description: 'of which device' },
    day: { value: 'YYYY-MM-DD', description: 'local day' },
    at: {
      value: 'HH:MM',
      description: 'only the quarter-hour that begins then (local time), with every reading',
    },
    tenant: { value: 'ID', description: 'home of the device; needed where several have one of that name' },
    ...JSON_OPTION,
  },
  examples: [
    'smarthouse why daily_energy --device plug-1 --day 2026-01-15',
    'smarthouse why daily_energy --device plug-1 --day 2026-01-15 --at 18:30',
    'smarthouse why daily_cost --device plug-1 --day 2026-01-15 --json',
    'smarthouse why health_score --device plug-1 --day 2026-01-15',
  ],
  async run(args) {
    const query = asked(args)
    const settings = openSettings(args)
    const warehouse = await openWarehouse(settings)
    const reader = await createLakeReader(warehouse)
    try {
      const recorded = (await readSettings(warehouse.lake, warehouse.engine)).value
      const tenant = query.tenant ?? (await onlyHome(reader, query.device))
      const why = await readWhy(
        reader,
        { ...query, tenant },
        {
          timeZone: recorded?.time_zone ?? settings.config.time_zone,
          currency: recorded?.currency ?? settings.config.currency,
          limit: EVERYTHING,
        },
      )
      console.log(args.flag('json') ? JSON.stringify(why, null, 2) : whyText(why, query.at !== undefined))
      if (why.adds_up) return 0
      throw new PlatformError(
        'verify_differs',
        `Gold has ${why.value ?? 'no value'}, but what it is made of gives ${why.derived ?? 'none'}`,
        'Run smarthouse verify, and report what it prints.',
      )
    } finally {
      await reader.close()
      await warehouse.close()
    }
  },
}

function asked(args: Arguments): WhyQuery {
  const [figure, ...others] = args.positionals
  const parsed = WhyQuery.safeParse({
    figure,
    device: args.text('device'),
    day: args.text('day'),
    tenant: args.text('tenant'),
    at: args.text('at'),
  })
  if (parsed.success && others.length === 0 && figure !== undefined && isDate(parsed.data.day))
    return parsed.data
  const guess = nearest(figure ?? '', WHY_FIGURES)
  throw new PlatformError(
    'usage',
    'why needs a figure, a device and a day, and --at the local start of a quarter-hour (HH:MM)',
    `The figures are ${WHY_FIGURES.join(', ')}. Write smarthouse why ${guess ?? 'daily_energy'} --device plug-1 --day 2026-01-15.`,
  )
}

async function onlyHome(reader: LakeReader, device: string): Promise<string> {
  const homes = await homesOfDevice(reader, device)
  if (homes.length > 1)
    throw new PlatformError(
      'usage',
      `Several homes have a device "${device}": ${homes.join(', ')}`,
      `Name one, for example --tenant ${homes[0]}.`,
    )
  return homes[0] ?? 'home'
}

/** As a person reads it; of many readings the first of each quarter-hour, unless `all`. */
export function whyText(why: Why, all: boolean): string {
  const unit = why.unit === '' ? '' : ` ${why.unit}`
  const lines = [
    `${why.figure} of ${why.device_id} (home ${why.tenant}) on ${why.day}, ${why.time_zone}: ${why.value ?? 'none'}${unit}`,
    `  ${shortened(why.formula)}`,
    why.adds_up
      ? '  It adds up exactly, on every level.'
      : `  It does NOT add up: what is listed gives ${why.derived ?? 'none'}.`,
    `  Made from ${Object.entries(why.versions)
      .map(([table, version]) => `${table} version ${version}`)
      .join(', ')}.`,
    '',
  ]
  if (why.figure === 'health_score') lines.push(...reasonLines(why))
  else if (why.quarter_hours.length === 0)
    lines.push('No such quarter-hour of this day has energy or a reading.')
  else for (const slot of why.quarter_hours) lines.push(...slotLines(why, slot, all))
  const most = all ? Infinity : LEFT_OUT_SHOWN
  for (const { bronze, timestamp, of } of why.duplicates.slice(0, most))
    lines.push(`duplicate  ${timestamp} repeats ${of}`, `           ${placeOf(bronze)}`)
  for (const { bronze, timestamp, reason, detail } of why.rejects.slice(0, most))
    lines.push(`rejected   ${timestamp ?? 'no time'}: ${reason}, ${detail}`, `           ${placeOf(bronze)}`)
  if (Math.max(why.duplicates.length, why.rejects.length) > most)
    lines.push('… --json has every one of them.')
  lines.push(`${why.duplicates.length} duplicates, ${why.rejects.length} rejects.`)
  return lines.join('\n')
}

/** The addends of a whole day fill a page: the first and the last ones tell how it goes on. */
function shortened(formula: string): string {
  const addends = formula.split(' + ')
  if (addends.length <= 8) return formula
  return [...addends.slice(0, 3), `… (${addends.length - 5} more)`, ...addends.slice(-2)].join(' + ')
}

function slotLines(why: Why, slot: Why['quarter_hours'][number], all: boolean): string[] {
  const energy = slot.energy_wh === null ? 'no energy' : `${slot.energy_wh} Wh ${slot.energy_method}`
  const lines = [`${slot.local}  ${energy}, covered ${slot.covered_s} of 900 s, ${slot.readings} readings`]
  if (why.figure === 'daily_cost' && slot.cost_formula !== null)
    lines.push(`       cost ${slot.cost_formula}`)
  const shown = all ? slot.parts : slot.parts.slice(0, PARTS_SHOWN)
  const byId = new Map(why.readings.map((reading) => [reading.id, reading]))
  for (const part of shown) {
    const reading = byId.get(part.reading)
    if (!reading) continue
    lines.push(
      `       ${part.energy_wh} Wh: ${part.formula === 'whole' ? '' : `${part.formula}, of `}${reading.formula}`,
    )
    lines.push(`         reading ${reading.timestamp}${valuesOf(reading)}`)
    lines.push(`         ${placeOf(reading.bronze)}`)
  }
  if (shown.length < slot.parts.length)
    lines.push(`       … and ${slot.parts.length - shown.length} more: --at ${slot.local} shows them all`)
  return lines
}

function valuesOf(reading: Why['readings'][number]): string {
  const values = [
    reading.channel === '' ? null : `channel ${reading.channel}`,
    reading.power_usage === null ? null : `${reading.power_usage} W`,
    reading.energy_consumption_wh === null ? null : `${reading.energy_consumption_wh} Wh reported`,
    reading.energy_total_wh === null ? null : `counter ${reading.energy_total_wh} Wh`,
    reading.status,
    ...reading.quality_reasons,
  ]
  return values
    .filter((value) => value !== null)
    .map((value) => `, ${value}`)
    .join('')
}

/** How many readings each reason concerns. */
function reasonLines(why: Why): string[] {
  const reasons = Map.groupBy(
    why.readings.flatMap((reading) => reading.quality_reasons),
    (reason) => reason,
  )
  return [...reasons].map(([reason, { length }]) => `${String(length).padStart(8)} readings: ${reason}`)
}

const placeOf = ({ topic, partition, offset, index, file }: Why['readings'][number]['bronze']): string =>
  `Bronze: ${topic}, partition ${partition}, offset ${offset}${index > 0 ? `, index ${index}` : ''}; ${file ?? 'no longer kept'}`
