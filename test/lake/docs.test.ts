/** What `docs/lake.md` shows and says is so. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { openDuckDb, openLake } from '../../src/lake/index.ts'
import { temporaryFolder } from './temporary.ts'

const page = await readFile(new URL('../../docs/lake.md', import.meta.url), 'utf8')

test('the twenty lines run as they stand', async (t) => {
  const folder = await temporaryFolder(t)
  const [, example = ''] = /```ts\n([\s\S]*?)```/.exec(page) ?? []
  const lines = example.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('//'))
  assert.ok(lines.length <= 20, `${lines.length} lines`)
  const file = path.join(folder, 'example.ts')
  await writeFile(
    file,
    example.replace('../src/lake/index.ts', new URL('../../src/lake/index.ts', import.meta.url).href),
  )
  const { status, stderr } = spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  // 21.5 °C was appended, then merged a degree warmer, then all was overwritten by 19 °C.
  const engine = await openDuckDb({ threads: 1 })
  t.after(() => engine.close())
  const lake = await openLake({ root: path.join(folder, 'data', 'lake'), engine })
  const session = await engine.session()
  const { files, txns } = await lake.snapshot('silver.rooms')
  assert.deepEqual(await session.rows(`SELECT * FROM ${lake.scan('silver.rooms', files)}`), [
    { room: 'hall', temperature_c: 19, day: '2026-11-23' },
  ])
  assert.deepEqual([...txns], [['my-input', 17]])
  const operations = (await lake.history('silver.rooms')).map(({ operation }) => operation)
  assert.deepEqual(operations, ['OVERWRITE', 'MERGE', 'WRITE', 'CREATE TABLE'])
})
