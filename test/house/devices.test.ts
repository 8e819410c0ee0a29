import assert from 'node:assert/strict'
import mqtt from 'mqtt'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { dataFolder, smarthouseHere, sql, start } from './run-cli.ts'

const CONFIG = (mappings: string) => `
time_zone: UTC
simulator: { enabled: false }
sources:
  mqtt: { enabled: true, port: 0 }
${mappings}`
const MAPPING = `
  mappings:
    - topic: heating/{device}/state
      device_type: boiler
      fields:
        - { from: flow, to: temperature, unit: °F }
        - { from: meter, to: energy_total_wh, unit: kWh }
`

/** A broker of its own process; answers its address once it listens. */
async function startBroker(data: string, config: string) {
  const broker = start(['broker', '--data', data, '--config', config])
  for (;;) {
    const port = /MQTT broker: 127\.0\.0\.1:(\d+)/.exec(broker.output())?.[1]
    if (port !== undefined) return { broker, url: `mqtt://127.0.0.1:${port}` }
    assert.equal(broker.child.exitCode, null, broker.output())
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test('a live fleet is discovered within a minute: every device by its name, with its type, maker and unit', async (t) => {
  const data = dataFolder(t)
  const config = join(dirname(data), 'smarthouse.yaml')
  writeFileSync(config, CONFIG(''))
  const { broker, url } = await startBroker(data, config)
  const beganMs = Date.now()
  const fleet = start(['simulate', '--as', 'zigbee2mqtt', '--to', url, '--devices', '10', '--for', '30s'])
  t.after(() => {
    fleet.child.kill('SIGKILL')
    broker.child.kill('SIGKILL')
  })
  interface Listed {
    device_id: string
    origin: string
    device_type: string | null
    manufacturer: string | null
    model: string | null
  }
  const listed = async (): Promise<Listed[]> => {
    const { stdout } = await smarthouseHere('devices', 'list', '--json', '--data', data, '--config', config)
    return JSON.parse(stdout || '[]') as Listed[]
  }
  const plugs = (all: readonly Listed[]): Listed[] =>
    all.filter(({ device_type }) => device_type !== 'gateway')
  let devices = plugs(await listed())
  while (devices.length < 10 && Date.now() - beganMs < 60_000) devices = plugs(await listed())
  assert.equal(devices.length, 10, `after ${(Date.now() - beganMs) / 1000} s: ${JSON.stringify(devices)}`)
  for (const { device_id, origin, device_type, manufacturer, model } of devices) {
    assert.equal(origin, 'discovered', device_id)
    assert.ok(
      device_type && manufacturer && model,
      JSON.stringify({ device_id, device_type, manufacturer, model }),
    )
  }
})

test('devices come into the catalogue by themselves, are named, merged with their history, and read later by a mapping', async (t) => {
  const data = dataFolder(t)
  const config = join(dirname(data), 'smarthouse.yaml')
  const run = async (...words: string[]): Promise<string> => {
    const { status, stdout, stderr } = await smarthouseHere(...words, '--data', data, '--config', config)
    assert.equal(status, 0, stderr)
    return stdout
  }
  writeFileSync(config, CONFIG(''))
  const { broker, url } = await startBroker(data, config)
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 0 })
  const publish = (topic: string, message: object) =>
    client.publishAsync(topic, JSON.stringify(message), { qos: 1 })
  // Yesterday: nothing of it lies ahead, whatever the hour.
  const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 11)
  // The old plug counts 1.000 → 1.200 kWh; the new one that took its place 1.200 → 1.250 kWh.
  for (const [device, time, total] of [
    ['old', '00:00:00', 1],
    ['old', '00:10:00', 1.2],
    ['new', '00:20:00', 1.2],
    ['new', '00:30:00', 1.25],
  ] as const)
    await publish(`tele/${device}/SENSOR`, { Time: `${day}${time}Z`, ENERGY: { Total: total } })
  await publish('heating/cellar/state', { flow: 122, meter: 3.5 })
  await client.endAsync()
  broker.child.kill('SIGINT')
  await broker.ended
  await run('stages', '--once')

  const listed = JSON.parse(await run('devices', 'list', '--json')) as Record<string, unknown>[]
  assert.deepEqual(
    listed.map(({ device_id, protocol, origin }) => [device_id, protocol, origin]),
    [
      ['new', 'tasmota', 'discovered'],
      ['old', 'tasmota', 'discovered'],
    ],
  )
  await run('devices', 'rename', 'new', '--name', 'Washing machine', '--location', 'cellar')
  const energy = async () =>
    (
      await sql<{ device_id: string; wh: string }>(
        data,
        'SELECT device_id, sum(energy_wh) AS wh FROM gold.quarter_hourly_energy GROUP BY ALL ORDER BY ALL',
      )
    ).map(({ device_id, wh }) => [device_id, Number(wh)])
  assert.deepEqual(await energy(), [
    ['new', 50],
    ['old', 200],
  ])

  // History follows: one counter from 1.000 to 1.250 kWh.
  await run('devices', 'merge', 'old', 'new')
  await run('stages', '--once')
  assert.deepEqual(await energy(), [['new', 250]])
  assert.deepEqual(await sql(data, "SELECT DISTINCT location FROM silver.readings WHERE device_id = 'new'"), [
    { location: 'cellar' },
  ])
  await run('verify')
  await run('devices', 'merge', 'old', '--undo')
  await run('stages', '--once')
  assert.deepEqual(await energy(), [
    ['new', 50],
    ['old', 200],
  ])
  await run('verify')

  const [unknown] = JSON.parse(await run('devices', 'unknown', '--json')) as {
    pattern: string
    count: number
  }[]
  assert.deepEqual([unknown!.pattern, unknown!.count], ['heating/cellar/state', 1])
  writeFileSync(config, CONFIG(MAPPING))
  for (let time = 0; time < 2; time++) {
    await run('rebuild', 'silver')
    // 122 °F are 50 °C, 3.5 kWh 3,500 Wh; a second time adds nothing.
    assert.deepEqual(
      await sql(
        data,
        `SELECT device_id, device_type, temperature, energy_total_wh FROM silver.readings WHERE protocol = 'mapped'`,
      ),
      [{ device_id: 'cellar', device_type: 'boiler', temperature: 50, energy_total_wh: 3500 }],
    )
  }
  assert.deepEqual(JSON.parse(await run('devices', 'unknown', '--json')), [])
  assert.match(await run('devices', 'show', 'cellar'), /protocol +mapped/)
  assert.match(
    (await smarthouseHere('devices', 'show', 'cellra', '--data', data, '--config', config)).stderr,
    /cellar/,
  )
})
