import assert from 'node:assert/strict'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { compactTable, localStore, openDuckDb, openLake } from '../../src/lake/index.ts'
import { loggedStore } from './logged-store.ts'
import { storeContract } from './store.contract.ts'
import { NUMBERS, numbersFrom, range, temporaryFolder } from './temporary.ts'

storeContract('local store', async (t) => localStore(await temporaryFolder(t)))
storeContract('store without folders', async (t) => loggedStore(await temporaryFolder(t)))

const DAY_MS = 86_400_000

test('nothing bypasses the store: a whole life of a table leaves on the disk what went through it, and no log', async (t) => {
  const root = await temporaryFolder(t)
  const engine = await openDuckDb({ threads: 1 })
  t.after(() => engine.close())
  // An object store has no folders; a disk has, and here no log makes this one.
  await mkdir(path.join(root, 'bronze', 'numbers'), { recursive: true })
  const store = loggedStore(root)
  const open = () => openLake({ root, engine, store })
  const lake = await open()
  await lake.define({ ...NUMBERS, properties: { 'delta.checkpointInterval': '5' } })
  const session = await engine.session()
  const append = async (select: string, maxRowsPerFile = 100) =>
    lake.commit(NUMBERS.name, {
      operation: 'WRITE',
      add: await lake.write(session, NUMBERS.name, select, { maxRowsPerFile, rowGroupRows: 10 }),
    })
  // Nine files of a row, one that is cut up, no row at all, and one that breaks a rule.
  for (const first of range(0, 9)) await append(numbersFrom(first, 1))
  await append(numbersFrom(9, 40), 20)
  await append(`${numbersFrom(0, 1)} LIMIT 0`)
  await assert.rejects(append("SELECT NULL AS n, 'x' AS label, DATE '2026-11-23' AS day"), {
    code: 'model_check_failed',
  })
  await compactTable({ lake, engine, table: NUMBERS.name })
  await lake.close()
  const onDisk = async () =>
    (await readdir(root, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
      .toSorted()
  assert.deepEqual(await onDisk(), [...store.engines].toSorted())

  // A lake that knows nothing yet reads the checkpoint, and the rows.
  const other = await open()
  const { files } = await other.snapshot(NUMBERS.name)
  const rows = await session.rows<{ n: number }>(
    `SELECT n FROM ${other.scan(NUMBERS.name, files)} ORDER BY n`,
  )
  assert.deepEqual(
    rows.map(({ n }) => n),
    range(0, 49),
  )
  assert.deepEqual((await other.check(NUMBERS.name)).findings, [])
  await other.vacuum(NUMBERS.name, { nowMs: Date.now() + 8 * DAY_MS })
  const left = [...files.map((file) => `bronze/numbers/${file.path}`), ...checkpoints(store.engines)]
  assert.deepEqual(await onDisk(), left.toSorted())
})

const checkpoints = (paths: ReadonlySet<string>): string[] =>
  [...paths].filter((each) => each.endsWith('.checkpoint.parquet'))

test('of the lake only the store, and what makes a checkpoint in a temporary folder, touches files', async () => {
  const folder = new URL('../../src/lake/', import.meta.url)
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ts'))
  const touching: string[] = []
  for (const name of names)
    if (/from 'node:fs\/promises'/.test(await readFile(new URL(name, folder), 'utf8'))) touching.push(name)
  assert.deepEqual(touching.toSorted(), ['checkpoint.ts', 'store.ts'])
})
