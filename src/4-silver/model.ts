/**
 * A model is one `.sql` file of this folder: one query over temporary tables of the session, named in its header, whose
 * result becomes the temporary table of its own name. The header's checks are conditions that hold for every row; they
 * are part of each query that is run, so a row that breaks one stops the run before anything is published.
 */
import { readFileSync } from 'node:fs'
import { PlatformError } from '../errors.ts'
import type { Session } from '../lake/types.ts'
import { SILVER_TABLES } from './tables.ts'

const FAILED = 'silver model check failed: '

interface Model {
  name: string
  sql: string
  checks: { name: string; condition: string }[]
}

const known = new Map<string, Model>()

function modelOf(name: string): Model {
  const model =
    known.get(name) ?? parseModel(name, readFileSync(new URL(`./${name}.sql`, import.meta.url), 'utf8'))
  known.set(name, model)
  return model
}

export function parseModel(name: string, sql: string): Model {
  const checks = [...sql.matchAll(/^-- check (\w+): (.*)$/gm)].map(([, check, condition]) => ({
    name: check ?? '',
    condition: condition ?? '',
  }))
  return { name, sql, checks: [...checks, ...requiredColumns(name)] }
}

/** Of a model that becomes a table: the columns that are never null there. */
function requiredColumns(name: string): Model['checks'] {
  const table = SILVER_TABLES.find((one) => one.name === `silver.${name}`)
  const required = (table?.columns ?? []).filter((column) => column.required)
  return required.map((column) => ({
    name: `${column.name}_not_null`,
    condition: `${column.name} IS NOT NULL`,
  }))
}

/** The model's query; one row for which a check does not hold makes it fail. */
export function checkedQuery({ name, sql, checks }: Model): string {
  if (checks.length === 0) return sql
  const failing = checks.map(
    (check) =>
      `WHEN NOT coalesce(${check.condition}, false) THEN error('${FAILED}${name}, check ${check.name}')`,
  )
  return `SELECT * FROM (\n${sql}\n) WHERE CASE ${failing.join(' ')} ELSE true END`
}

/** Results that are there and known to be without a row, by session. */
const empty = new WeakMap<Session, Set<string>>()

/** The result of a model as the temporary table of its name, or of another. Throws `model_check_failed`. */
export async function materialise(session: Session, model: string, table = model): Promise<void> {
  empty.get(session)?.delete(table)
  await explained(session.run(`CREATE OR REPLACE TEMP TABLE ${table} AS\n${checkedQuery(modelOf(model))}`))
}

/**
 * As `materialise`, where the caller knows whether there can be a row: where there cannot, and there was none the last
 * time either, the result stays as it is. A step of few readings costs what its statements cost.
 */
export async function materialiseIf(
  session: Session,
  hasRows: boolean,
  model: string,
  table = model,
): Promise<void> {
  const names = empty.get(session) ?? new Set()
  empty.set(session, names)
  if (!hasRows && names.has(table)) return
  await materialise(session, model, table)
  if (!hasRows) names.add(table)
}

/** Adds the result of a model to a table; returns how many rows that were. */
export async function append(session: Session, model: string, table: string): Promise<number> {
  empty.get(session)?.delete(table)
  const rows = await explained(
    session.rows(`INSERT INTO ${table}\n${checkedQuery(modelOf(model))}\nRETURNING 1 AS one`),
  )
  return rows.length
}

/** A model whose rows are read once and need not be kept: a view. */
export async function view(session: Session, model: string): Promise<void> {
  await session.run(`CREATE OR REPLACE TEMP VIEW ${model} AS\n${checkedQuery(modelOf(model))}`)
}

/**
 * What a row alone cannot say: every arrival at hand is there once, and becomes exactly one row, reject, duplicate, or
 * one that waits for the late pass. `expected` says which of the tables this run has made at all. Throws
 * `model_check_failed` before anything is written.
 */
export async function checkAccounting(
  session: Session,
  expected = { rejects: 1, duplicates: 1, waiting: 0 },
): Promise<void> {
  const key = 'stream_topic, stream_partition, stream_offset, stream_index'
  const [twice] = await session.rows<Record<string, unknown>>(
    `SELECT ${key} FROM arrivals GROUP BY ${key} HAVING count(*) > 1 LIMIT 1`,
  )
  if (twice !== undefined)
    throw checkFailed(`arrivals, check unique_key, first at ${Object.values(twice).join(' ')}`)
  const made = (table: 'rejects' | 'duplicates'): string =>
    expected[table] > 0 ? `(SELECT count(*) FROM ${table})` : '0'
  const [count] = await session.rows<Record<'arrivals' | 'rows' | 'keys' | 'rejects' | 'duplicates', number>>(
    `SELECT (SELECT count(*) FROM arrivals) AS arrivals, (SELECT count(*) FROM accepted) AS rows,
       (SELECT count(DISTINCT seq) FROM accepted) AS keys, ${made('rejects')} AS rejects, ${made('duplicates')} AS duplicates`,
  )
  const { arrivals, rows, keys, rejects, duplicates } = count!
  const { waiting } = expected
  if (rows !== keys) throw checkFailed(`readings, check unique_key (${rows} rows of ${keys} arrivals)`)
  if (arrivals !== rows + rejects + duplicates + waiting)
    throw checkFailed(
      `readings, check accounting (${arrivals} arrivals, ${rows} rows + ${rejects} rejects + ${duplicates} duplicates + ${waiting} that wait)`,
    )
}

/** Turns the engine's report of a failed check, also one in a view that is being written, into the platform's. */
export async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const text = error instanceof Error ? error.message : ''
    const at = text.indexOf(FAILED)
    if (at < 0) throw error
    throw checkFailed(text.slice(at + FAILED.length).split('\n')[0] ?? '')
  }
}

function checkFailed(what: string): PlatformError {
  return new PlatformError(
    'model_check_failed',
    `Silver model ${what} does not hold`,
    'Nothing was published and the previous rows stay; run "smarthouse verify" and report what it prints.',
  )
}
