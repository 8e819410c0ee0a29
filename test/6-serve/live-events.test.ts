import assert from 'node:assert/strict'
import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { LIVE_EVENTS, type LiveEventName } from '../../src/6-serve/contract.ts'
import { emptyHouse, type House } from './house.ts'
import { memoryLog, until, type MemoryLog } from './memory-log.ts'

let house: House
before(async () => {
  house = await emptyHouse()
})
after(() => house.close())

interface Listener {
  events: { name: LiveEventName; id: string; data: Record<string, unknown> }[]
  text: () => string
  response: IncomingMessage
  request: ClientRequest
  ended: Promise<void>
}

async function server(): Promise<{ app: FastifyInstance; log: MemoryLog; port: number }> {
  const log = memoryLog()
  const app = await house.app({ log, clock: Date.now })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, log, port: (app.server.address() as AddressInfo).port }
}

/** Listens over a real socket; every event is held against the contract. */
async function listen(port: number, lastEventId?: string): Promise<Listener> {
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  const asked = request({ port, host: '127.0.0.1', path: '/api/v1/live?tenant=home', headers, agent: false })
  asked.end()
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.on('response', resolve)
    asked.on('error', reject)
  })
  assert.equal(response.statusCode, 200)
  const events: Listener['events'] = []
  let text = ''
  let taken = 0
  response.setEncoding('utf8')
  response.on('data', (chunk: string) => {
    text += chunk
    for (let end = text.indexOf('\n\n', taken); end >= 0; end = text.indexOf('\n\n', taken)) {
      const fields = new Map(
        text
          .slice(taken, end)
          .split('\n')
          .map((line) => [line.split(': ', 1)[0]!, line.slice(line.indexOf(': ') + 2)]),
      )
      taken = end + 2
      const name = fields.get('event') as LiveEventName | undefined
      if (name === undefined) continue
      const data = LIVE_EVENTS[name].parse(JSON.parse(fields.get('data')!))
      events.push({ name, id: fields.get('id')!, data })
    }
  })
  const ended = new Promise<void>((resolve) => response.on('close', resolve))
  response.on('error', () => undefined)
  return { events, text: () => text, response, request: asked, ended }
}

const reading = (device_id: string, power_usage = 1) => ({
  device_id,
  timestamp: new Date().toISOString(),
  power_usage,
})
const names = ({ events }: Listener) => events.map((event) => event.name)
const devices = ({ events }: Listener) =>
  events.flatMap(({ name, data }) =>
    name === 'readings' ? (data.readings as { device_id: string }[]).map((one) => one.device_id) : [],
  )

test('first a snapshot, then readings as they come, within a quarter of a second', async () => {
  const { log, port } = await server()
  log.put(Date.now(), reading('earlier'))
  const client = await listen(port)
  await until(() => client.events.length === 1, 'the snapshot')
  assert.match(client.text(), /^retry: 2000\n\n/)
  assert.equal(client.response.headers['content-type'], 'text/event-stream; charset=utf-8')
  assert.ok(client.response.headers['content-security-policy'])
  const waits: number[] = []
  for (let i = 0; i < 8; i += 1) {
    const began = performance.now()
    log.put(Date.now(), reading(`d${i}`))
    await until(() => devices(client).includes(`d${i}`), 'the reading')
    waits.push(performance.now() - began)
  }
  assert.ok(Math.max(...waits) < 250, `waited ${waits.map(Math.round).join(', ')} ms`)
  assert.deepEqual(
    new Set(names(client).filter((name) => name !== 'power')),
    new Set(['snapshot', 'readings']),
  )
})

test('the power of the house stands in the snapshot and is told when it changes, at most once a second', async () => {
  const { log, port } = await server()
  const client = await listen(port)
  await until(() => client.events.length === 1, 'the snapshot')
  assert.equal((client.events[0]!.data.power_now as { value_w: number | null }).value_w, null)
  const powers = () => client.events.filter(({ name }) => name === 'power').map(({ data }) => data.value_w)
  log.put(Date.now(), reading('kettle', 2000), reading('lamp', 10))
  await until(() => powers().length === 1, 'the power')
  log.put(Date.now(), reading('kettle', 0))
  await until(() => powers().length === 2, 'the power after the change')
  // 2000 W + 10 W, then 0 W + 10 W.
  assert.deepEqual(powers(), [2010, 10])
})

test('a burst is one event, at most ten a second', async () => {
  const { log, port } = await server()
  const client = await listen(port)
  await until(() => client.events.length === 1, 'the snapshot')
  for (let i = 0; i < 100; i += 1) {
    log.put(Date.now(), reading(`d${i}`))
    if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await until(() => devices(client).length === 100, 'all of them')
  assert.ok(client.events.length <= 5, `${client.events.length} events`)
})

test('who comes back is told exactly what was missed', async () => {
  const { log, port } = await server()
  const stays = await listen(port)
  const leaves = await listen(port)
  await until(() => leaves.events.length === 1, 'the snapshot')
  log.put(Date.now(), reading('heard'))
  await until(() => devices(leaves).length === 1, 'the first')
  leaves.request.destroy()
  log.put(Date.now(), reading('missed'))
  await until(() => devices(stays).length === 2, 'the second')
  const back = await listen(port, leaves.events.at(-1)!.id)
  await until(() => devices(back).length === 1, 'what was missed')
  assert.deepEqual([devices(back), names(back)], [['missed'], ['readings']])
})

test('an id of an earlier run, of the future, or none at all is answered by a fresh start', async () => {
  const { port } = await server()
  const first = await listen(port)
  await until(() => first.events.length === 1, 'the snapshot')
  const epoch = first.events[0]!.id.split('-')[0]!
  for (const [id, reason] of [
    ['zzz-5', 'restarted'],
    ['rubbish\u00ff', 'restarted'],
    [`${epoch}-999`, 'gap'],
  ] as const) {
    const client = await listen(port, id)
    await until(() => client.events.length === 2, 'resync and snapshot')
    assert.deepEqual(names(client), ['resync', 'snapshot'])
    assert.equal(client.events[0]!.data.reason, reason)
  }
})

test('alerts are told as they open, and stand in the snapshot', async () => {
  const { log, port } = await server()
  const client = await listen(port)
  log.put(Date.now(), { ...reading('boiler'), temperature: 40 })
  await until(() => names(client).includes('alert'), 'the alert')
  const later = await listen(port)
  await until(() => later.events.length === 1, 'the snapshot')
  assert.equal((later.events[0]!.data.alerts as { name: string }[])[0]!.name, 'high_temperature')
})

test('closing the server ends the streams at once', async () => {
  const { app, port } = await server()
  const clients = [await listen(port), await listen(port)]
  const began = performance.now()
  await app.close()
  assert.ok(performance.now() - began < 500)
  await Promise.all(clients.map((client) => client.ended))
})

test('one that does not read costs bounded memory, and begins afresh when it reads again', async () => {
  const { app, log, port } = await server()
  const slow = await listen(port)
  const quick = await listen(port)
  await until(() => slow.events.length === 1 && quick.events.length === 1, 'the snapshots')
  slow.response.pause()
  const padding = 'x'.repeat(250)
  let sent = 0
  // Kernel buffers take several megabytes before anything waits in the server.
  for (let round = 0; round < 40; round += 1) {
    log.put(
      Date.now(),
      ...Array.from({ length: 500 }, (_, i) => ({ ...reading(`d${i}`), location: padding, model: round })),
    )
    sent += 500
    await until(() => devices(quick).length >= sent - 2_000, 'the quick one')
    if (round % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 120))
  }
  const sockets = await new Promise<number>((resolve) =>
    app.server.getConnections((_, count) => resolve(count)),
  )
  assert.equal(sockets, 2)
  slow.response.resume()
  await until(() => names(slow).includes('resync'), 'the fresh start')
  const at = names(slow).indexOf('resync')
  assert.deepEqual(slow.events[at]!.data, { reason: 'slow' })
  assert.equal(names(slow)[at + 1], 'snapshot')
})

test('one address opens so many streams and no more', async () => {
  const { port } = await server()
  for (let i = 0; i < 20; i += 1) await listen(port)
  const refused = await fetch(`http://127.0.0.1:${port}/api/v1/live`)
  assert.equal(refused.status, 429)
  assert.equal(((await refused.json()) as { code: string }).code, 'too_many_listeners')
})

test('status changes are told to those who listen', async () => {
  const { port } = await server()
  const client = await listen(port)
  await until(() => names(client).includes('status'), 'a status')
})
