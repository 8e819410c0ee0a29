import assert from 'node:assert/strict'
import mqtt from 'mqtt'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createIntake } from '../../../src/1-source/intake.ts'
import { startBroker } from '../../../src/1-source/mqtt/broker.ts'
import { listen } from '../../../src/1-source/mqtt/listener.ts'
import { openRegistry } from '../../../src/1-source/registry/registry.ts'
import type { ReadableSink } from '../../../src/1-source/source.ts'
import { openEmbeddedLog } from '../../../src/2-stream/embedded.ts'
import { mosquittoObstacle, startMosquitto } from '../../servers/mosquitto.ts'
import { freePort } from '../../servers/ports.ts'

const SENSOR = (power: number): string =>
  `{"Time":"2026-03-10T12:00:${String(power).padStart(2, '0')}Z","ENERGY":{"Power":${power}}}`

async function house(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'smarthouse-mosquitto-'))
  const log = await openEmbeddedLog({ dir })
  const registry = openRegistry(dir)
  const intakeTo = (sink: ReadableSink) =>
    createIntake({ sink, registry, timeZone: 'UTC', mappings: [], clock: () => Date.UTC(2026, 2, 10, 12) })
  const readings = async (): Promise<Record<string, unknown>[]> => {
    const [bounds] = await log.bounds()
    const records = await log.read({ partition: 0, offset: bounds!.start, maxRecords: 10_000 })
    return records.map(
      ({ value }) => JSON.parse(Buffer.from(value).toString('utf8')) as Record<string, unknown>,
    )
  }
  t.after(async () => {
    registry.close()
    await log.close()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  })
  return { dir, log, intakeTo, readings }
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await what()) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  assert.fail('waited 10 s in vain')
}

for (const version of [5, 4] as const)
  test(`Mosquitto, version ${version}: what was published while we were away arrives; kept messages are state; failed writes come again`, async (t) => {
    const obstacle = mosquittoObstacle()
    if (obstacle !== null) return t.skip(obstacle)
    const { dir, log, intakeTo, readings } = await house(t)
    const port = await freePort()
    const mosquitto = await startMosquitto(dir, port)
    t.after(() => mosquitto.kill())
    const url = `mqtt://127.0.0.1:${port}`
    const plug = await mqtt.connectAsync(url, { reconnectPeriod: 0 })
    t.after(() => plug.end(true))
    await plug.publishAsync('tele/kept/LWT', 'Online', { qos: 1, retain: true })

    let failures = 2
    const failing: ReadableSink = {
      bounds: () => log.bounds(),
      read: (options) => log.read(options),
      append: async (messages) => {
        if (failures-- > 0) throw new Error('the disk is full')
        await log.append(messages)
      },
    }
    const open = () =>
      listen({
        url,
        version,
        clientId: 'house',
        topics: ['tele/#'],
        tenant: 'home',
        intake: intakeTo(failing),
        say: () => undefined,
      })
    const first = open()
    await until(async () => (await readings()).length === 1)
    assert.equal((await readings())[0]!.event_id, 'retained')
    await plug.publishAsync('tele/plug/SENSOR', SENSOR(1), { qos: 1 })
    await until(async () => (await readings()).length === 2)
    await first.close()

    for (const power of [2, 3, 4]) await plug.publishAsync('tele/plug/SENSOR', SENSOR(power), { qos: 1 })
    const second = open()
    t.after(() => second.close())
    await until(async () => (await readings()).length === 5)
    const powers = (await readings()).slice(1).map(({ device_id, power_usage }) => [device_id, power_usage])
    assert.deepEqual(
      powers,
      [1, 2, 3, 4].map((power) => ['plug', power]),
    )
  })

test('Mosquitto as a bridge to us: what devices publish there is in our stream', async (t) => {
  const obstacle = mosquittoObstacle()
  if (obstacle !== null) return t.skip(obstacle)
  const { dir, log, intakeTo, readings } = await house(t)
  const user = {
    user: 'bridge',
    password: 'correct-horse',
    tenant_id: 'flat',
    publish: ['tele/#'],
    subscribe: ['cmnd/#'],
  }
  const broker = await startBroker({
    host: '127.0.0.1',
    port: 0,
    users: [user],
    messagesPerSecond: 1000,
    burst: 1000,
    intake: intakeTo(log),
    say: () => undefined,
  })
  t.after(() => broker.close())
  const port = await freePort()
  const mosquitto = await startMosquitto(dir, port, [
    'connection house',
    `address 127.0.0.1:${broker.port}`,
    'remote_username bridge',
    'remote_password correct-horse',
    'try_private false',
    'notifications false',
    'topic tele/# out 1',
  ])
  t.after(() => mosquitto.kill())
  const plug = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 })
  t.after(() => plug.end(true))
  await until(async () => broker.clients() === 1)
  for (const power of [1, 2]) await plug.publishAsync('tele/plug/SENSOR', SENSOR(power), { qos: 1 })
  await until(async () => (await readings()).length === 2)
  assert.deepEqual(
    (await readings()).map(({ tenant_id, power_usage }) => [tenant_id, power_usage]),
    [
      ['flat', 1],
      ['flat', 2],
    ],
  )
})
