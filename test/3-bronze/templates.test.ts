import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { StreamRecord } from '../../src/2-stream/log.ts'
import { SHARED_FIELDS, type TypedFields } from '../../src/3-bronze/fields.ts'
import { parseRecord } from '../../src/3-bronze/parse.ts'
import { Templates } from '../../src/3-bronze/templates.ts'

const recordOf = (value: Uint8Array): StreamRecord => ({
  topic: 't',
  partition: 0,
  offset: 1,
  ingestionTimeUs: 0,
  key: null,
  value,
})

/** What both ways must agree on; null where a message was not read off. */
function readOff(templates: Templates, value: Uint8Array): object | null {
  const found = templates.readOff(value)
  if (found === undefined) return null
  const { shared, own } = found
  return plain({ ...noTexts(shared), ...own, measures: [...own.measures] })
}

const noTexts = (fields: object): object =>
  Object.fromEntries(SHARED_FIELDS.map((name) => [name, (fields as Record<string, unknown>)[name]]))

const plain = (fields: object): object => {
  const { metrics, ...others } = fields as TypedFields
  return { ...others, metrics: metrics === null ? null : (JSON.parse(metrics) as unknown) }
}

test('a message that differs from one before only in its numbers and its time is read off', () => {
  const templates = new Templates()
  const message = (power: string, time: string, humidity: string): Buffer =>
    Buffer.from(
      `{"device_id": "Kühlschrank {1}","timestamp":"${time}","power_usage":${power},"status":null,"metrics":{"humidity_pct":${humidity},"voltage_v":230}}`,
    )
  const first = message('12.5', '2024-01-15T10:30:00Z', '40')
  assert.equal(templates.readOff(first), undefined)
  templates.learn(first, parseRecord(recordOf(first)).rows[0]!)
  const found = templates.readOff(message('-0.125', '2024-02-29T23:59:59.000001Z', '40.5'))
  assert.ok(found)
  assert.equal(found.shared.device_id, 'Kühlschrank {1}')
  // 2024-02-29 is day 19,782 since 1970: 54 years of 365 days, 13 leap days before it, and 59 days of its own year.
  assert.deepEqual([found.own.seconds, found.own.micros], [19_782 * 86_400 + 86_399, 1])
  assert.deepEqual(found.own.measures, [NaN, -0.125, NaN, NaN])
  assert.equal(found.own.metrics, '{"humidity_pct":40.5,"voltage_v":230}')
  // Another text, an exponent, a day that does not exist, a zero with a sign: not beyond doubt.
  for (const other of [
    message('12.5', '2024-01-15T10:30:00Z', '40').subarray(0, -1),
    Buffer.from(String(message('1', '2024-01-15T10:30:00Z', '40')).replace('Kühl', 'Kuhl')),
    message('1e3', '2024-01-15T10:30:00Z', '40'),
    message('012', '2024-01-15T10:30:00Z', '40'),
    message('1', '2023-02-29T10:30:00Z', '40'),
    message('1', '2024-01-15T10:30:00Z', '-0'),
    message('0.1234567890123456', '2024-01-15T10:30:00Z', '40'),
  ])
    assert.equal(templates.readOff(other), undefined, String(other))
})

const NUMBERS = [
  '0',
  '7',
  '-12',
  '230.5',
  '0.1',
  '-0',
  '1e3',
  '012',
  '1.',
  '1e999',
  '123456789012345',
  '0.30000000000000004',
  '9007199254740993',
] as const
const TIMES = [
  '2024-01-15T10:30:00Z',
  '2024-02-30T10:30:00Z',
  '2024-01-15T10:30:00.123456Z',
  '2024-01-15T10:30:00.1234567Z',
  '2024-01-15T10:30:00+01:00',
  '0000-01-15T10:30:00Z',
  'never',
] as const

const number = fc.oneof(
  fc.constantFrom(...NUMBERS),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
)
const time = fc.constantFrom(...TIMES).map((text) => `"${text}"`)
const text = fc.constantFrom(
  '"a"',
  '"ü"',
  '""',
  '"\\u0041"',
  '"{"',
  '"live"',
  '"1"',
  '"2024-01-15T10:30:00Z"',
)
const value = fc.oneof(number, number, time, text, fc.constantFrom('null', 'true', '{}', '[1]'))
const metrics = fc
  .array(
    fc.tuple(
      fc.constantFrom('a_v', 'b}', '{c', '1', 'ü', '__proto__'),
      fc.oneof(number, text, fc.constant('null')),
    ),
    { maxLength: 3 },
  )
  .map((members) => `{${members.map(([name, one]) => `"${name}":${one}`).join(',')}}`)
const member = fc.oneof(
  fc.tuple(
    fc.constantFrom('device_id', 'status', 'ingest_kind', 'tenant_id', 'channel', 'event_id', 'unknown'),
    value,
  ),
  fc.tuple(
    fc.constantFrom('power_usage', 'temperature', 'energy_total_wh'),
    fc.oneof(number, number, number, value),
  ),
  fc.tuple(fc.constant('timestamp'), fc.oneof(time, time, value)),
  fc.tuple(fc.constant('metrics'), fc.oneof(metrics, value)),
)
/** Most messages have nothing odd, or one thing. */
const ordinary = fc.tuple(
  fc.constant(['device_id', '"a"'] as const),
  fc.tuple(fc.constant('power_usage'), fc.constantFrom('0', '230.5', '-12')),
  fc.tuple(fc.constant('timestamp'), fc.constant(`"${TIMES[0]}"`)),
  fc.tuple(fc.constant('metrics'), fc.constantFrom('{}', '{"a_v":1}', '{"a_v":1,"ü":-2.5}')),
)
const allMembers = fc.oneof(
  fc.array(member, { minLength: 1, maxLength: 6 }),
  fc.tuple(ordinary, fc.array(member, { maxLength: 1 })).map(([some, odd]) => [...some, ...odd]),
)
const messages = fc
  .tuple(allMembers, fc.constantFrom('', ' '), fc.constantFrom('', '', '\n', ',', '}'))
  .map(
    ([members, space, behind]) =>
      `{${members.map(([key, one]) => `"${key}":${space}${one}`).join(`,${space}`)}}${behind}`,
  )

/** The same text with other numbers and times. */
const siblingOf = (message: string, numbers: readonly string[], times: readonly string[]): string => {
  let [n, t] = [0, 0]
  return message.replace(/"[^"]*"|-?\d[\d.e+]*/g, (token) => {
    if (!token.startsWith('"')) return numbers[n++ % numbers.length]!
    return /^"\d{4}-/.test(token) ? times[t++ % times.length]! : token
  })
}

test('whatever a message is, it is read off as it would be parsed, or not at all', () => {
  let count = 0
  fc.assert(
    fc.property(
      messages,
      fc.array(number, { minLength: 1, maxLength: 4 }),
      fc.array(time, { minLength: 1, maxLength: 2 }),
      (first, numbers, times) => {
        const templates = new Templates()
        const known = Buffer.from(first)
        const rows = parseRecord(recordOf(known)).rows
        if (rows.length === 1) templates.learn(known, rows[0]!)
        for (const one of [
          first,
          siblingOf(first, numbers, times),
          siblingOf(first, ['7', '0.5'], [`"${TIMES[0]}"`]),
        ]) {
          const found = readOff(templates, Buffer.from(one))
          if (found === null) continue
          count++
          const parsed = parseRecord(recordOf(Buffer.from(one))).rows
          assert.equal(parsed.length, 1)
          assert.deepEqual(found, plain(parsed[0]!), one)
        }
      },
    ),
    { numRuns: 5_000 },
  )
  assert.ok(count > 500, `only ${count} of the messages were read off`)
})
