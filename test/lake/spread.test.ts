import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDuckDb, openLake, type TableDefinition } from '../../src/lake/index.ts'

const DAYS = 400
const WIDE: TableDefinition = {
  name: 'silver.wide',
  description: 'Many columns, one row a day.',
  columns: [
    { name: 'n', type: 'long', required: true, description: 'number' },
    ...Array.from({ length: 40 }, (_, i) => ({
      name: `c${i}`,
      type: 'double' as const,
      description: 'column',
    })),
    { name: 'day', type: 'date', required: true, description: 'partition' },
  ],
  partitionBy: ['day'],
  sortBy: ['n'],
  key: ['n'],
}

test('a batch that is spread over more partitions than memory holds is written all the same', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'smarthouse-spread-'))
  t.after(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }))
  // All partitions at once take more than this: some 0.7 MB each.
  const engine = await openDuckDb({ threads: 1, memoryLimitMb: 150, tempDirectory: join(root, 'temp') })
  t.after(() => engine.close())
  const lake = await openLake({ root: join(root, 'lake'), engine })
  await lake.define(WIDE)
  const session = await engine.session()
  const columns = Array.from({ length: 40 }, (_, i) => `i + ${i}.5 AS c${i}`).join(', ')
  const add = await lake.write(
    session,
    WIDE.name,
    `SELECT i AS n, ${columns}, DATE '2024-01-01' + CAST(i AS INTEGER) AS day FROM range(${DAYS}) t(i)`,
  )
  assert.equal(add.length, DAYS)
  await lake.commit(WIDE.name, { operation: 'WRITE', add })
  const { files } = await lake.snapshot(WIDE.name)
  const [sums] = await session.rows(`SELECT sum(n) AS n, sum(c39) AS c FROM ${lake.scan(WIDE.name, files)}`)
  // 0 + … + 399 = 399 × 400 / 2; each c39 is 39.5 more.
  assert.deepEqual(sums, { n: 79_800, c: 79_800 + 400 * 39.5 })
})
