/**
 * What is wrong in every way that devices and brokers know, through the broker as a person would meet it: nothing crashes, everything
 * that was acknowledged is in Bronze and accounted for, with a reason where it is no reading, and the plug beside it goes on.
 */
import assert from 'node:assert/strict'
import mqtt from 'mqtt'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { dataFolder, smarthouse, sql, start } from './run-cli.ts'

const CONFIG = `
time_zone: UTC
simulator: { enabled: false }
sources:
  mqtt: { enabled: true, port: 0, messages_per_s: 50 }
`

const nested = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`

/** Topic, payload, and how often it is a reading. */
const WRONG: readonly (readonly [name: string, topic: string, payload: string | Buffer, readings: number])[] =
  [
    ['binary', 'zigbee2mqtt/x', Buffer.from([0, 1, 2, 255, 254]), 0],
    ['UTF-16', 'tele/x/SENSOR', Buffer.from('{"ENERGY":{"Power":1}}', 'utf16le'), 0],
    ['nan', 'tele/nan/SENSOR', '{"ENERGY":{"Power":nan,"Total":1}}', 1],
    ['1e999', 'zigbee2mqtt/huge', '{"power":1e999,"voltage":230}', 1],
    ['40 levels', 'some/deep', nested(40), 0],
    ['5 MB', 'some/large', 'x'.repeat(5_000_000), 0],
    ['cut off', 'tele/cut/SENSOR', '{"ENERGY":{"Pow', 0],
    ['a key twice', 'zigbee2mqtt/twice', '{"power":1,"power":2}', 1],
    ['an unknown language', 'some/thing', 'colourless green ideas', 0],
    ['a temperature of the sun', 'zigbee2mqtt/sun', '{"temperature":5500}', 0],
  ]

test('bad input of every kind: nothing crashes, nothing is lost without a reason, the plug beside it goes on', async (t) => {
  const data = dataFolder(t)
  const config = join(dirname(data), 'smarthouse.yaml')
  writeFileSync(config, CONFIG)
  const broker = start(['broker', '--data', data, '--config', config])
  let port: string | undefined
  for (let tries = 0; port === undefined && tries < 600; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    port = /MQTT broker: 127\.0\.0\.1:(\d+)/.exec(broker.output())?.[1]
  }
  const connect = () => mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 })
  const [plug, wrong, twin, flood] = await Promise.all([connect(), connect(), connect(), connect()])
  const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 11)
  const count = async (by: typeof plug, device: string, time: string, kWh: number) =>
    by.publishAsync(
      `tele/${device}/SENSOR`,
      JSON.stringify({ Time: `${day}${time}Z`, ENERGY: { Total: kWh } }),
      { qos: 1 },
    )
  await count(plug, 'plug', '00:00:00', 1)
  for (const [, topic, payload] of WRONG) await wrong.publishAsync(topic, payload, { qos: 1 })
  // What is empty clears what was kept, and is nothing; the broker's own topics and wildcards are nobody's to publish on.
  await wrong.publishAsync('zigbee2mqtt/x', '', { qos: 1, retain: true })
  await wrong.publishAsync('zigbee2mqtt/kept', '\ufffd rubbish', { qos: 1, retain: true })
  for (const topic of ['tele/+/SENSOR', '$SYS/broker/uptime']) {
    const intruder = await connect()
    const shown = new Promise<void>((resolve) => intruder.once('close', () => resolve()))
    intruder.publish(topic, '1', { qos: 1 })
    await shown
    await intruder.endAsync(true)
  }
  // Two devices with one id: at one time they say two things, at another one of them speaks alone.
  await count(wrong, 'same', '00:00:00', 5)
  await count(twin, 'same', '00:00:00', 80)
  await count(twin, 'same', '00:10:00', 80)
  // Three times as much as a client may send in a second; it waits for its turn, all of it arrives.
  await Promise.all(
    Array.from({ length: 150 }, (_, n) =>
      flood.publishAsync('zigbee2mqtt/flood', `{"power":${n},"linkquality":1}`, { qos: 1 }),
    ),
  )
  await count(plug, 'plug', '00:30:00', 1.25)
  await Promise.all([plug, wrong, twin, flood].map((client) => client.endAsync(true)))
  broker.child.kill('SIGINT')
  assert.equal(await broker.ended, 0, broker.output())
  const { status, stderr } = smarthouse('stages', '--once', '--data', data, '--config', config)
  assert.equal(status, 0, stderr)

  const [counts] = await sql<Record<string, number>>(
    data,
    `SELECT (SELECT count(*) FROM bronze.telemetry) AS bronze, (SELECT count(*) FROM silver.readings) AS readings,
       (SELECT count(*) FROM silver.rejects) AS rejects, (SELECT count(*) FROM silver.duplicates) AS duplicates`,
  )
  const { bronze, readings, rejects, duplicates } = counts!
  // Each message once: 10 wrong ones, the kept rubbish, 3 of the twins, 150 of the flood, 2 of the plug; the empty one is nothing.
  assert.equal(bronze, WRONG.length + 1 + 3 + 150 + 2)
  assert.equal(bronze, readings! + rejects! + duplicates!, 'each is a reading, a reject or a duplicate')
  const decoded = WRONG.reduce((sum, [, , , n]) => sum + n, 0)
  assert.equal(readings, decoded + 2 + 150 + 2)
  const reasons = await sql<{ reject_reason: string; n: number }>(
    data,
    'SELECT reject_reason, count(*) AS n FROM silver.rejects GROUP BY ALL ORDER BY ALL',
  )
  assert.deepEqual(
    Object.fromEntries(reasons.map(({ reject_reason, n }) => [reject_reason, n])),
    // No device can be told of what nobody reads; the twin that spoke second contradicts the first.
    { conflict: 1, missing_device_id: 7, temperature_out_of_range: 1 },
  )
  // 1.25 − 1.00 kWh.
  assert.deepEqual(
    await sql(
      data,
      "SELECT sum(energy_wh)::DOUBLE AS wh FROM gold.quarter_hourly_energy WHERE device_id = 'plug'",
    ),
    [{ wh: 250 }],
  )
  const listed = JSON.parse(
    smarthouse('devices', 'unknown', '--json', '--data', data, '--config', config).stdout,
  ) as { why: string }[]
  assert.deepEqual([...new Set(listed.map(({ why }) => why))].toSorted(), [
    'broken_json',
    'not_text',
    'unknown',
  ])
})
