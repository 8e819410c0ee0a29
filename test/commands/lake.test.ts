/** `smarthouse lake` and `smarthouse sql`, as a person runs them, on a lake of one table of six versions. */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { openDataFolder } from '../../src/data-folder.ts'
import { openDuckDb, openLake } from '../../src/lake/index.ts'
import type { CheckReport, HistoryEntry, TableStatus } from '../../src/lake/types.ts'
import { smarthouseHere, type Outcome } from '../house/run-cli.ts'

const TABLE = 'silver.rooms'
let pattern: string
/** When version 2 was there and version 3 was not. */
let afterTwo: Date

/** Version 0: the table. 1 to 4: room N at 20 + N °C on 2024-11-0N. 5: room 1 is 5 °C warmer. */
before(async () => {
  pattern = mkdtempSync(join(tmpdir(), 'smarthouse-lake-'))
  const { lake: root } = openDataFolder(join(pattern, 'data'), { create: true })
  const engine = await openDuckDb({ threads: 1 })
  const lake = await openLake({ root, engine })
  const session = await engine.session()
  await lake.define({
    name: TABLE,
    description: 'Temperature by room.',
    partitionBy: ['day'],
    sortBy: ['room'],
    key: ['room'],
    columns: [
      { name: 'room', type: 'long', description: 'Room.' },
      { name: 'temperature_c', type: 'long', description: 'Temperature, °C.' },
      { name: 'day', type: 'date', description: 'UTC date; partition.' },
    ],
  })
  const row = (room: number, warmer = 0): string =>
    `SELECT ${room} AS room, ${20 + room + warmer} AS temperature_c, DATE '2024-11-0${room}' AS day`
  for (const room of [1, 2, 3, 4]) {
    await lake.commit(TABLE, { operation: 'WRITE', add: await lake.write(session, TABLE, row(room)) })
    if (room === 2) {
      afterTwo = new Date()
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const { files } = await lake.snapshot(TABLE, 1)
  await lake.commit(TABLE, {
    operation: 'MERGE',
    add: await lake.write(session, TABLE, row(1, 5)),
    remove: files,
    inputs: { 'bronze.telemetry': 7 },
  })
  await session.close()
  await lake.close()
  await engine.close()
})
after(() => rmSync(pattern, { recursive: true, force: true, maxRetries: 5 }))

/** What the actions print as JSON, as far as it is looked at here. */
interface Said {
  tables: (TableStatus & CheckReport & { files: unknown })[]
  versions: HistoryEntry[]
  retentionDays: number | null
  files: string[]
}

/** A copy of the lake of its own. */
function house(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'smarthouse-lake-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  const data = join(folder, 'data')
  cpSync(join(pattern, 'data'), data, { recursive: true })
  const run = (...words: string[]): Promise<Outcome> => smarthouseHere(...words, '--data', data)
  return {
    table: join(data, 'lake', 'silver', 'rooms'),
    run,
    async json(...words: string[]): Promise<{ status: number | null; said: Said }> {
      const { status, stdout, stderr } = await run(...words, '--json')
      assert.equal(stderr, '')
      return { status, said: JSON.parse(stdout) as Said }
    },
    async sql(...words: string[]) {
      const { status, stdout, stderr } = await run('sql', ...words, '--format', 'json')
      assert.equal(status, 0, stderr)
      return JSON.parse(stdout) as Record<string, unknown>[]
    },
  }
}

test('status: files, bytes, versions, smallest and median file', async (t) => {
  const { table, json } = house(t)
  const { status, said } = await json('lake', 'status')
  assert.equal(status, 0)
  const { bytes, smallestFileBytes, medianFileBytes, timestampMs, ...rest } = said.tables[0]!
  assert.deepEqual(rest, {
    table: TABLE,
    version: 5,
    oldestVersion: 0,
    checkpointVersion: -1,
    files: 4,
    rows: 4,
    retentionDays: null,
  })
  assert.ok(timestampMs > 0 && smallestFileBytes > 0 && smallestFileBytes <= medianFileBytes)
  assert.ok(4 * smallestFileBytes <= bytes && medianFileBytes < bytes)
  assert.equal(readdirSync(join(table, '_delta_log')).filter((name) => name.endsWith('.json')).length, 6)
})

test('history: newest first, with the operation and the input versions', async (t) => {
  const { json } = house(t)
  const { versions } = (await json('lake', 'history', TABLE, '--limit', '2')).said
  assert.deepEqual(
    versions.map(({ version, operation, filesAdded, filesRemoved, inputs }) => [
      version,
      operation,
      filesAdded,
      filesRemoved,
      inputs,
    ]),
    [
      [5, 'MERGE', 1, 1, { 'bronze.telemetry': 7 }],
      [4, 'WRITE', 1, 0, {}],
    ],
  )
})

test('sql reads the lake as it was, by version and by moment', async (t) => {
  const { sql, run } = house(t)
  const query = `SELECT count(*) AS n, sum(temperature_c) AS c FROM ${TABLE}`
  // 21 + 22 + 23 + 24, and 5 more in version 5.
  assert.deepEqual(await sql(query), [{ n: 4, c: 95 }])
  assert.deepEqual(await sql(query, '--at', `${TABLE}=4`), [{ n: 4, c: 90 }])
  assert.deepEqual(await sql(query, '--at', `${TABLE}=${afterTwo.toISOString()}`), [{ n: 2, c: 43 }])
  assert.deepEqual(await sql(query, '--at', afterTwo.toISOString()), [{ n: 2, c: 43 }])
  for (const [at, problem] of [
    [`${TABLE}=99`, /has no version 99; the newest is 5/],
    ['yesterday', /neither a moment nor TABLE=VERSION/],
    ['2026-11-23T10:00:00', /neither a moment/],
    ['silver.room=3', /no table silver\.room in the lake.*Did you mean silver\.rooms/],
  ] as const) {
    const { status, stderr } = await run('sql', query, '--at', at)
    assert.equal(status, 2)
    assert.match(stderr, problem)
  }
})

test('sql --explain says how many files of how many are read', async (t) => {
  const { sql } = house(t)
  const [by] = await sql(`SELECT * FROM ${TABLE} WHERE day = DATE '2024-11-03'`, '--explain')
  assert.deepEqual([by?.['table'], by?.['version'], by?.['files_read'], by?.['files']], [TABLE, 5, 1, 4])
  assert.ok(Number(by?.['bytes_read']) * 2 < Number(by?.['bytes']))
  // By statistics: room 4 is the only one greater than 3.
  const [statistics] = await sql(`SELECT * FROM ${TABLE} WHERE room > 3`, '--explain')
  assert.equal(statistics?.['files_read'], 1)
})

test('check finds what is not as the log says, and names the file', async (t) => {
  const { table, json, run } = house(t)
  assert.equal((await json('lake', 'check')).status, 0)
  const day = join(table, 'day=2024-11-02')
  const [file = ''] = readdirSync(day)
  rmSync(join(day, file))
  const { status, said } = await json('lake', 'check', TABLE)
  assert.equal(status, 3)
  assert.deepEqual(said.tables[0]?.findings, [
    { table: TABLE, version: 5, file: `day=2024-11-02/${file}`, problem: 'is missing' },
  ])
  assert.match(
    (await run('lake', 'check')).stdout,
    /WRONG silver\.rooms, version 5, day=2024-11-02\/.*: is missing/,
  )
})

test('a torn newest entry: the version before is served, check --repair moves the entry aside', async (t) => {
  const { table, json, sql, run } = house(t)
  const torn = join(table, '_delta_log', `${'6'.padStart(20, '0')}.json`)
  writeFileSync(torn, '{"commitInfo":{"timest')
  assert.equal((await json('lake', 'status')).status, 3)
  assert.deepEqual(await sql(`SELECT count(*) AS n FROM ${TABLE}`), [{ n: 4 }])
  // Who asks for its rows is told that they are not the newest; who asks for others is not.
  assert.match(
    (await run('sql', `SELECT count(*) FROM ${TABLE}`)).stderr,
    /version before is read\. .*silver\.rooms.*torn/,
  )
  assert.equal((await run('sql', 'SELECT 1')).stderr, '')
  assert.equal((await json('lake', 'check')).status, 3)
  // Nothing is deleted of it, and that is not passed over in silence.
  for (const action of ['vacuum', 'clean']) {
    const { status, said } = await json('lake', action)
    assert.equal(status, 3)
    assert.match((said.tables[0] as { error?: string }).error ?? '', /silver\.rooms, version 6: .* is torn/)
  }
  assert.ok(existsSync(torn))
  const { status, said } = await json('lake', 'check', '--repair')
  assert.equal(status, 0)
  assert.match(said.tables[0]?.movedAside ?? '', /^silver\/rooms\/_delta_log\/torn-0+6\.json\./)
  assert.equal(existsSync(torn), false)
  assert.equal((await json('lake', 'status')).status, 0)
})

test('check --repair names the tables that were made from the version that is lost', async (t) => {
  const { table, json, run } = house(t)
  const engine = await openDuckDb({ threads: 1 })
  const lake = await openLake({ root: join(table, '..', '..'), engine })
  const columns = [{ name: 'room', type: 'long', description: 'Room.' }] as const
  for (const [name, read] of [
    ['gold.ahead', 6],
    ['gold.behind', 5],
  ] as const) {
    await lake.define({ name, description: 'Rooms.', partitionBy: [], sortBy: [], key: [], columns })
    await lake.commit(name, { operation: 'WRITE', add: [], txns: { [TABLE]: read } })
  }
  await lake.close()
  await engine.close()
  writeFileSync(join(table, '_delta_log', `${'6'.padStart(20, '0')}.json`), '{')
  assert.doesNotMatch((await run('lake', 'check')).stdout, /rebuild/)
  const { ahead } = (await json('lake', 'check', '--repair')).said as unknown as { ahead: string[] }
  assert.deepEqual(ahead, [
    `gold.ahead was made from version 6 of ${TABLE}, which is lost: run smarthouse rebuild gold`,
  ])
})

test('a table that cannot be read keeps no other from being read', async (t) => {
  const { table, json, sql, run } = house(t)
  cpSync(table, join(table, '..', 'other'), { recursive: true })
  writeFileSync(join(table, '_delta_log', `${'3'.padStart(20, '0')}.json`), 'no JSON')
  assert.deepEqual(await sql('SELECT count(*) AS n FROM silver.other'), [{ n: 4 }])
  const { status, stderr } = await run('sql', `SELECT * FROM ${TABLE}`)
  assert.equal(status, 1)
  assert.match(stderr, /silver\.rooms.*3\.json/)
  assert.equal((await json('lake', 'status')).status, 3)
})

test('vacuum: what was removed goes, but nothing younger than an hour', async (t) => {
  const { json, run } = house(t)
  // The file that the merge replaced is seconds old.
  assert.deepEqual((await json('lake', 'vacuum', '--older-than', '1h')).said.tables, [
    { table: TABLE, files: [] },
  ])
  const { status, stderr } = await run('lake', 'vacuum', '--older-than', '59m')
  assert.equal(status, 2)
  assert.match(stderr, /59m is less than an hour/)
})

test('retain is recorded, takes whole dates, and keeps everything again', async (t) => {
  const { json, sql } = house(t)
  // All four dates are long past.
  const { said } = await json('lake', 'retain', TABLE, '--days', '1')
  assert.deepEqual([said.retentionDays, said.files.length], [1, 4])
  assert.deepEqual(await sql(`SELECT count(*) AS n FROM ${TABLE}`), [{ n: 0 }])
  assert.deepEqual(await sql(`SELECT count(*) AS n FROM ${TABLE}`, '--at', `${TABLE}=5`), [{ n: 4 }])
  assert.equal((await json('lake', 'retain', TABLE, '--days', 'all')).said.retentionDays, null)
})

test('wrong words are refused with the right ones', async (t) => {
  const { run } = house(t)
  for (const [words, problem] of [
    [[], /takes an action/],
    [['vacum'], /Did you mean smarthouse lake vacuum/],
    [['history'], /takes one table/],
    [['status', TABLE], /takes no table/],
    [['optimize', 'silver.romms'], /Did you mean silver\.rooms/],
    [['check', '--dry-run'], /takes no --dry-run/],
    [['retain', TABLE, '--days', '0'], /--days must be a whole number from 1/],
    [['retain', TABLE, '--days', '3', '--dry-run'], /changes nothing/],
  ] as const) {
    const { status, stderr } = await run('lake', ...words)
    assert.equal(status, 2, words.join(' '))
    assert.match(stderr, problem)
  }
})
