import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createIntake, type Arrival } from '../../../src/1-source/intake.ts'
import { clockOffsetMs, heardNothing, intervalMs, presenceOf } from '../../../src/1-source/registry/heard.ts'
import { patternOf } from '../../../src/1-source/registry/facts.ts'
import { openRegistry } from '../../../src/1-source/registry/registry.ts'
import { openEmbeddedLog } from '../../../src/2-stream/embedded.ts'

const NOON = Date.UTC(2026, 2, 10, 12)
const arrival = (topic: string, payload: string, more: Partial<Arrival> = {}): Arrival => ({
  topic,
  payload: Buffer.from(payload),
  retained: false,
  redelivered: false,
  tenant: 'home',
  ...more,
})
/** As Zigbee2MQTT's documentation shows bridge/devices: the unit of `energy` stands in `exposes`. */
const BRIDGE_DEVICES = JSON.stringify([
  {
    ieee_address: '0x00158d0001dc126a',
    friendly_name: 'cellar plug',
    type: 'Router',
    supported: true,
    definition: {
      model: 'TS011F',
      vendor: 'Tuya',
      exposes: [{ type: 'numeric', name: 'energy', property: 'energy', unit: 'kWh', access: 1 }],
    },
  },
])

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'smarthouse-registry-'))
  t.after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }))
  return dir
}

/** A platform that runs until `stop`; started again on the same folder it knows what it knew. */
async function start(dir: string, clock: () => number = () => NOON) {
  const log = await openEmbeddedLog({ dir })
  const registry = openRegistry(dir)
  const intake = createIntake({ sink: log, registry, timeZone: 'UTC', mappings: [], clock })
  const messages = async (): Promise<Record<string, unknown>[]> => {
    const [bounds] = await log.bounds()
    const records = await log.read({ partition: 0, offset: bounds!.start, maxRecords: 1000 })
    return records.map(
      ({ value }) => JSON.parse(Buffer.from(value).toString('utf8')) as Record<string, unknown>,
    )
  }
  const stop = async (): Promise<void> => {
    registry.close()
    await log.close()
  }
  return { registry, intake, messages, stop }
}

test('what a bridge taught is known after a restart: the unit of energy is the one of its exposes', async (t) => {
  const dir = folder(t)
  const before = await start(dir)
  await before.intake.take(arrival('zigbee2mqtt/bridge/devices', BRIDGE_DEVICES, { retained: true }))
  await before.stop()

  const after = await start(dir)
  await after.intake.take(arrival('zigbee2mqtt/cellar plug', '{"energy":1.5,"power":20,"linkquality":80}'))
  const reading = (await after.messages()).at(-1)!
  assert.equal(reading.energy_total_wh, 1500, '1.5 kWh')
  after.registry.flush()
  const [device] = after.registry.devices()
  assert.equal(device!.device_id, 'cellar plug')
  assert.deepEqual([device!.facts.manufacturer, device!.facts.model], ['Tuya', 'TS011F'])
  assert.deepEqual([device!.linkQuality, device!.messages, device!.lastMs], [80, 1, NOON])
  await after.stop()
})

test('a kept message that comes with each connection is stored once, also over a restart', async (t) => {
  const dir = folder(t)
  const kept = arrival('zigbee2mqtt/bridge/devices', BRIDGE_DEVICES, { retained: true })
  for (let restart = 0; restart < 2; restart++) {
    const platform = await start(dir)
    await platform.intake.take(kept)
    await platform.intake.take(kept)
    assert.equal((await platform.messages()).length, 1)
    await platform.stop()
  }
})

test('sent again after the platform was killed: what was stored, and has no time of its own, is a duplicate', async (t) => {
  const dir = folder(t)
  const power = arrival('shellies/shellyplug-s-1A2B3C/relay/0/power', '20.5')
  const before = await start(dir)
  assert.equal(await before.intake.take(power), 'stored')
  await before.stop()
  const after = await start(dir)
  assert.equal(await after.intake.take({ ...power, redelivered: true }), 'duplicate')
  assert.equal(await after.intake.take(power), 'stored', 'the same power, measured anew')
  await after.stop()
})

test('unknown messages are listed by pattern, counted, with a sample and a mapping; their number is bounded', async (t) => {
  const platform = await start(folder(t))
  for (let n = 0; n < 3; n++)
    await platform.intake.take(arrival(`heater/${1000 + n}/state`, `{"flow_temp":${40 + n}}`))
  for (let n = 0; n < 600; n++) await platform.intake.take(arrival(`riddle/${'x'.repeat(n)}`, 'x=1'))
  platform.registry.flush()
  const listed = platform.registry.unknown()
  const heater = listed.find(({ pattern }) => pattern === 'heater/+/state')!
  assert.equal(heater.count, 3)
  assert.equal(heater.sample, '{"flow_temp":42}')
  const { mapping } = JSON.parse(heater.proposal!) as { mapping: { fields: { from: string; to: string }[] } }
  assert.deepEqual(mapping.fields, [{ from: 'flow_temp', to: 'metrics.flow_temp' }])
  assert.ok(listed.length <= 501, `${listed.length} patterns`)
  assert.equal(
    listed.reduce((sum, { count }) => sum + count, 0),
    603,
    'those that are too many are counted together',
  )
  await platform.stop()
})

test('presence: the availability topic, then silence for three intervals', () => {
  const heard = { ...heardNothing(), lastMs: NOON, gapsMs: [60_000, 61_000, 59_000, 600_000] }
  // Sorted 59, 60, 61, 600 s: the lower of the two in the middle.
  assert.equal(intervalMs(heard), 60_000)
  const at = (ms: number, more = {}) =>
    presenceOf({ ...heard, ...more }, { nowMs: NOON + ms, silentAfterMs: 120_000, expectedIntervalMs: null })
  assert.equal(at(179_000), 'online')
  assert.equal(at(181_000), 'silent')
  assert.equal(at(0, { told: 'offline', toldMs: NOON + 1 }), 'offline')
  assert.equal(at(0, { told: 'offline', toldMs: NOON - 1 }), 'online', 'it was heard after its will')
  assert.equal(at(0, { lastMs: null }), 'unknown')
})

test("a device's clock: the message that took the least time tells", async (t) => {
  const platform = await start(folder(t))
  // Its clock is 40 s behind; the messages took 0, 5 and 2 s.
  for (const behindS of [40, 45, 42]) {
    const own = new Date(NOON - behindS * 1000).toISOString().slice(0, 19)
    await platform.intake.take(arrival('tele/plug/SENSOR', `{"Time":"${own}","ENERGY":{"Power":${behindS}}}`))
  }
  await platform.intake.take(
    arrival('tele/plug/SENSOR', '{"Time":"1970-01-01T00:00:09","ENERGY":{"Power":1}}'),
  )
  platform.registry.flush()
  const [device] = platform.registry.devices()
  assert.equal(device!.timeRules.message, 3)
  assert.equal(device!.timeRules.clock_not_set, 1, 'its life in 1970 is seen')
  assert.equal(clockOffsetMs(device!), -40_000)
  const last = (await platform.messages()).at(-1)!
  assert.equal(Date.parse(String(last.timestamp)), NOON, 'and has the time of its arrival')
  await platform.stop()
})

test('levels that look like ids are one pattern', () => {
  assert.equal(patternOf('a/0x00158d0001dc126a/b/12345/c/kitchen'), 'a/+/b/+/c/kitchen')
  assert.equal(patternOf('facade/state'), 'facade/state')
})
