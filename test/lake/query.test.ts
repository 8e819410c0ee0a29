import assert from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { openQuerySession } from '../../src/lake/index.ts'
import { NUMBERS, numbersFrom, temporaryFolder, world } from './temporary.ts'

test('a query session sees the newest tables by name, and may only read them', async (t) => {
  const { lake, engine, append, root } = await world(t)
  await append(numbersFrom(0, 3))
  const outside = path.join(await temporaryFolder(t), 'secret.csv').replaceAll('\\', '/')
  await writeFile(outside, 'a,b\n1,2\n')
  const session = await openQuerySession(lake, engine)
  t.after(() => session.close())
  assert.deepEqual(await session.rows('SELECT sum(n) AS s FROM bronze.numbers'), [{ s: 3 }])
  assert.equal((await session.rows('DESCRIBE bronze.numbers')).length, 3)
  assert.equal((await session.rows('EXPLAIN ANALYZE SELECT * FROM bronze.numbers')).length, 1)
  for (const sql of [
    'DROP VIEW bronze.numbers',
    'CREATE TABLE mine AS SELECT 1',
    'SELECT 1; DROP VIEW bronze.numbers',
    'EXPLAIN ANALYZE CREATE TABLE mine AS SELECT 1',
    `COPY (SELECT 1) TO '${root}/bronze/x.parquet'`,
    `EXPLAIN ANALYZE COPY (SELECT 1) TO '${root}/bronze/x.parquet'`,
    `ATTACH '${root}/x.db'`,
    `SELECT * FROM read_csv('${outside}')`,
    `SELECT * FROM '${root}/../${path.basename(path.dirname(outside))}/secret.csv'`,
    "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
    "SET memory_limit = '10GB'",
    'INSTALL httpfs',
  ]) {
    await assert.rejects(session.rows(sql), { code: 'sql_refused' }, sql)
  }
  for (const sql of ['SELECT nothing', 'SELEKT 1', '']) {
    await assert.rejects(session.rows(sql), { name: 'LakeError' }, sql)
  }
  await assert.rejects(session.rows('SELECT nothing FROM bronze.numbers'), {
    code: 'sql_failed',
    message: /nothing/,
  })
  // The platform's own sessions are not locked.
  assert.equal(await append(numbersFrom(3, 1)), 2)
})

test('a data file that is missing or cut is named, with table and version; other tables go on', async (t) => {
  const { lake, engine, append, root } = await world(t)
  await append(numbersFrom(0, 3))
  await lake.define({ ...NUMBERS, name: 'silver.others' })
  const [file] = (await lake.snapshot(NUMBERS.name)).files
  const onDisk = path.join(root, 'bronze', 'numbers', ...file!.path.split('/'))
  const whole = await readFile(onDisk)
  const fails = async () => {
    const session = await openQuerySession(lake, engine)
    const { files } = await lake.snapshot(NUMBERS.name)
    const error = {
      code: 'lake_corrupt',
      message: new RegExp(`bronze\\.numbers, version 1: .*${file!.path}`),
    }
    await assert.rejects(session.rows('SELECT sum(n) FROM bronze.numbers'), error)
    // The stages' own sessions as well.
    const own = await engine.session()
    const all = `SELECT * FROM ${lake.scan(NUMBERS.name, files)}`
    await assert.rejects(own.rows(all), error)
    await assert.rejects(lake.write(own, 'silver.others', all), error)
    await own.close()
    assert.deepEqual(await session.rows('SELECT count(*) AS rows FROM silver.others'), [{ rows: 0 }])
    await session.close()
  }
  await rm(onDisk)
  await fails()
  await writeFile(onDisk, whole.subarray(0, whole.length - 5))
  await fails()
})
