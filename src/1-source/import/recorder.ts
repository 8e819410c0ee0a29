/**
 * Home Assistant's recorder database (SQLite): the states that it still keeps, and before them the long-term statistics.
 * Tables of all versions since 2021 are read; the newer ones have entities and attributes apart and times as epochs.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { PlatformError } from '../../errors.ts'
import { wattHoursOfKilowattHours } from '../../units.ts'
import type { Measures } from '../decoders/draft.ts'
import {
  entityMessage,
  stateFields,
  understandEntity,
  type Entity,
  type Understanding,
} from './home-assistant.ts'
import { notTelemetry, type MappingOptions } from './options.ts'
import type { SourceRow } from './rows.ts'
import type { RowReader, RowResult } from './table.ts'
import { isoTime } from './times.ts'

const HOUR_S = 3600

/** One row of the database: a state, or the statistics of an hour. */
interface Recorded {
  entity: string
  /** Seconds since 1970: of the state, or of the beginning of the hour. */
  at: number | string
  state: string | number | null
  /** Only of statistics. */
  mean?: number | null
  sum?: number | null
}

interface RecordedEntity extends Entity {
  statisticsUnit?: string | undefined
}

export interface Recorder {
  entities: Map<string, Understanding>
  rows(onShare: (share: number) => void): Generator<SourceRow>
  reader(form: { source: string; type: string | undefined; tenant: string | undefined }): RowReader
}

/** Throws `file_not_telemetry` where it is no such database, or the unit of an energy is nowhere. */
export function openRecorder(path: string, options: MappingOptions): Recorder {
  const entities = withDatabase(path, (database) => entitiesOf(database, path))
  const understood = new Map(entities.map((entity) => [entity.id, understand(entity, options)]))
  return {
    entities: understood,
    rows: (onShare) => recordedRows(path, onShare),
    reader: (form) => (row) => read(row.cells[0] as Recorded, understood, form),
  }
}

/** Home Assistant keeps statistics in a unit of their own, which may differ from that of the states (kWh of Wh). */
function understand({ statisticsUnit, ...entity }: RecordedEntity, options: MappingOptions): Understanding {
  const understanding = understandEntity(entity, options)
  const { unit } = understandEntity({ ...entity, unit: statisticsUnit ?? entity.unit }, options)
  // Named only where it differs: what is understood tells whether a file has been imported before.
  return unit === understanding.unit ? understanding : { ...understanding, statisticsUnit: unit }
}

function withDatabase<T>(path: string, use: (database: DatabaseSync) => T): T {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: 10_000 })
    return use(database)
  } catch (error) {
    if (error instanceof PlatformError) throw error
    throw new PlatformError(
      'file_not_telemetry',
      `The database ${path} cannot be read (${error instanceof Error ? error.message : String(error)}), and nothing of it was taken.`,
      'Copy it while Home Assistant is stopped, or make a backup, and import that.',
      { cause: error },
    )
  } finally {
    database?.close()
  }
}

const columnsOf = (database: DatabaseSync, table: string): Set<string> =>
  new Set(
    database
      .prepare(`PRAGMA table_info(${table})`)
      .all()
      .map(({ name }) => String(name)),
  )

/** What of both layouts a database has. */
function layout(database: DatabaseSync) {
  const states = columnsOf(database, 'states')
  const statistics = columnsOf(database, 'statistics')
  const has = (table: string): boolean => columnsOf(database, table).size > 0
  const isApart = states.has('metadata_id') && has('states_meta')
  const own = states.has('entity_id') ? 's.entity_id' : 'NULL'
  const text = (column: string, known: Set<string>, alias: string): string =>
    known.has(column) ? `${alias}.${column}` : 'NULL'
  return {
    hasStates: states.size > 0,
    hasStatistics: statistics.size > 0 && has('statistics_meta'),
    entity: isApart ? `COALESCE(m.entity_id, ${own})` : own,
    joins: `${isApart ? 'LEFT JOIN states_meta m ON m.metadata_id = s.metadata_id' : ''}
      ${states.has('attributes_id') && has('state_attributes') ? 'LEFT JOIN state_attributes a ON a.attributes_id = s.attributes_id' : ''}`,
    attributes: `COALESCE(${states.has('attributes_id') && has('state_attributes') ? 'a.shared_attrs' : 'NULL'}, ${text('attributes', states, 's')})`,
    at: `COALESCE(${text('last_updated_ts', states, 's')}, ${text('last_updated', states, 's')}, ${text('last_changed', states, 's')})`,
    start: `COALESCE(${text('start_ts', statistics, 's')}, ${text('start', statistics, 's')})`,
  }
}

function entitiesOf(database: DatabaseSync, path: string): RecordedEntity[] {
  const { hasStates, hasStatistics, entity, joins, attributes } = layout(database)
  if (!hasStates && !hasStatistics)
    throw notTelemetry(
      path,
      'it is a SQLite database, but not the one of Home Assistant: it has no table "states" or "statistics"',
      'Write what is in it as CSV or Parquet.',
    )
  const found = new Map<string, RecordedEntity>()
  if (hasStatistics)
    for (const row of database
      .prepare('SELECT statistic_id AS id, unit_of_measurement AS unit FROM statistics_meta')
      .all()) {
      const unit = row.unit === null ? undefined : String(row.unit)
      found.set(String(row.id), { id: String(row.id), unit, statisticsUnit: unit })
    }
  if (!hasStates) return [...found.values()]
  // The newest attributes of each entity that name a unit or a class.
  const rows = database.prepare(
    `SELECT ${entity} AS id, ${attributes} AS attributes, max(s.state_id) AS newest FROM states s ${joins}
     WHERE ${entity} IS NOT NULL GROUP BY 1, 2 ORDER BY newest`,
  )
  for (const { id, attributes: text } of rows.iterate()) {
    const known: RecordedEntity = found.get(String(id)) ?? { id: String(id) }
    const told = parsed(text)
    const word = (name: string): string | undefined =>
      typeof told[name] === 'string' ? told[name] : undefined
    found.set(String(id), {
      ...known,
      unit: word('unit_of_measurement') ?? known.unit,
      deviceClass: word('device_class') ?? known.deviceClass,
      stateClass: word('state_class') ?? known.stateClass,
    })
  }
  return [...found.values()]
}

function parsed(text: unknown): Record<string, unknown> {
  try {
    return JSON.parse(String(text)) as Record<string, unknown>
  } catch {
    return {}
  }
}

/** Statistics of the hours that ended before an entity's first state, then the states. */
function* recordedRows(path: string, onShare: (share: number) => void): Generator<SourceRow> {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 10_000 })
  try {
    const { hasStates, hasStatistics, entity, joins, at, start } = layout(database)
    const firsts = new Map<string, number>()
    const statements: StatementSync[] = []
    if (hasStates) {
      const first = database.prepare(
        `SELECT ${entity} AS id, min(${at}) AS at FROM states s ${joins} GROUP BY 1`,
      )
      for (const { id, at: time } of first.all())
        firsts.set(String(id), secondsOf(time as number | string | null))
    }
    if (hasStatistics)
      statements.push(
        database.prepare(
          `SELECT sm.statistic_id AS entity, ${start} AS at, s.state, s.mean, s.sum FROM statistics s
           JOIN statistics_meta sm ON sm.id = s.metadata_id ORDER BY ${start}, s.id`,
        ),
      )
    if (hasStates)
      statements.push(
        database.prepare(`SELECT ${entity} AS entity, ${at} AS at, s.state FROM states s ${joins}
          WHERE ${entity} IS NOT NULL ORDER BY ${at}, s.state_id`),
      )
    let line = 0
    for (const [index, statement] of statements.entries()) {
      for (const row of statement.iterate() as Iterable<unknown> as Iterable<Recorded>) {
        const isStatistics = 'mean' in row
        if (isStatistics && secondsOf(row.at) + HOUR_S > (firsts.get(row.entity) ?? Infinity)) continue
        yield { line: ++line, cells: [row] }
      }
      onShare((index + 1) / statements.length)
    }
  } finally {
    database.close()
  }
}

/** Epoch seconds; texts of older versions are UTC without saying so. NaN where it is neither. */
function secondsOf(at: number | string | null): number {
  if (typeof at === 'number') return at
  return at === null ? Number.NaN : Date.parse(`${at.trim().replace(' ', 'T').replace(/Z?$/, 'Z')}`) / 1000
}

function read(
  row: Recorded,
  entities: ReadonlyMap<string, Understanding>,
  form: { source: string; type: string | undefined; tenant: string | undefined },
): RowResult {
  const understanding = entities.get(row.entity)
  const seconds = secondsOf(row.at)
  if (!understanding) return { messages: [], badCells: 0, fault: 'no_device' }
  if (!Number.isFinite(seconds)) return { messages: [], badCells: 0, fault: 'no_time' }
  const type = form.type ?? understanding.deviceType
  const at = (s: number, fields: object) =>
    entityMessage(row.entity, fields, { ...form, type, timestamp: microsIso(s) })
  if (!('mean' in row)) {
    const fields = stateFields(row.state, row.entity, understanding)
    if (typeof fields === 'string') return { messages: [], badCells: 0, fault: fields }
    return { messages: [{ index: 0, message: at(seconds, fields) }], badCells: 0 }
  }
  const messages = hourOf(row, inStatisticsUnit(understanding)).map(({ isEnd, fields }, index) => ({
    index,
    message: at(isEnd ? seconds + HOUR_S : seconds, fields),
  }))
  return messages.length > 0 ? { messages, badCells: 0 } : { messages, badCells: 0, fault: 'no_value' }
}

const inStatisticsUnit = (understanding: Understanding): Understanding => ({
  ...understanding,
  unit: understanding.statisticsUnit ?? understanding.unit,
})

/**
 * Statistics of an hour: a counter's state at its end; the mean of a power as such and as the energy of the hour; the mean
 * of anything else.
 */
function hourOf(
  { entity, state, mean, sum }: Recorded,
  understanding: Understanding,
): { isEnd: boolean; fields: Partial<Measures> & { energy_consumption_wh?: number } }[] {
  const counter = state ?? sum ?? null
  if (mean === null || mean === undefined) {
    const fields = counter === null ? 'no_value' : stateFields(counter, entity, understanding)
    return typeof fields === 'string' ? [] : [{ isEnd: true, fields }]
  }
  const fields = stateFields(mean, entity, understanding)
  if (typeof fields === 'string') return []
  const { power_usage: watts } = fields
  const energy =
    watts === undefined
      ? []
      : [{ isEnd: true, fields: { energy_consumption_wh: wattHoursOfKilowattHours(watts / 1000) } }]
  return [{ isEnd: false, fields }, ...energy]
}

/** @param seconds since 1970 */
function microsIso(seconds: number): string {
  const whole = Math.floor(seconds)
  const micros = Math.round((seconds - whole) * 1e6)
  return micros >= 1e6 ? isoTime((whole + 1) * 1000) : isoTime(whole * 1000, String(micros).padStart(6, '0'))
}
