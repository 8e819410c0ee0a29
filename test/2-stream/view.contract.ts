/** What every view of a stream shows alike: topics, messages as they are looked for, dead letters put back. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isPlatformError } from '../../src/errors.ts'
import type { StreamLog, StreamMessage } from '../../src/2-stream/log.ts'
import { findMessages, textOf } from '../../src/2-stream/messages.ts'
import { replay } from '../../src/2-stream/replay.ts'
import type { MessageQuery, StreamView } from '../../src/2-stream/types.ts'
import { DEAD_LETTER_TOPIC, TELEMETRY_TOPIC } from '../../src/reading.ts'

export interface ViewSetting {
  view: StreamView
  /** A topic of one partition to write to, made where it is absent; the view's caller closes it. */
  topic(name: string): Promise<StreamLog>
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const told = (key: string | null, value: string, headers?: Record<string, string>): StreamMessage => ({
  key,
  value: bytes(value),
  ...(headers && { headers }),
})
const isUsage = (error: unknown): boolean => isPlatformError(error) && error.code === 'usage'

export function viewContract({ name, fresh }: { name: string; fresh: () => Promise<ViewSetting> }): void {
  describe(`view contract: ${name}`, () => {
    test('a topic is shown with its bounds, its rate over a minute and its place on the disk', async () => {
      const { view, topic } = await fresh()
      const log = await topic('shown')
      await log.append(Array.from({ length: 6 }, (_, n) => told('k', `{"n":${n}}`)))
      const shown = (await view.topics()).find((one) => one.topic === 'shown')
      const [partition] = shown!.partitions
      // Six in the last minute: 6 / 60 s.
      assert.deepEqual([partition!.end - partition!.start, partition!.ratePerS], [6, 0.1])
      assert.equal(shown!.partitions.length, 1)
      assert.equal(shown!.replication, 1)
      assert.equal(shown!.retentionMs, 3_600_000)
      assert.ok(shown!.bytes! > 0)
      await log.close()
      await view.close()
    })

    test('messages are found by place, time, key, text and path, the last ones by default', async () => {
      const { view, topic } = await fresh()
      const log = await topic('found')
      await log.append([
        told('a', '{"device_id":"plug-1","alert":"high"}'),
        told('b', '{"device_id":"plug-2","list":[{"status":"off"}]}', { origin: 'attic' }),
        told(null, 'no json'),
      ])
      // The adapters count from 0 or from 1.
      const [{ start: first } = { start: 0 }] = await log.bounds()
      const splitUs = (await log.read({ partition: 0, offset: first + 2, maxRecords: 1 }))[0]!.ingestionTimeUs
      // The broker's clock counts milliseconds: the next message is of a later one.
      await new Promise((resolve) => setTimeout(resolve, 20))
      await log.append([told('a', '{"device_id":"plug-1","n":5}')])
      const opened = await view.open('found')
      const offsets = async (query: Partial<MessageQuery>): Promise<number[]> =>
        (await findMessages(opened, { limit: 10, ...query })).messages.map(({ offset }) => offset - first)
      assert.deepEqual(await offsets({ limit: 2 }), [2, 3])
      assert.deepEqual(await offsets({ offset: first + 1, limit: 2 }), [1, 2])
      assert.deepEqual(await offsets({ sinceMs: Math.floor(splitUs / 1000) + 1 }), [3])
      assert.deepEqual(await offsets({ filter: { key: 'a' } }), [0, 3])
      assert.deepEqual(await offsets({ filter: { text: 'attic' } }), [1])
      assert.deepEqual(await offsets({ filter: { path: '$.device_id=plug-1' } }), [0, 3])
      assert.deepEqual(await offsets({ filter: { path: '$.alert' } }), [0])
      assert.deepEqual(await offsets({ filter: { path: '$.list[0].status=off' } }), [1])
      assert.deepEqual(await offsets({ filter: { path: '$.n=5' } }), [3])
      // Without a place it is the last that match; with one, the first from there on.
      assert.deepEqual(await offsets({ filter: { path: '$.device_id=plug-1' }, limit: 1 }), [3])
      assert.deepEqual(await offsets({ filter: { key: 'a' }, limit: 1, offset: first }), [0])
      await assert.rejects(offsets({ filter: { path: 'device_id' } }), isUsage)
      await opened.close()
      await log.close()
      await view.close()
    })

    test('whoever reads on from where the last look ended sees each message once', async () => {
      const { view, topic } = await fresh()
      const log = await topic('followed')
      await log.append([told('k', 'one'), told('k', 'two')])
      const opened = await view.open('followed')
      const first = await findMessages(opened, { limit: 10 })
      await log.append([told('k', 'three')])
      const second = await findMessages(opened, { limit: 10, from: first.next })
      const third = await findMessages(opened, { limit: 10, from: second.next })
      assert.deepEqual(
        [first, second, third].map(({ messages }) => messages.map(textOf)),
        [['one', 'two'], ['three'], []],
      )
      await opened.close()
      await log.close()
      await view.close()
    })

    test('a dead letter goes back as it was, and says where it came from; one that is absent is an error', async () => {
      const { view, topic } = await fresh()
      const dead = await topic(DEAD_LETTER_TOPIC)
      const telemetry = await topic(TELEMETRY_TOPIC)
      const [{ end: before } = { end: 0 }] = await telemetry.bounds()
      const [{ start } = { start: 0 }] = await dead.bounds()
      await dead.append([
        told('plug', 'first', { dead_reason: 'oversized', origin: 'attic' }),
        told('plug', 'second'),
      ])
      assert.equal(await replay(view, { partition: 0, offset: start }), 1)
      assert.equal(await replay(view, null), 2)
      const back = await telemetry.read({ partition: 0, offset: before, maxRecords: 10 })
      assert.deepEqual(back.map(textOf), ['first', 'first', 'second'])
      assert.equal(back[0]!.key, 'plug')
      assert.deepEqual({ ...back[0]!.headers }, { origin: 'attic', replay_of: `0/${start}` })
      await assert.rejects(replay(view, { partition: 0, offset: start + 2 }), isUsage)
      await dead.close()
      await telemetry.close()
      await view.close()
    })
  })
}
