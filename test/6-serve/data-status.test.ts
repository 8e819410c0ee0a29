import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { get } from './ask.ts'
import { readExposition } from './exposition.ts'
import { emptyHouse } from './house.ts'

test('a table that is torn, or cannot be read, is named, and keeps no other from being told of', async () => {
  const damaged = await emptyHouse()
  try {
    const entry = (table: string): string =>
      join(damaged.lake.root, 'silver', table, '_delta_log', `${'1'.padStart(20, '0')}.json`)
    await writeFile(entry('rejects'), '{"commitInfo":{')
    await writeFile(entry('duplicates'), '{"protocol":{"minReaderVersion":2,"minWriterVersion":5}}')
    const server = await damaged.app()
    const status = await get(server, 'dataStatus', {})
    const silver = status.layers.find(({ layer }) => layer === 'silver')!
    assert.deepEqual([status.state, silver.state], ['error', 'error'])
    const told = new Map(silver.tables.map((table) => [table.name, table]))
    assert.match(told.get('silver.rejects')?.problem ?? '', /silver\.rejects, version 1: .* is torn/)
    assert.match(told.get('silver.duplicates')?.problem ?? '', /silver\.duplicates uses columnMapping/)
    assert.deepEqual(
      ['rejects', 'duplicates', 'readings'].map((name) => told.get(`silver.${name}`)?.version),
      [0, -1, 0],
    )
    assert.equal(told.get('silver.readings')?.problem, null)
    assert.notEqual(status.layers.find(({ layer }) => layer === 'gold')?.state, 'error')
    const values = readExposition((await server.inject('/metrics')).body).get(
      'smarthouse_lake_damaged',
    )?.values
    assert.equal(
      [...values!.values()].reduce((sum, value) => sum + value, 0),
      2,
    )
  } finally {
    await damaged.close()
  }
})
