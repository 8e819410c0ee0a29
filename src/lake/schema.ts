import {
  columnType,
  quotedName,
  schemaType,
  sqlType,
  type SchemaField,
  type SchemaType,
} from './data-types.ts'
import { LakeError } from './errors.ts'
import type { Column, TableDefinition } from './types.ts'

export { isPrimitive, quotedName, sqlType } from './data-types.ts'

/** Delta's schema string (PROTOCOL.md, Schema Serialization Format), and columns in SQL. */

export function schemaString(columns: readonly Column[]): string {
  const fields = columns.map((column): SchemaField => ({
    name: column.name,
    type: schemaType(column.type),
    nullable: column.required !== true,
    metadata: { comment: column.description },
  }))
  return JSON.stringify({ type: 'struct', fields })
}

/** Throws `lake_unsupported` for a type that `ColumnType` does not have, and for column invariants. */
export function columnsOfSchema(table: string, schema: string): Column[] {
  const { fields } = JSON.parse(schema) as { fields: SchemaField[] }
  return fields.map((field) => {
    if (hasInvariant(field)) throw unknownColumn(table, field.name, 'an invariant (columnInvariants)')
    const { comment } = field.metadata ?? {}
    return {
      name: field.name,
      type: typeOf(table, field),
      ...(field.nullable ? {} : { required: true }),
      description: typeof comment === 'string' ? comment : '',
    }
  })
}

function typeOf(table: string, field: SchemaField): Column['type'] {
  try {
    return columnType(field.type)
  } catch (error) {
    throw unknownColumn(table, field.name, `type ${(error as Error).message}`)
  }
}

function unknownColumn(table: string, name: string, what: string): LakeError {
  return new LakeError(
    'lake_unsupported',
    `Table ${table}: column ${name} has ${what}, which this lake does not know.`,
    'Read the table with the program that wrote it.',
  )
}

/** A writer must refuse what it does not check, however deep it stands (PROTOCOL.md, Column Invariants). */
function hasInvariant({ metadata = {}, type }: Pick<SchemaField, 'metadata' | 'type'>): boolean {
  const inside = (nested: SchemaType): boolean => hasInvariant({ metadata: {}, type: nested })
  if ('delta.invariants' in metadata) return true
  if (typeof type === 'string') return false
  if (type.type === 'struct') return type.fields.some(hasInvariant)
  return type.type === 'array' ? inside(type.elementType) : inside(type.keyType) || inside(type.valueType)
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
