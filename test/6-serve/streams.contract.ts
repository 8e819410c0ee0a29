/** The API of the Streams page over any view of a stream. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fastify, { type FastifyInstance } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { openLook } from '../../src/2-stream/look.ts'
import type { StreamLook } from '../../src/2-stream/types.ts'
import { onError } from '../../src/6-serve/problems.ts'
import { registerStreams } from '../../src/6-serve/stream-routes.ts'
import { createStreams } from '../../src/6-serve/streams.ts'
import { DEAD_LETTER_TOPIC, TELEMETRY_TOPIC } from '../../src/reading.ts'
import type { ViewSetting } from '../2-stream/view.contract.ts'
import { get, problem } from './ask.ts'

export function streamsApp(look: StreamLook, clock: () => number = Date.now): FastifyInstance {
  const app = fastify()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler(onError)
  registerStreams(app, createStreams(look, clock))
  return app
}

export function streamsContract({
  name,
  fresh,
}: {
  name: 'embedded' | 'kafka'
  fresh: () => Promise<ViewSetting>
}): void {
  describe(`Streams API: ${name}`, () => {
    test('topics, messages whole and cut, followed from where the last answer ended', async () => {
      const { view, topic } = await fresh()
      const log = await topic('seen')
      const app = streamsApp(openLook(view, { adapter: name, where: 'here' }))
      const long = `{"text":"${'x'.repeat(5_000)}"}`
      await log.append([
        { key: 'a', value: Buffer.from('{"n":1}'), headers: { origin: 'attic' } },
        { key: null, value: Buffer.from([0xff, 0xfe]) },
        { key: 'b', value: Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), Buffer.from('{"n":2}')]) },
        { key: 'c', value: Buffer.from(long) },
      ])
      const streams = await get(app, 'streams', {})
      const seen = streams.topics.find((one) => one.topic === 'seen')!
      assert.deepEqual([streams.adapter, streams.where], [name, 'here'])
      assert.deepEqual([seen.kind, seen.messages, seen.partitions.length], ['other', 4, 1])

      const first = await get(app, 'streamMessages', { topic: 'seen' })
      const start = seen.partitions[0]!.start
      assert.deepEqual(
        first.messages.map(({ offset, key, kind, bytes, cut }) => [offset - start, key, kind, bytes, cut]),
        [
          [0, 'a', 'json', 7, false],
          [1, null, 'binary', 2, false],
          [2, 'b', 'registry_json', 12, false],
          [3, 'c', 'json', long.length, true],
        ],
      )
      assert.deepEqual(first.messages[0]!.headers, { origin: 'attic' })
      assert.deepEqual(first.messages.map(({ text }) => text).slice(0, 3), ['{"n":1}', null, '{"n":2}'])
      assert.equal(first.messages[1]!.raw, Buffer.from([0xff, 0xfe]).toString('base64'))
      assert.equal(first.messages[3]!.text!.length, 2_000)
      const place = { topic: 'seen', partition: 0, offset: start + 3, limit: 1, full: 'true' as const }
      assert.equal((await get(app, 'streamMessages', place)).messages[0]!.text, long)

      await log.append([{ key: 'a', value: Buffer.from('{"n":3}') }])
      const next = await get(app, 'streamMessages', { topic: 'seen', after: first.next })
      assert.deepEqual(
        next.messages.map(({ text }) => text),
        ['{"n":3}'],
      )
      const filtered = await get(app, 'streamMessages', { topic: 'seen', key: 'a', path: '$.n=1' })
      assert.deepEqual(
        filtered.messages.map(({ text }) => text),
        ['{"n":1}'],
      )
      await log.close()
      await app.close()
    })

    test('a dead letter is put back; what is not there, or is no question, is told', async () => {
      const { view, topic } = await fresh()
      const [dead, telemetry] = [await topic(DEAD_LETTER_TOPIC), await topic(TELEMETRY_TOPIC)]
      const app = streamsApp(openLook(view, { adapter: name, where: 'here' }))
      await dead.append([
        { key: 'plug', value: Buffer.from('no json'), headers: { dead_reason: 'not_json' } },
      ])
      const at = (await get(app, 'streamMessages', { topic: DEAD_LETTER_TOPIC, limit: 1 })).messages[0]!
      const post = (payload: object) => app.inject({ method: 'POST', url: '/api/v1/streams/replay', payload })
      const answer = await post({ partition: at.partition, offset: at.offset })
      assert.deepEqual([answer.statusCode, answer.json()], [200, { replayed: 1 }])
      const [back] = (await get(app, 'streamMessages', { topic: TELEMETRY_TOPIC, limit: 1 })).messages
      assert.deepEqual([back!.key, back!.text], ['plug', 'no json'])
      assert.deepEqual(back!.headers, { replay_of: `${at.partition}/${at.offset}` })

      assert.equal((await post({ partition: at.partition, offset: at.offset + 1 })).statusCode, 400)
      assert.equal((await post({})).statusCode, 400)
      const url = '/api/v1/streams/messages'
      await problem(app, `${url}?topic=absent`, 404, 'not_found')
      for (const wrong of ['path=x', 'after=x', 'limit=0', 'since=yesterday', 'full=true'])
        await problem(app, `${url}?topic=${TELEMETRY_TOPIC}&${wrong}`, 400, 'bad_request')
      await dead.close()
      await telemetry.close()
      await app.close()
    })
  })
}
