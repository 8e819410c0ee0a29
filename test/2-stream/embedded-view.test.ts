import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openEmbeddedView } from '../../src/2-stream/embedded-view.ts'
import { openEmbeddedLog } from '../../src/2-stream/embedded.ts'
import { findMessages } from '../../src/2-stream/messages.ts'
import { viewContract } from './view.contract.ts'

const root = mkdtempSync(join(tmpdir(), 'smarthouse-view-'))
after(() => rmSync(root, { recursive: true, force: true }))
let folders = 0

function setting(landed: (topic: string) => Promise<number | undefined> = async () => undefined) {
  const dir = join(root, String(++folders))
  return {
    view: openEmbeddedView({ dir, landed, retentionMs: 3_600_000 }),
    topic: (topic: string) => openEmbeddedLog({ dir, topic }),
  }
}

viewContract({ name: 'embedded', fresh: async () => setting() })

test('Bronze is the group that reads the embedded log, behind by what it has not landed', async () => {
  const { view, topic } = setting(async (name) => (name === 'read' ? 3 : undefined))
  const encoded = new TextEncoder().encode('{}')
  for (const name of ['read', 'unread']) {
    const log = await topic(name)
    await log.append(Array.from({ length: 5 }, () => ({ key: null, value: encoded })))
    await log.close()
  }
  // Offsets 1–5; the next to be landed is 3, so that 3, 4 and 5 are behind.
  const [group, ...others] = await view.groups()
  assert.deepEqual(others, [])
  assert.deepEqual(group!.partitions, [{ topic: 'read', partition: 0, committed: 3, end: 6, lag: 3 }])
  await view.close()
})

test('a folder without a stream has no topics', async () => {
  const { view } = setting()
  assert.deepEqual(await view.topics(), [])
  await view.close()
})

test('a look is bounded by bytes too, whatever matches; `next` goes on behind it', async () => {
  const { topic, view } = setting()
  const log = await topic('large')
  await log.append(Array.from({ length: 40 }, () => ({ key: null, value: new Uint8Array(1_000) })))
  const reads: number[] = []
  const watched = Object.assign(Object.create(log) as typeof log, {
    bounds: () => log.bounds(),
    read: (options: Parameters<typeof log.read>[0]) => {
      reads.push(options.maxBytes ?? Infinity)
      return log.read(options)
    },
  })
  const filter = { key: 'nobody' }
  // The third message is the one that fills 2,500 bytes; offsets begin at 1.
  const first = await findMessages(watched, { limit: 10, offset: 1, mostBytes: 2_500, filter })
  assert.deepEqual([first.scanned, first.next.get(0)], [3, 4])
  const rest = await findMessages(watched, { limit: 100, from: first.next, mostBytes: 50_000 })
  assert.deepEqual([rest.messages[0]!.offset, rest.messages.length, rest.next.get(0)], [4, 37, 41])
  // Backwards too: the first piece of 16 is looked at, and no other.
  const last = await findMessages(watched, { limit: 100, mostBytes: 2_500 })
  assert.deepEqual([last.messages[0]!.offset, last.messages.length, last.next.get(0)], [25, 16, 41])
  const all = await findMessages(watched, { limit: 100 })
  assert.equal(all.messages.length, 40)
  assert.ok(Math.max(...reads) <= 4 * 1024 * 1024)
  await log.close()
  await view.close()
})
