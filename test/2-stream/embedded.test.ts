import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import { openEmbeddedLog } from '../../src/2-stream/embedded.ts'
import { isPlatformError } from '../../src/errors.ts'
import { logContract, message, readAll, texts } from './log.contract.ts'

const root = mkdtempSync(join(tmpdir(), 'smarthouse-stream-'))
let folders = 0
const freshDir = (): string => join(root, String(++folders))

const withCode = (code: string) => (error: unknown) => isPlatformError(error) && error.code === code

logContract({
  name: 'embedded',
  fresh: async () => ({
    module: new URL('../../src/2-stream/embedded.ts', import.meta.url).href,
    opener: 'openEmbeddedLog',
    options: { dir: freshDir(), topic: 'contract' },
  }),
  cleanUp: async () => rmSync(root, { recursive: true, force: true }),
})

describe('embedded stream', () => {
  const own = mkdtempSync(join(tmpdir(), 'smarthouse-embedded-'))
  after(() => rmSync(own, { recursive: true, force: true }))
  const dir = (name: string): string => join(own, name)

  test('appends that come together are one transaction', async () => {
    // Each transaction asks the clock once, so the clock's readings count the transactions.
    let asked = 0
    const log = await openEmbeddedLog({ dir: dir('group'), nowMs: () => 1_700_000_000_000 + asked++ })
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => log.append([message(String(n))])))
    assert.equal(asked, 1)
    assert.equal((await readAll(log)).length, 1_000)
    await log.close()
  })

  test('a clock that goes back does not take the ingestion time with it, not even over an emptied log', async () => {
    const times = [5_000, 3_000, 4_000, 6_000]
    const nowMs = (): number => times.shift()!
    let log = await openEmbeddedLog({ dir: dir('clock'), nowMs })
    await log.append([message('a')])
    await log.append([message('b')])
    const before = await readAll(log)
    await log.trim(0, 3)
    await log.close()
    log = await openEmbeddedLog({ dir: dir('clock'), nowMs })
    await log.append([message('c')])
    await log.append([message('d')])
    const stamps = [...before, ...(await readAll(log))].map((record) => record.ingestionTimeUs)
    assert.deepEqual(stamps, [5_000_000, 5_000_000, 5_000_000, 6_000_000])
    await log.close()
  })

  test('the first offset counts when the file is created, and never after', async () => {
    let log = await openEmbeddedLog({ dir: dir('first'), firstOffset: 1_000 })
    assert.deepEqual(await log.bounds(), [{ partition: 0, start: 1_000, end: 1_000 }])
    await assert.rejects(log.read({ partition: 0, offset: 999, maxRecords: 1 }), withCode('stream_gap'))
    await log.append([message('a')])
    await log.close()
    log = await openEmbeddedLog({ dir: dir('first'), firstOffset: 5 })
    await log.append([message('b')])
    assert.deepEqual(await log.bounds(), [{ partition: 0, start: 1_000, end: 1_002 }])
    await log.close()
  })

  test('many handles may create the same log at once', async () => {
    const logs = await Promise.all(Array.from({ length: 8 }, () => openEmbeddedLog({ dir: dir('race') })))
    await Promise.all(logs.map((log, n) => log.append([message(String(n))])))
    assert.deepEqual(texts(await readAll(logs[0]!)).toSorted(), ['0', '1', '2', '3', '4', '5', '6', '7'])
    await Promise.all(logs.map((log) => log.close()))
  })

  test('a file that is damaged, or not ours, is refused with a cure', async () => {
    const file = (name: string): string => join(dir(name), 'smart_home.telemetry.sqlite')
    const seed = await openEmbeddedLog({ dir: dir('noise') })
    await seed.close()
    writeFileSync(file('noise'), 'this is no database, '.repeat(1_000))
    await assert.rejects(openEmbeddedLog({ dir: dir('noise') }), withCode('stream_corrupt'))

    const other = await openEmbeddedLog({ dir: dir('foreign') })
    await other.close()
    rmSync(file('foreign'))
    const foreign = new DatabaseSync(file('foreign'))
    foreign.exec('CREATE TABLE recipe (name TEXT)')
    foreign.close()
    await assert.rejects(openEmbeddedLog({ dir: dir('foreign') }), withCode('stream_corrupt'))

    const log = await openEmbeddedLog({ dir: dir('torn-page') })
    await log.append(Array.from({ length: 2_000 }, (_, n) => message(`message ${n} `.repeat(20))))
    await log.close()
    const bytes = readFileSync(file('torn-page'))
    bytes.fill(0xff, 3 * 16_384)
    writeFileSync(file('torn-page'), bytes)
    const damaged = await openEmbeddedLog({ dir: dir('torn-page') })
    await assert.rejects(readAll(damaged), withCode('stream_corrupt'))
    await damaged.close()
  })

  test('a write-ahead log torn at any place leaves whole appends, from the first on', async () => {
    const log = await openEmbeddedLog({ dir: dir('wal') })
    for (let n = 0; n < 6; n++) await log.append([message(`${n}a`), message(`${n}b`)])
    const name = 'smart_home.telemetry.sqlite'
    const wal = join(dir('wal'), `${name}-wal`)
    assert.ok(existsSync(wal))
    const all = texts(await readAll(log))
    const size = readFileSync(wal).byteLength
    for (let cut = 0; cut <= 12; cut++) {
      const copy = dir(`wal-${cut}`)
      await (await openEmbeddedLog({ dir: copy })).close()
      copyFileSync(join(dir('wal'), name), join(copy, name))
      copyFileSync(wal, join(copy, `${name}-wal`))
      truncateSync(join(copy, `${name}-wal`), size - cut * 8_191)
      const torn = await openEmbeddedLog({ dir: copy })
      const kept = texts(await readAll(torn))
      assert.equal(kept.length % 2, 0)
      assert.deepEqual(kept, all.slice(0, kept.length))
      assert.ok(cut > 0 ? kept.length < all.length : kept.length === all.length)
      await torn.append([message('after')])
      assert.deepEqual(texts(await readAll(torn)), [...kept, 'after'])
      await torn.close()
    }
    await log.close()
  })

  test('trimming goes on in chunks while messages are appended', async () => {
    const log = await openEmbeddedLog({ dir: dir('chunks') })
    await log.append(Array.from({ length: 23_000 }, (_, n) => message(String(n))))
    const trimmed = log.trim(0, 22_001)
    await Promise.all(Array.from({ length: 50 }, () => log.append([message('new')])))
    await trimmed
    assert.deepEqual(await log.bounds(), [{ partition: 0, start: 22_001, end: 23_051 }])
    await log.close()
  })
})
