import type { ColumnType } from './types.ts'

/**
 * Data types as Delta's schema has them (PROTOCOL.md, Schema Serialization Format), as text (`ColumnType`), and as
 * the engine names them.
 */
export type SchemaType =
  | string
  | { type: 'array'; elementType: SchemaType; containsNull: boolean }
  | { type: 'map'; keyType: SchemaType; valueType: SchemaType; valueContainsNull: boolean }
  | { type: 'struct'; fields: SchemaField[] }

export interface SchemaField {
  name: string
  type: SchemaType
  nullable: boolean
  metadata: Record<string, unknown>
}

const PRIMITIVES: Readonly<Record<string, string>> = {
  string: 'VARCHAR',
  boolean: 'BOOLEAN',
  byte: 'TINYINT',
  short: 'SMALLINT',
  integer: 'INTEGER',
  long: 'BIGINT',
  double: 'DOUBLE',
  float: 'FLOAT',
  binary: 'BLOB',
  date: 'DATE',
  timestamp: 'TIMESTAMPTZ',
}

export function isPrimitive(type: ColumnType): boolean {
  return !/^(array|map|struct)</.test(type)
}

/** Throws `TypeError` with the type's text for one that this lake does not know. */
export function columnType(type: SchemaType): ColumnType {
  return textOf(type) as ColumnType
}

function textOf(type: SchemaType): string {
  if (typeof type === 'string') {
    const name = type.replaceAll(' ', '')
    if (Object.hasOwn(PRIMITIVES, name) || /^decimal\(\d+,\d+\)$/.test(name)) return name
  } else if (type.type === 'array') return `array<${textOf(type.elementType)}>`
  else if (type.type === 'map') return `map<${textOf(type.keyType)},${textOf(type.valueType)}>`
  else if (type.type === 'struct') {
    const fields = type.fields.map((field) => `${fieldName(field.name)}:${textOf(field.type)}`)
    return `struct<${fields.join(',')}>`
  }
  throw new TypeError(typeof type === 'string' ? type : JSON.stringify(type))
}

function fieldName(name: string): string {
  return /^\w+$/.test(name) ? name : `\`${name.replaceAll('`', '``')}\``
}

/** The reverse of `columnType`; everything inside a nested type may be null. */
export function schemaType(type: ColumnType): SchemaType {
  const [parsed, rest] = parse(type)
  if (rest !== '') throw new TypeError(`Not a column type: ${type}`)
  return parsed
}

/** The type that a text begins with, and what comes after it. */
function parse(text: string): [SchemaType, string] {
  const word = /^[a-z]+(\(\d+,\d+\))?/.exec(text)?.[0] ?? ''
  const rest = text.slice(word.length)
  if (word === 'array') {
    const [elementType, after] = parse(rest.slice(1))
    return [{ type: 'array', elementType, containsNull: true }, after.slice(1)]
  }
  if (word === 'map') {
    const [keyType, afterKey] = parse(rest.slice(1))
    const [valueType, after] = parse(afterKey.slice(1))
    return [{ type: 'map', keyType, valueType, valueContainsNull: true }, after.slice(1)]
  }
  if (word === 'struct') return parseFields(rest)
  if (Object.hasOwn(PRIMITIVES, word) || word.startsWith('decimal(')) return [word, rest]
  throw new TypeError(`Not a column type: ${text}`)
}

/** From `<a:integer,…>` on. */
function parseFields(text: string): [SchemaType, string] {
  const fields: SchemaField[] = []
  let rest = text
  while (rest !== '' && !rest.startsWith('>')) {
    const [found = '', quoted, plain] = /^[<,](?:`((?:[^`]|``)*)`|(\w+)):/.exec(rest) ?? []
    if (found === '') throw new TypeError(`Not the fields of a struct: ${text}`)
    const [type, after] = parse(rest.slice(found.length))
    fields.push({ name: quoted?.replaceAll('``', '`') ?? plain ?? '', type, nullable: true, metadata: {} })
    rest = after
  }
  return [{ type: 'struct', fields }, rest.slice(1)]
}

export function sqlType(type: ColumnType): string {
  return sqlOf(schemaType(type))
}

function sqlOf(type: SchemaType): string {
  if (typeof type === 'string') return PRIMITIVES[type] ?? type.toUpperCase()
  if (type.type === 'array') return `${sqlOf(type.elementType)}[]`
  if (type.type === 'map') return `MAP(${sqlOf(type.keyType)}, ${sqlOf(type.valueType)})`
  return `STRUCT(${type.fields.map((field) => `${quotedName(field.name)} ${sqlOf(field.type)}`).join(', ')})`
}

export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
