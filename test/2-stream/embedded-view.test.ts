import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openEmbeddedView } from '../../src/2-stream/embedded-view.ts'
import { openEmbeddedLog } from '../../src/2-stream/embedded.ts'
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
