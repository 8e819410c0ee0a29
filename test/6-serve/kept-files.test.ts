import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { test, type TestContext } from 'node:test'
import { createKeptFiles, type ScanPart } from '../../src/6-serve/kept-files.ts'
import type { DataFile } from '../../src/lake/types.ts'
import { emptyHouse } from './house.ts'

const TABLE = 'gold.daily_business_summary'
const MONTHS = ['2026-01-01', '2026-02-01', '2026-03-01']

/** A summary with a day in each of three months, 1, 2 and 3 Wh; its files are as old as is said. */
async function summary(t: TestContext, { mostRows, agesMs }: { mostRows?: number; agesMs: number[] }) {
  const house = await emptyHouse()
  t.after(() => house.close())
  const day = { active_devices: 1, active_users: 1, data_points: 1, alert_count: 0, tenant_id: 'home' }
  await house.insert(
    TABLE,
    MONTHS.map((date, n) => ({ ...day, date, month: date, total_energy_wh: n + 1 })),
  )
  const { files, columns } = await house.lake.snapshot(TABLE)
  const aged = MONTHS.map((month, n) => {
    const file = files.find(({ partition }) => partition.month === month)!
    const { path, bytes, partition, stats } = file
    return { path, bytes, partition, stats, modifiedMs: Date.now() - agesMs[n]! }
  })
  const session = await house.engine.session()
  const kept = createKeptFiles(house.lake, session, mostRows)
  const part = (some: readonly DataFile[]): ScanPart => ({
    sql: house.lake.scan(TABLE, some),
    table: TABLE,
    columns,
    files: some,
  })
  const asked: string[] = []
  return {
    files: aged,
    kept,
    asked,
    lose: (file: DataFile) => rm(`${house.lake.root}/gold/daily_business_summary/${file.path}`),
    // The session has one statement at a time, so what was begun before has ended.
    tables: async () =>
      (await session.rows<{ n: number }>('SELECT count(*) AS n FROM duckdb_tables()'))[0]!.n,
    /** Energy of the files, Wh. */
    async sum(some: readonly DataFile[]): Promise<string | null> {
      const one = part(some)
      const sql = `SELECT sum(total_energy_wh)::INTEGER::VARCHAR AS wh FROM ${one.sql} WHERE tenant_id = 'home'`
      const rows = await kept.run(sql, [one], (statement) => {
        asked.push(statement)
        return session.rows<{ wh: string | null }>(statement)
      })
      return rows[0]!.wh
    },
  }
}

const OLD = 3_600_000

test('who asks first, and second, reads the files; from then on they are not needed, but those that are too young to be kept', async (t) => {
  const { files, sum, lose, asked, tables } = await summary(t, { agesMs: [OLD, OLD, 0] })
  assert.equal(await sum(files), '6')
  assert.equal(await tables(), 0)
  assert.equal(await sum(files), '6')
  assert.equal(await tables(), 2)
  assert.doesNotMatch(asked.join('\n'), /kept_/)
  await lose(files[0]!)
  await lose(files[1]!)
  assert.equal(await sum(files), '6')
  assert.equal(await sum(files.slice(0, 1)), '1')
  assert.match(asked[2]!, /kept_\d+ UNION ALL .*kept_\d+ UNION ALL .*read_parquet/s)
  assert.doesNotMatch(asked[3]!, /read_parquet/)
  await lose(files[2]!)
  await assert.rejects(sum(files), /missing or cannot be read/)
})

test('no more is kept than was allowed: what was asked for least goes, what is being read stays', async (t) => {
  const { files, sum, tables, kept } = await summary(t, { mostRows: 2, agesMs: [OLD, OLD, OLD] })
  const twice = async (some: readonly DataFile[]) => [await sum(some), await sum(some)]
  assert.deepEqual(await twice(files.slice(0, 1)), ['1', '1'])
  assert.deepEqual(await twice(files.slice(1, 2)), ['2', '2'])
  assert.equal(await tables(), 2)
  assert.deepEqual(
    await Promise.all([twice(files), twice(files.slice(2)), twice(files.slice(0, 2))]),
    ['6', '3', '3'].map((wh) => [wh, wh]),
  )
  assert.equal(await tables(), 2)
  await kept.close()
  assert.equal(await tables(), 0)
})

test('a file that cannot be read is no answer, and is tried again', async (t) => {
  const { files, sum, lose, tables } = await summary(t, { agesMs: [OLD, OLD, OLD] })
  await lose(files[0]!)
  for (let n = 0; n < 3; n++) await assert.rejects(sum(files), /missing or cannot be read/)
  assert.equal(await sum(files.slice(1)), '5')
  assert.equal(await tables(), 2)
})
