import assert from 'node:assert/strict'
import mqtt from 'mqtt'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createIntake } from '../../../src/1-source/intake.ts'
import { startBroker, type BrokerOptions } from '../../../src/1-source/mqtt/broker.ts'
import { createFloodGate } from '../../../src/1-source/mqtt/flood.ts'
import { matches } from '../../../src/1-source/mqtt/topics.ts'
import { openRegistry } from '../../../src/1-source/registry/registry.ts'
import type { Sink } from '../../../src/1-source/source.ts'
import { openEmbeddedLog } from '../../../src/2-stream/embedded.ts'

/** As Tasmota's documentation shows tele/…/SENSOR: its own time, power in W, total in kWh. */
const SENSOR = '{"Time":"2026-03-10T12:59:30","ENERGY":{"Total":1.5,"Power":100}}'

async function house(t: TestContext, options: Partial<BrokerOptions> & { sink?: Sink } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'smarthouse-mqtt-'))
  const log = await openEmbeddedLog({ dir })
  // 12:00 UTC is 13:00 in Berlin.
  const clock = () => Date.UTC(2026, 2, 10, 12)
  const registry = openRegistry(dir)
  const intake = createIntake({
    sink: options.sink ?? log,
    registry,
    mappings: [],
    timeZone: 'Europe/Berlin',
    clock,
  })
  const broker = await startBroker({
    host: '127.0.0.1',
    port: 0,
    users: [],
    messagesPerSecond: 1000,
    burst: 1000,
    say: () => undefined,
    intake,
    ...options,
  })
  t.after(async () => {
    await broker.close()
    registry.close()
    await log.close()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  })
  const connect = async (settings: mqtt.IClientOptions = {}) => {
    const client = await mqtt.connectAsync(
      `mqtt://127.0.0.1:${broker.port}`,
      { reconnectPeriod: 0, ...settings },
      false,
    )
    t.after(() => client.end(true))
    return client
  }
  const messages = async (): Promise<Record<string, unknown>[]> => {
    const [bounds] = await log.bounds()
    const records = await log.read({ partition: 0, offset: bounds!.start, maxRecords: 1000 })
    return records.map(
      ({ value }) => JSON.parse(Buffer.from(value).toString('utf8')) as Record<string, unknown>,
    )
  }
  return { intake, connect, messages, log }
}

test('a Tasmota plug that is pointed at us: its reading is in the stream when it is acknowledged', async (t) => {
  const { connect, messages } = await house(t)
  const plug = await connect()
  await plug.publishAsync('tele/plug/SENSOR', SENSOR, { qos: 1 })
  const [reading] = await messages()
  assert.equal(reading!.device_id, 'plug')
  assert.equal(reading!.tenant_id, 'home')
  assert.equal(reading!.power_usage, 100)
  assert.equal(reading!.energy_total_wh, 1500)
  assert.equal(Date.parse(String(reading!.timestamp)), Date.UTC(2026, 2, 10, 11, 59, 30))
  assert.equal(reading!.raw, SENSOR)
})

test('PUBACK waits for the stream', async (t) => {
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  const { connect } = await house(t, { sink: { append: () => held } })
  const plug = await connect()
  let acknowledged = false
  const published = plug
    .publishAsync('tele/plug/SENSOR', SENSOR, { qos: 1 })
    .then(() => (acknowledged = true))
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal(acknowledged, false)
  release()
  await published
})

test('a last will is a reading: the device is offline', async (t) => {
  const { connect, messages } = await house(t)
  const plug = await connect({
    will: { topic: 'tele/plug/LWT', payload: Buffer.from('Offline'), qos: 1, retain: true },
  })
  plug.stream.destroy()
  for (let tries = 0; (await messages()).length === 0 && tries < 100; tries++)
    await new Promise((resolve) => setTimeout(resolve, 20))
  assert.deepEqual(
    (await messages()).map(({ device_id, status }) => [device_id, status]),
    [['plug', 'offline']],
  )
})

test('what no decoder knows is in the stream as it came, bytes too', async (t) => {
  const { connect, messages } = await house(t)
  const device = await connect()
  await device.publishAsync('some/thing', 'x=1', { qos: 1 })
  await device.publishAsync('some/thing', Buffer.from([0xff, 0x00]), { qos: 1 })
  assert.deepEqual(
    (await messages()).map(({ device_id, source_topic, raw }) => [device_id, source_topic, raw]),
    [
      [undefined, 'some/thing', 'x=1'],
      [undefined, 'some/thing', 'data:application/octet-stream;base64,/wA='],
    ],
  )
})

test('sent again: what has no time of its own and equals the last of its topic is a duplicate; retained is state', async (t) => {
  const { intake, messages } = await house(t)
  const arrival = {
    topic: 'some/thing',
    payload: Buffer.from('5'),
    retained: false,
    redelivered: false,
    tenant: 'home',
  }
  assert.equal(await intake.take(arrival), 'raw')
  assert.equal(await intake.take({ ...arrival, redelivered: true }), 'duplicate')
  assert.equal(await intake.take(arrival), 'raw', 'the same value, sent anew')
  assert.equal(await intake.take({ ...arrival, payload: Buffer.from('6'), redelivered: true }), 'raw')
  assert.equal(await intake.take({ ...arrival, retained: true }), 'state')
  assert.equal(await intake.take({ ...arrival, retained: true }), 'state')
  assert.equal(await intake.take({ ...arrival, payload: Buffer.alloc(0) }), 'empty')
  assert.deepEqual(
    (await messages()).map(({ raw, event_id }) => [raw, event_id]),
    [
      ['5', undefined],
      ['5', undefined],
      ['6', undefined],
      ['5', 'retained'],
    ],
    'what a broker kept is kept once, and is no reading',
  )
})

test('users: a wrong password is refused, topics are bounded, $share is not granted, an open house only on loopback', async (t) => {
  const user = {
    user: 'plug',
    password: 'correct-horse',
    tenant_id: 'flat',
    publish: ['tele/+/SENSOR'],
    subscribe: ['cmnd/#'],
  }
  const { connect, messages } = await house(t, { users: [user] })
  await assert.rejects(connect(), /Not authorized/i)
  await assert.rejects(connect({ username: 'plug', password: 'wrong-horse' }), /Not authorized/i)
  const plug = await connect({ username: 'plug', password: 'correct-horse' })
  const granted = async (topic: string) =>
    (await plug.subscribeAsync(topic).catch(() => [{ qos: 128 }]))[0]?.qos ?? 128
  assert.equal(await granted('cmnd/plug/POWER'), 0)
  for (const topic of ['#', 'tele/#', '$share/group/cmnd/#']) assert.equal(await granted(topic), 128, topic)
  await plug.publishAsync('tele/plug/SENSOR', SENSOR, { qos: 1 })
  assert.deepEqual(
    (await messages()).map(({ tenant_id }) => tenant_id),
    ['flat'],
  )
  const closed = new Promise((resolve) => plug.once('close', () => resolve(true)))
  plug.publish('tele/plug/LWT', 'Online', { qos: 1 })
  assert.equal(await closed, true)
  assert.equal((await messages()).length, 1)
  await assert.rejects(house(t, { host: '0.0.0.0' }), { code: 'config_invalid' })
})

test('topic filters match as MQTT 3.1.1 says', () => {
  assert.ok(
    matches('a/+/c', 'a/b/c') && matches('a/#', 'a/b/c') && matches('a/#', 'a') && matches('#', 'a/b'),
  )
  assert.ok(
    !matches('a/+', 'a/b/c') && !matches('+', 'a/b') && !matches('#', '$SYS/x') && !matches('a/b/c', 'a/b'),
  )
})

test('a computer whose clock is set back lets no client wait', (t) => {
  let nowMs = Date.now()
  t.mock.method(Date, 'now', () => nowMs)
  const gate = createFloodGate({ perSecond: 10, burst: 3 })
  assert.equal(gate.delayMs('plug'), 0)
  nowMs -= 86_400_000
  assert.equal(gate.delayMs('plug'), 0)
})

test('a client that floods waits for its turn, and is told of; the others do not wait', async (t) => {
  let nowMs = 1_000_000
  const gate = createFloodGate({ perSecond: 10, burst: 3, clock: () => nowMs })
  const delays = (client: string, messages: number) =>
    Array.from({ length: messages }, () => gate.delayMs(client))
  // Three at once, then one each 100 ms.
  assert.deepEqual(delays('flood', 5), [0, 0, 0, 100, 200])
  assert.deepEqual(delays('quiet', 1), [0])
  assert.deepEqual([...gate.takeWaited()], [['flood', 2]])
  nowMs += 1000
  assert.deepEqual(delays('flood', 4), [0, 0, 0, 100], 'a second later it has its three again')

  const { connect, messages } = await house(t, { messagesPerSecond: 50, burst: 5 })
  const flood = await connect()
  const startedMs = Date.now()
  await Promise.all(
    Array.from({ length: 25 }, (_, n) => flood.publishAsync('some/thing', `x=${n}`, { qos: 1 })),
  )
  // 20 beyond the first five, at 50 a second: 400 ms.
  assert.ok(Date.now() - startedMs >= 390)
  assert.equal((await messages()).length, 25, 'nothing of it is lost')
})
