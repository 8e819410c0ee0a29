/**
 * A model is one `.sql` file of this folder: one query over temporary tables of the session, named in its header, whose
 * result becomes the temporary table of its own name. The header's checks are conditions that hold for every row; they
 * are part of each query that is run, so a row that breaks one stops the run before anything is published.
 */
import { readFileSync } from 'node:fs'
import { PlatformError } from '../errors.ts'
import type { Session } from '../lake/types.ts'

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
  return { name, sql, checks }
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

/** Turns the engine's report of a failed check, also one in a view that is being written, into the platform's. */
export async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const text = error instanceof Error ? error.message : ''
    const at = text.indexOf(FAILED)
    if (at < 0) throw error
    throw new PlatformError(
      'model_check_failed',
      `Silver model ${text.slice(at + FAILED.length).split('\n')[0]} does not hold`,
      'Nothing was published and the previous rows stay; run "smarthouse verify" and report what it prints.',
    )
  }
}
