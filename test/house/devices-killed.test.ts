import assert from 'node:assert/strict'
import mqtt from 'mqtt'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { mosquittoObstacle, startMosquitto } from '../servers/mosquitto.ts'
import { freePort } from '../servers/ports.ts'
import { parseWords } from '../../src/commands/command.ts'
import { LISTEN } from '../../src/commands/listen.ts'
import { openSettings, openStreamAlone } from '../../src/main.ts'
import { dataFolder, smarthouseHere, sql, start } from './run-cli.ts'

const DEVICES = 50
const EACH = 10
const KILLS = 3

/** A device of the field: one message at a time, sent until it is acknowledged, over as many connections as that takes. */
async function sendAll(url: string, device: string, payload: (n: number) => string): Promise<void> {
  const client = mqtt.connect(url, {
    clientId: device,
    clean: false,
    reconnectPeriod: 100,
    connectTimeout: 2000,
  })
  client.on('error', () => undefined)
  for (let n = 0; n < EACH; n++) {
    await client.publishAsync(`tele/${device}/SENSOR`, payload(n), { qos: 1 })
    await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 200))
  }
  await client.endAsync(true)
}

const SENDER = (device: string) => (n: number) =>
  JSON.stringify({
    Time: new Date(Date.UTC(2026, 2, 10) + n * 10_000).toISOString().slice(0, 19) + 'Z',
    ENERGY: { Power: n, Total: 1, Name: device },
  })

/** Every reading of every device, once. */
async function requireAll(data: string): Promise<void> {
  const [counted] = await sql<{ n: number; distinct: number }>(
    data,
    `SELECT count(*) AS n, count(DISTINCT device_id || '/' || power_usage) AS "distinct" FROM silver.readings WHERE device_id LIKE 'dev%'`,
  )
  assert.deepEqual(counted, { n: DEVICES * EACH, distinct: DEVICES * EACH })
}

/** Waits until the stream holds a message of every reading, however often it was sent again. */
async function untilTaken(data: string, config: string): Promise<void> {
  const log = await openStreamAlone(openSettings(parseWords(LISTEN, ['--data', data, '--config', config])))
  try {
    for (;;) {
      const seen = new Set<string>()
      for (const bounds of await log.bounds())
        for (const { value } of await log.read({
          partition: bounds.partition,
          offset: bounds.start,
          maxRecords: 100_000,
        })) {
          const { device_id, power_usage } = JSON.parse(Buffer.from(value).toString()) as Record<
            string,
            unknown
          >
          seen.add(`${String(device_id)}/${String(power_usage)}`)
        }
      if (seen.size >= DEVICES * EACH) return
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  } finally {
    await log.close()
  }
}

for (const through of ['the embedded broker', 'Mosquitto'] as const)
  test(`fifty devices send through ${through} while broker and platform are killed: every acknowledged reading is there, once`, async (t) => {
    const obstacle = through === 'Mosquitto' ? mosquittoObstacle() : null
    if (obstacle !== null) return t.skip(obstacle)
    const data = dataFolder(t)
    const dir = join(dirname(data), 'mosquitto')
    mkdirSync(dir)
    const port = await freePort()
    const url = `mqtt://127.0.0.1:${port}`
    const config = join(dirname(data), 'smarthouse.yaml')
    const embedded = through !== 'Mosquitto'
    const source = embedded
      ? `mqtt: { enabled: true, port: ${port} }`
      : `brokers: [{ url: "${url}", topics: ["tele/#"] }]`
    writeFileSync(config, `time_zone: UTC\nsimulator: { enabled: false }\nsources:\n  ${source}\n`)
    const words = [embedded ? 'broker' : 'listen', '--data', data, '--config', config]
    let platform = start(words)
    let mosquitto = embedded ? null : await startMosquitto(dir, port)
    t.after(async () => {
      platform.child.kill('SIGKILL')
      await mosquitto?.kill()
    })
    if (!embedded)
      // Its session must stand before anything is published: what comes before is for nobody.
      while (!platform.output().includes('connected')) await new Promise((resolve) => setTimeout(resolve, 50))
    const sent = Promise.all(
      Array.from({ length: DEVICES }, (_, n) => sendAll(url, `dev${n}`, SENDER(`dev${n}`))),
    )
    for (let kill = 0; kill < KILLS; kill++) {
      await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 700))
      if (mosquitto && kill % 2 === 1) {
        // Asked to end, it writes its sessions down. Killed, it would lose what it acknowledged since it last did: no bargain of ours.
        await mosquitto.stop()
        mosquitto = await startMosquitto(dir, port)
      } else {
        platform.child.kill('SIGKILL')
        await platform.ended
        platform = start(words)
      }
    }
    await sent
    // What Mosquitto still holds for us comes when it comes; everything is in the stream once as much has come as was sent.
    if (!embedded) await untilTaken(data, config)
    platform.child.kill('SIGINT')
    await platform.ended
    const { status, stderr } = await smarthouseHere('stages', '--once', '--data', data, '--config', config)
    assert.equal(status, 0, stderr)
    await requireAll(data)
  })
