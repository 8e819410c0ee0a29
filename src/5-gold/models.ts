import { readFileSync } from 'node:fs'
import { PlatformError } from '../errors.ts'
import type { Session, TableDefinition } from '../lake/types.ts'

/**
 * A model: one `.sql` file, one table. Its header states grain, key, inputs, and checks: conditions that hold for
 * every row, executed on every run.
 */
export interface Model {
  name: string
  sql: string
  key: string[]
  inputs: string[]
  checks: { name: string; condition: string }[]
}

/** Reads the model `<name>.sql` of this folder. */
export function readModel(name: string): Model {
  const sql = readFileSync(new URL(`./${name}.sql`, import.meta.url), 'utf8')
  const header = (word: string): string[] =>
    [...sql.matchAll(new RegExp(`^-- ${word}(?: |: )(.*)$`, 'gm'))].map((match) => match[1]!)
  const names = (word: string): string[] => (header(word)[0] ?? '').split(', ')
  return {
    name,
    sql,
    key: names('key'),
    inputs: names('inputs'),
    checks: header('check').map((line) => {
      const colon = line.indexOf(': ')
      return { name: line.slice(0, colon), condition: line.slice(colon + 2) }
    }),
  }
}

/** Checks the rows of a model; throws `model_check_failed` with the first check that does not hold. */
export async function checkRows(
  session: Session,
  model: Model,
  tempTable: string,
  definition?: TableDefinition,
): Promise<void> {
  const key = model.key.join(', ')
  const required = (definition?.columns ?? []).filter((column) => column.required)
  const checks = [
    ...required.map(({ name }) => ({ name: `${name}_not_null`, condition: `${name} IS NOT NULL` })),
    ...model.checks,
  ]
  const failing = checks.map(({ condition }) => `NOT coalesce(${condition}, FALSE)`)
  // One look for everything; only where it finds something is it asked what.
  const [any] = await session.rows(
    `SELECT 1 FROM ${tempTable} GROUP BY ${key}
     HAVING count(*) > 1 OR bool_or(${failing.join(' OR ') || 'FALSE'}) LIMIT 1`,
  )
  if (any === undefined) return
  const [repeated] = await session.rows(
    `SELECT ${key} FROM ${tempTable} GROUP BY ${key} HAVING count(*) > 1 LIMIT 1`,
  )
  if (repeated !== undefined) throw checkFailed(model, 'unique_key', repeated)
  const [bad] = await session.rows(
    `SELECT ${key}, ${failing.map((condition, index) => `${condition} AS failing_${index}`).join(', ')}
     FROM ${tempTable} WHERE ${failing.join(' OR ')} LIMIT 1`,
  )
  if (bad === undefined) return
  const index = checks.findIndex((_, at) => bad[`failing_${at}`] === true)
  throw checkFailed(
    model,
    checks[index]!.name,
    Object.fromEntries(model.key.map((name) => [name, bad[name]])),
  )
}

/** Throws `model_check_failed` where the sums over quarter-hours, hours and days differ. */
export async function checkSums(session: Session, model: Model): Promise<void> {
  const [bad] = await session.rows(`${model.sql} LIMIT 1`)
  if (bad !== undefined) throw checkFailed(model, 'sums_are_equal', bad)
}

function checkFailed(model: Model, check: string, row: Record<string, unknown>): PlatformError {
  const where = Object.entries(row).map(([name, value]) => `${name} ${String(value)}`)
  return new PlatformError(
    'model_check_failed',
    `Gold model ${model.name}: check ${check} does not hold, first at ${where.join(', ')}`,
    'Nothing was published and the previous figures stay; run "smarthouse verify" and report what it prints.',
  )
}
