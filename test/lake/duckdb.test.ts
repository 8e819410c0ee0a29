import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDuckDb } from '../../src/lake/index.ts'

test('values keep every digit on their way to JavaScript', async (t) => {
  const engine = await openDuckDb({ threads: 1 })
  t.after(() => engine.close())
  const session = await engine.session()
  const [row] = await session.rows(`SELECT
    9007199254740991 AS safe, 9007199254740993 AS large, 5::HUGEINT AS huge, 1.10::DECIMAL(9,6) AS money,
    TIMESTAMPTZ '2026-11-23 12:00:00.000001+02' AS t, TIMESTAMPTZ '1969-12-31 23:59:59.999999Z' AS before_1970,
    DATE '2026-11-23' AS d, ['a', NULL] AS l, MAP {'k': 1.5e0} AS m, {'a': [1::BIGINT]} AS s, NULL AS nothing`)
  assert.deepEqual(row, {
    safe: 9007199254740991,
    large: 9007199254740993n,
    huge: 5,
    money: '1.100000',
    t: '2026-11-23T10:00:00.000001Z',
    before_1970: '1969-12-31T23:59:59.999999Z',
    d: '2026-11-23',
    l: ['a', null],
    m: { k: 1.5 },
    s: { a: [1] },
    nothing: null,
  })
})

test('parameters come as the types that they are', async (t) => {
  const engine = await openDuckDb({ threads: 1 })
  t.after(() => engine.close())
  const session = await engine.session()
  const [row] = await session.rows(
    'SELECT typeof($1) a, typeof($2) b, typeof($3) c, typeof($4) d, typeof($5) e, $6 IS NULL f',
    [1, 1.5, 2n ** 63n, 'x', true, null],
  )
  assert.deepEqual(row, { a: 'BIGINT', b: 'DOUBLE', c: 'HUGEINT', d: 'VARCHAR', e: 'BOOLEAN', f: true })
})

test('the prelude: exact arithmetic truncates towards zero in 128 bits, time is UTC microseconds, blank is nothing', async (t) => {
  const engine = await openDuckDb({ threads: 1 })
  t.after(() => engine.close())
  const session = await engine.session()
  // 7 × 3 / 2 = 10.5; (2^63 − 1) × 10 / 10 leaves 64 bits on the way, and so does −2^63 × 10 / −100 = 922337203685477580.8.
  const [row] = await session.rows(`SELECT mul_div(7, 3, 2) AS up, mul_div(-7, 3, 2) AS down,
    mul_div(9223372036854775807, 10, 10) AS wide, mul_div(-9223372036854775808, 10, -100) AS low, mul_div(1, 1, 0) AS nothing,
    int_div(7, 2) AS half_up, int_div(-7, 2) AS half_down, int_div(7, 0) AS no_half,
    unix_micros(TIMESTAMP_LTZ '1970-01-01 00:00:01.5Z') AS us,
    timestamp_micros(1500000) = TIMESTAMPTZ '1970-01-01 00:00:01.5Z' AS back,
    try_divide(1, 0) AS none, nvl(NULL, 2) AS two, current_setting('TimeZone') AS zone`)
  assert.deepEqual(row, {
    up: 10,
    down: -10,
    wide: 9223372036854775807n,
    low: 922337203685477580n,
    nothing: null,
    half_up: 3,
    half_down: -3,
    no_half: null,
    us: 1500000,
    back: true,
    none: null,
    two: 2,
    zone: 'UTC',
  })
  // What begins with neither a letter nor a blank goes the long way.
  const texts = await session.rows<{ text: string | null }>(
    `SELECT filled(t) AS text FROM (VALUES (1, 'plug'), (2, ''), (3, '  '), (4, ' a'), (5, '~'), (6, 'é'), (7, NULL)) v(n, t) ORDER BY n`,
  )
  assert.deepEqual(
    texts.map(({ text }) => text),
    ['plug', null, null, ' a', '~', 'é', null],
  )
})

test('few rows are worked on by one thread, but not while another session works on many', async (t) => {
  const engine = await openDuckDb({ threads: 2 })
  t.after(() => engine.close())
  const [one, other] = [await engine.session(), await engine.session()]
  const threads = async (): Promise<unknown> =>
    (await one.rows(`SELECT current_setting('threads') AS threads`))[0]?.threads
  assert.equal(await threads(), 2, 'nobody has said anything')
  await one.expect(10)
  assert.equal(await threads(), 1)
  await other.expect(1_000_000)
  assert.equal(await threads(), 2)
  await one.expect(10)
  assert.equal(await threads(), 2, 'the other one still works on many')
  await other.close()
  await one.expect(10)
  assert.equal(await threads(), 1)
})

test('temporary tables belong to one session; many statements of one session run in turn', async (t) => {
  const engine = await openDuckDb({ threads: 1 })
  t.after(() => engine.close())
  const [a, b] = [await engine.session(), await engine.session()]
  await a.run('CREATE TEMP TABLE mine (i INTEGER)')
  await Promise.all(Array.from({ length: 20 }, (_, i) => a.run('INSERT INTO mine VALUES ($1)', [i])))
  assert.deepEqual(await a.rows('SELECT count(*) AS n FROM mine'), [{ n: 20 }])
  await assert.rejects(b.run('SELECT * FROM mine'), /mine does not exist/)
})
