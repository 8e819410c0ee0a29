import { DuckDBInstance } from '@duckdb/node-api'
import { quotedName, sqlType } from './schema.ts'
import type { Column, Planner, Predicate, Scan, Session, StatValue } from './types.ts'

/**
 * What statements ask of tables, taken from the plans that the engine makes for them over empty tables of the same
 * columns. So whatever the optimizer finds out (through joins, subqueries and views) serves for choosing files.
 */
export async function openPlanner(
  open: (instance: DuckDBInstance) => Promise<Session>,
  tables: ReadonlyMap<string, readonly Column[]>,
): Promise<Planner> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    autoload_known_extensions: 'false',
  })
  const session = await open(instance)
  for (const [table, columns] of tables) {
    const [layer = '', name = ''] = table.split('.')
    const list = columns.map((column) => `${quotedName(column.name)} ${sqlType(column.type)}`)
    await session.run(`CREATE SCHEMA IF NOT EXISTS ${quotedName(layer)}`)
    await session.run(`CREATE TABLE ${quotedName(layer)}.${quotedName(name)} (${list.join(', ')})`)
  }
  // Its statistics would say that the tables are empty, and no scan would be left to look at.
  await session.run(`SET disabled_optimizers = 'statistics_propagation'; SET enable_external_access = false;
    SET lock_configuration = true`)
  return {
    async scans(sql, parameters) {
      const rows = await session.rows<{ explain_value: string }>(`EXPLAIN (FORMAT json) ${sql}`, parameters)
      const plan = JSON.parse(rows[0]?.explain_value ?? '[]') as PlanNode[]
      return plan.flatMap(nodesOf).flatMap((node) => scanOf(node, tables))
    },
    async close() {
      await session.close()
      instance.closeSync()
    },
  }
}

interface PlanNode {
  extra_info?: { Table?: string; Filters?: string | string[] }
  children?: PlanNode[]
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.children ?? []).flatMap(nodesOf)]
}

function scanOf({ extra_info: info }: PlanNode, tables: ReadonlyMap<string, readonly Column[]>): Scan[] {
  const table = info?.Table?.replace(/^memory\./, '')
  const columns = table === undefined ? undefined : tables.get(table)
  if (table === undefined || columns === undefined) return []
  const filters = [info?.Filters ?? []].flat()
  return [{ table, predicates: filters.flatMap((text) => predicatesOf(text, columns)) }]
}

/**
 * The predicates of one filter as the plan spells it: `a>=1 AND a<=3 AND (a IS NOT NULL)`, `optional: d='x' OR d='y'`.
 * Whatever is not wholly understood says nothing, so that no file is passed over for it.
 */
export function predicatesOf(text: string, columns: readonly Column[]): Predicate[] {
  const names = columns.map(({ name }) => name).toSorted((a, b) => b.length - a.length)
  const name = names.map((each) => RegExp.escape(each)).join('|')
  const comparison = `(?<name>${name})(?<is>=|<=|>=|<|>)(?<value>'(?:[^']|'')*'|[-+.\\w]+)(?:::(?<type>[A-Z ]+?))?`
  const term = new RegExp(
    `(?:optional: )?(?:${comparison}|\\((?<tested>${name}) IS (?<not>NOT )?NULL\\)|Dynamic Filter \\([^()]*\\))(?<then> AND | OR |$)`,
    'y',
  )
  const found: Predicate[] = []
  const joints = new Set<string>()
  while (term.lastIndex < text.length) {
    const { groups } = term.exec(text) ?? {}
    if (!groups) return []
    if (groups.then) joints.add(groups.then)
    if (groups.tested !== undefined)
      found.push({ column: groups.tested, is: groups.not === undefined ? 'null' : 'not null' })
    else if (groups.name !== undefined) found.push(...comparisonOf(groups, columns))
    else if (joints.has(' OR ')) return []
  }
  if (joints.size > 1) return []
  return joints.has(' OR ') ? oneOf(found, joints.size === 0 ? 0 : text.split(' OR ').length) : found
}

/** Of alternatives only those that name values of one column can be looked for in statistics. */
function oneOf(found: readonly Predicate[], alternatives: number): Predicate[] {
  const [first] = found
  const values = found.flatMap((each) =>
    each.is === '=' && each.column === first?.column ? [each.value] : [],
  )
  return first !== undefined && values.length === alternatives
    ? [{ column: first.column, is: 'in', values }]
    : []
}

function comparisonOf(
  { name = '', is = '', value = '', type }: Record<string, string | undefined>,
  columns: readonly Column[],
): Predicate[] {
  const column = columns.find((each) => each.name === name)
  const literal = column && literalOf(column, value, type)
  return literal === undefined ? [] : [{ column: name, is: is as '=', value: literal }]
}

function literalOf(column: Column, text: string, type: string | undefined): StatValue | undefined {
  const quoted = text.startsWith("'") ? text.slice(1, -1).replaceAll("''", "'") : undefined
  switch (column.type) {
    case 'string':
      return type === undefined ? quoted : undefined
    case 'date':
      return type === 'DATE' && /^\d{4}-\d\d-\d\d$/.test(quoted ?? '') ? quoted : undefined
    case 'timestamp':
      return type === 'TIMESTAMP WITH TIME ZONE' &&
        /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00$/.test(quoted ?? '')
        ? quoted?.replace(' ', 'T').replace('+00', 'Z')
        : undefined
    case 'boolean':
      return undefined
    default:
      return quoted === undefined && type === undefined ? numberOf(column, text) : undefined
  }
}

function numberOf(column: Column, text: string): StatValue | undefined {
  if (column.type.startsWith('decimal')) return /^-?\d+(\.\d+)?$/.test(text) ? text : undefined
  const value = Number(text)
  const exact = column.type === 'double' || column.type === 'float' || Number.isSafeInteger(value)
  return Number.isFinite(value) && exact ? value : undefined
}
