import { LakeError } from './errors.ts'
import type { Column, ColumnType, TableDefinition } from './types.ts'

/** Delta's schema string (PROTOCOL.md, Schema Serialization Format), and the engine's names for the types. */

interface SchemaField {
  name: string
  type: unknown
  nullable: boolean
  metadata: Record<string, unknown>
}

const NESTED_TYPES: Readonly<Record<string, unknown>> = {
  'array<string>': { type: 'array', elementType: 'string', containsNull: true },
  'map<string,double>': { type: 'map', keyType: 'string', valueType: 'double', valueContainsNull: true },
}

const SQL_TYPES: Readonly<Record<string, string>> = {
  string: 'VARCHAR',
  boolean: 'BOOLEAN',
  integer: 'INTEGER',
  long: 'BIGINT',
  double: 'DOUBLE',
  float: 'FLOAT',
  date: 'DATE',
  timestamp: 'TIMESTAMPTZ',
  'array<string>': 'VARCHAR[]',
  'map<string,double>': 'MAP(VARCHAR, DOUBLE)',
}

export function schemaString(columns: readonly Column[]): string {
  const fields = columns.map((column): SchemaField => ({
    name: column.name,
    type: NESTED_TYPES[column.type] ?? column.type,
    nullable: column.required !== true,
    metadata: { comment: column.description },
  }))
  return JSON.stringify({ type: 'struct', fields })
}

/** Throws `lake_unsupported` for a type that `ColumnType` does not have, and for column invariants. */
export function columnsOfSchema(table: string, schema: string): Column[] {
  const { fields } = JSON.parse(schema) as { fields: SchemaField[] }
  return fields.map((field) => {
    const type = columnType(field.type)
    if (type === undefined || 'delta.invariants' in field.metadata) {
      const what = type === undefined ? `type ${JSON.stringify(field.type)}` : 'an invariant'
      throw new LakeError(
        'lake_unsupported',
        `Table ${table}: column ${field.name} has ${what}, which this lake does not know.`,
        'Read the table with the program that wrote it.',
      )
    }
    const description = typeof field.metadata.comment === 'string' ? field.metadata.comment : ''
    return { name: field.name, type, ...(field.nullable ? {} : { required: true }), description }
  })
}

function columnType(type: unknown): ColumnType | undefined {
  if (typeof type === 'string') {
    const name = type.replaceAll(' ', '')
    return Object.hasOwn(SQL_TYPES, name) || /^decimal\(\d+,\d+\)$/.test(name)
      ? (name as ColumnType)
      : undefined
  }
  const { type: kind, elementType, keyType, valueType } = type as Record<string, unknown>
  if (kind === 'array' && elementType === 'string') return 'array<string>'
  if (kind === 'map' && keyType === 'string' && valueType === 'double') return 'map<string,double>'
  return undefined
}

export function sqlType(type: ColumnType): string {
  return SQL_TYPES[type] ?? type.toUpperCase()
}

export function isPrimitive(type: ColumnType): boolean {
  return !Object.hasOwn(NESTED_TYPES, type)
}

export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quotedText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** `CAST("a" AS BIGINT) AS "a", …` */
export function castList(columns: readonly Column[]): string {
  return columns
    .map(({ name, type }) => `CAST(${quotedName(name)} AS ${sqlType(type)}) AS ${quotedName(name)}`)
    .join(', ')
}

/**
 * The columns of an existing table after `definition`: nothing may change but descriptions and columns that
 * come at the end and may be null (files written before read as null there).
 */
export function evolvedColumns(definition: TableDefinition, existing: readonly Column[]): Column[] {
  const refuse = (what: string): never => {
    throw new LakeError(
      'lake_unsupported',
      `Table ${definition.name}: ${what}.`,
      'Move the table aside and rebuild it, or go back to the version of the program that wrote it.',
    )
  }
  const wanted = new Map(definition.columns.map((column) => [column.name, column]))
  for (const column of existing) {
    const now = wanted.get(column.name)
    if (!now) {
      throw new LakeError(
        'data_folder_newer',
        `Table ${definition.name} has a column ${column.name} that this version of the program does not know.`,
        'Start the version of the program that wrote it.',
      )
    }
    if (now.type !== column.type) refuse(`column ${column.name} is ${column.type}, not ${now.type}`)
    if (now.required && !column.required) refuse(`column ${column.name} may hold nulls already`)
  }
  const known = new Set(existing.map((column) => column.name))
  const added = definition.columns.filter((column) => !known.has(column.name))
  for (const column of added) if (column.required) refuse(`added column ${column.name} must allow null`)
  return [...existing.map((column) => wanted.get(column.name) ?? column), ...added]
}
