import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { PartitionBounds, ReadableSink } from '../../../src/1-source/source.ts'
import { openRequests } from '../../../src/1-source/http/requests.ts'
import { PlatformError } from '../../../src/errors.ts'
import { folder, parsed, server } from './server.ts'

const PLUG = '{"device_id":"plug-1","timestamp":"2026-03-10T11:59:00Z","power_usage":12.5}'
const LAMP = '{"device_id":"lamp-1","timestamp":"2026-03-10T11:59:30Z","power_usage":7}'

test('one object, an array and JSON lines, plain or as gzip, are in the stream as they were written when 202 comes', async (t) => {
  const { send, texts } = await server(t)
  for (const [body, headers] of [
    [PLUG, {}],
    [`[${PLUG}, ${LAMP}]`, {}],
    [`${PLUG}\n${LAMP}\n`, { 'content-type': 'application/x-ndjson' }],
    [gzipSync(PLUG), { 'content-encoding': 'gzip' }],
  ] as const) {
    const response = await send(body, headers)
    assert.equal(response.statusCode, 202, response.body)
  }
  assert.deepEqual(await texts(), [PLUG, PLUG, LAMP, PLUG, LAMP, PLUG])
})

test('each line has its verdict: what Silver will set aside is said at once, and is in the stream nevertheless', async (t) => {
  const { send, texts } = await server(t)
  const lines = [
    PLUG,
    '{"device_id":"plug-1","timestamp":"2026-03-10T11:59:00Z"',
    '{"timestamp":"2026-03-10T11:59:00Z","power_usage":1}',
    '{"device_id":"plug-1","timestamp":"2026-03-10 11:59","power_usage":1}',
    '{"device_id":"plug-1","timestamp":"1970-01-01T00:00:05Z","power_usage":1}',
    '{"device_id":"plug-1","timestamp":"2026-03-10T12:11:00Z","power_usage":1}',
    '{"device_id":"plug-1","timestamp":"2026-03-10T11:59:00Z"}',
    '[1,2]',
  ]
  const response = await send(lines.join('\n'))
  assert.equal(response.statusCode, 202)
  const told = response.json<{
    accepted: number
    quarantined: number
    lines: { line: number; reason?: string }[]
  }>()
  assert.deepEqual([told.accepted, told.quarantined], [1, 7])
  assert.deepEqual(
    told.lines.map(({ line, reason }) => [line, reason]),
    [
      [1, undefined],
      [2, 'not_json'],
      [3, 'missing_device_id'],
      [4, 'missing_timestamp'],
      [5, 'before_2000'],
      [6, 'in_future'],
      [7, 'empty'],
      [8, 'not_json'],
    ],
  )
  assert.deepEqual(await texts(), lines)
})

test('nothing that could be a reading is 422, and kept; nothing at all is 400', async (t) => {
  const { send, texts } = await server(t)
  assert.equal((await send('hello')).statusCode, 422)
  assert.equal((await send(Buffer.from([0xff, 0xfe, 0x00, 0x7b]))).statusCode, 422)
  assert.equal((await texts()).length, 2)
  for (const body of ['', '  \n', '[]'])
    assert.equal((await send(body)).statusCode, body === '[]' ? 422 : 400)
  const broken = await send(Buffer.from('no gzip'), { 'content-encoding': 'gzip' })
  assert.equal(broken.statusCode, 400)
  assert.equal(broken.json<{ code: string }>().code, 'encoding_broken')
})

test('a reading without a time gets that of its arrival; other text stays as it was written', async (t) => {
  const { send, texts } = await server(t)
  await send('{"device_id":"esp","temperature":1e999}')
  await send('{"device_id":"esp","timestamp":null,"temperature":20.50}')
  // Two of one request, and that in one millisecond with the others: none of them contradicts another.
  await send('{"device_id":"esp","temperature":21}\n{"device_id":"esp","temperature":22}')
  const [first, second, ...both] = await texts()
  assert.equal(first, '{"device_id":"esp","temperature":1e999,"timestamp":"2026-03-10T12:00:00.000Z"}')
  assert.equal(parsed([second!])[0]!.timestamp, '2026-03-10T12:00:00.000001Z')
  assert.ok(second!.includes('20.50'))
  assert.deepEqual(
    parsed(both).map(({ timestamp }) => timestamp),
    ['2026-03-10T12:00:00.000002Z', '2026-03-10T12:00:00.000003Z'],
  )
})

test('a key opens one home only', async (t) => {
  const keys = [
    { key: 'k-of-the-house-0001', tenant_id: 'home' },
    { key: 'k-of-the-flat-00002', tenant_id: 'flat' },
  ]
  const { send, texts } = await server(t, { keys })
  const none = await send(PLUG)
  assert.deepEqual([none.statusCode, none.json<{ code: string }>().code], [401, 'key_missing'])
  assert.equal((await send(PLUG, { authorization: 'Bearer wrong' })).statusCode, 403)
  assert.equal((await send(PLUG, { authorization: 'Bearer k-of-the-flat-00002' })).statusCode, 202)
  assert.equal((await send(PLUG, { 'x-api-key': 'k-of-the-house-0001' })).statusCode, 202)
  const foreign = await send(`${PLUG.slice(0, -1)},"tenant_id":"home"}`, {
    'x-api-key': 'k-of-the-flat-00002',
  })
  assert.equal(foreign.statusCode, 403)
  assert.equal(foreign.json<{ refused: number }>().refused, 1)
  assert.deepEqual(
    parsed(await texts()).map((reading) => reading.tenant_id),
    ['flat', 'home'],
  )
})

test('a request with an Idempotency-Key is appended once and answered alike; the key is of one body', async (t) => {
  const { send, texts } = await server(t)
  const key = { 'idempotency-key': 'a1' }
  const body = '{"device_id":"esp","temperature":20}'
  const answers = await Promise.all([send(body, key), send(body, key)])
  answers.push(await send(body, key))
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [202, 202, 202],
  )
  assert.equal(new Set(answers.map((answer) => answer.body)).size, 1)
  assert.equal((await texts()).length, 1)
  const other = await send(LAMP, key)
  assert.deepEqual([other.statusCode, other.json<{ code: string }>().code], [422, 'key_reused'])
  assert.equal((await texts()).length, 1)
})

test('killed after the append and before the answer: the repeated request finds its readings in the stream', async (t) => {
  const dir = folder(t)
  const first = await server(t, { dir })
  // The answer is lost in the way that a kill loses it: the append is done, and nothing after it.
  const dying: ReadableSink = {
    append: async (messages) => {
      await first.log.append(messages)
      throw new Error('killed')
    },
    bounds: () => first.log.bounds(),
    read: (options) => first.log.read(options),
  }
  const killed = await server(t, { dir, sink: dying })
  assert.equal((await killed.send(PLUG, { 'idempotency-key': 'b2' })).statusCode, 500)
  assert.equal((await first.texts()).length, 1)
  const again = await first.send(PLUG, { 'idempotency-key': 'b2' })
  assert.equal(again.statusCode, 202)
  assert.equal((await first.texts()).length, 1, 'once')
})

test('killed in the middle of an append, as a log of several partitions may be: the repeated request appends the rest, and no more', async (t) => {
  const dir = folder(t)
  const first = await server(t, { dir })
  // Of three messages the second alone is there.
  const dying: ReadableSink = {
    append: async (messages) => {
      await first.log.append(messages.slice(1, 2))
      throw new Error('killed')
    },
    bounds: () => first.log.bounds(),
    read: (options) => first.log.read(options),
  }
  const body = ['a', 'b', 'c'].map((id) => `{"device_id":"${id}","temperature":20}`).join('\n')
  const killed = await server(t, { dir, sink: dying })
  assert.equal((await killed.send(body, { 'idempotency-key': 'b3' })).statusCode, 500)
  const again = await first.send(body, { 'idempotency-key': 'b3' })
  assert.deepEqual([again.statusCode, again.json<{ accepted: number }>().accepted], [202, 3])
  assert.deepEqual(
    parsed(await first.texts()).map((reading) => reading.device_id),
    ['b', 'a', 'c'],
  )
})

test('killed after a part of the append, and the stream trimmed before the request is repeated: the server found that part when it opened', async (t) => {
  const dir = folder(t)
  const first = await server(t, { dir })
  const dying: ReadableSink = {
    append: async (messages) => {
      await first.log.append(messages.slice(0, 2))
      throw new Error('killed')
    },
    bounds: () => first.log.bounds(),
    read: (options) => first.log.read(options),
  }
  const body = ['a', 'b', 'c'].map((id) => `{"device_id":"${id}","temperature":20}`).join('\n')
  const killed = await server(t, { dir, sink: dying })
  assert.equal((await killed.send(body, { 'idempotency-key': 'b4' })).statusCode, 500)
  await server(t, { dir })
  const requests = openRequests(dir)
  const places = () => [...requests.begun().values()].map(({ found }) => found)
  while (places()[0]?.length === 0) await setTimeout(5)
  assert.deepEqual(places(), [[0, 1]])
  requests.close()
  await first.log.trim(0, (await first.log.bounds())[0]!.end)
  const again = await first.send(body, { 'idempotency-key': 'b4' })
  assert.deepEqual([again.statusCode, again.json<{ accepted: number }>().accepted], [202, 3])
  assert.deepEqual(
    parsed(await first.texts()).map((reading) => reading.device_id),
    ['c'],
  )
})

test('trimmed while a repeated request is looked for: the look goes on where the stream begins then', async (t) => {
  const dir = folder(t)
  const first = await server(t, { dir })
  const dying: ReadableSink = {
    append: async (messages) => {
      await first.log.append([{ key: null, value: Buffer.from(LAMP) }, ...messages])
      throw new Error('killed')
    },
    bounds: () => first.log.bounds(),
    read: (options) => first.log.read(options),
  }
  const killed = await server(t, { dir, sink: dying })
  assert.equal((await killed.send(PLUG, { 'idempotency-key': 'b5' })).statusCode, 500)
  const [{ start }] = (await first.log.bounds()) as [PartitionBounds]
  const trimmed: ReadableSink = {
    append: (messages) => first.log.append(messages),
    bounds: () => first.log.bounds(),
    read: async (options) => {
      await first.log.trim(0, start + 1)
      return await first.log.read(options)
    },
  }
  const again = await (await server(t, { dir, sink: trimmed })).send(PLUG, { 'idempotency-key': 'b5' })
  assert.equal(again.statusCode, 202)
  assert.deepEqual(await first.texts(), [PLUG], 'once')
})

test('202 comes only after the append; under pressure 429 with Retry-After, and 503 where the stream cannot be written', async (t) => {
  const { log } = await server(t)
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  const slow: ReadableSink = {
    append: () => held,
    bounds: () => log.bounds(),
    read: (options) => log.read(options),
  }
  const { send } = await server(t, { sink: slow, waitingBytes: 3000 })
  let answered = false
  const waiting = send(PLUG).then((response) => {
    answered = true
    return response
  })
  const second = send(PLUG)
  await setTimeout(50)
  assert.equal(answered, false)
  const refused = await send(PLUG)
  assert.equal(refused.statusCode, 429)
  assert.equal(refused.headers['retry-after'], '1')
  release()
  assert.equal((await waiting).statusCode, 202)
  assert.equal((await second).statusCode, 202)
  assert.equal((await send(PLUG)).statusCode, 202, 'room again')

  const full = new PlatformError('stream_unwritable', 'The disk is full.', 'Make room.')
  const broken: ReadableSink = { ...slow, append: () => Promise.reject(full) }
  const failing = await (await server(t, { sink: broken })).send(PLUG)
  assert.equal(failing.statusCode, 503)
  assert.equal(failing.headers['retry-after'], '5')
})

test('a body that unpacks to more than the limit is refused before it fills the memory', async (t) => {
  const { send, texts } = await server(t)
  const bomb = gzipSync(Buffer.alloc(65 * 1024 * 1024, 0x20))
  const response = await send(bomb, { 'content-encoding': 'gzip' })
  assert.deepEqual([response.statusCode, response.json<{ code: string }>().code], [413, 'too_large'])
  assert.deepEqual(await texts(), [])
})
