/**
 * `npm run soak -- fleets`: five fleets, each in its own protocol, report to one platform for two minutes of real time. Each device is
 * discovered within a minute, and its energy in Gold is what it used.
 */
import assert from 'node:assert/strict'
import mqtt from 'mqtt'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { createFleet, FLEETS } from '../../src/1-source/simulator/fleet.ts'
import { runSimulation } from '../../src/1-source/simulator/run.ts'
import { parseRate } from '../../src/1-source/simulator/schedule.ts'
import type { Sink } from '../../src/1-source/source.ts'
import { freePort } from '../servers/ports.ts'
import { dataFolder, smarthouse, sql, start } from './run-cli.ts'

const DEVICES = 10
const LASTS_MS = 120_000
const DISCOVERED_WITHIN_MS = 60_000
/** Most counters show whole Wh: the first and the last may be off by half a step each. */
const STEP_WH = 1.001

interface Reported {
  device_id: string
  energy_consumption_wh: number
}

/** Gives each house's devices names of their own, and counts what each has used since its first report, Wh. */
function named(prefix: string, sink: Sink, used: Map<string, number>): Sink {
  return {
    append: async (messages) =>
      await sink.append(
        messages.map((message) => {
          const reading = JSON.parse(Buffer.from(message.value).toString()) as Reported
          const device = `${prefix}_${reading.device_id}`
          const before = used.get(device)
          used.set(device, before === undefined ? 0 : before + reading.energy_consumption_wh)
          return { ...message, value: Buffer.from(JSON.stringify({ ...reading, device_id: device })) }
        }),
      ),
  }
}

async function report(as: (typeof FLEETS)[number], url: string, used: Map<string, number>): Promise<void> {
  const client = await mqtt.connectAsync(url)
  const fleet = createFleet({
    as,
    timeZone: 'Europe/Berlin',
    publish: async ({ topic, payload, retain }) => {
      await client.publishAsync(topic, payload, { qos: 1, retain })
    },
  })
  await runSimulation({
    to: { log: named(as, fleet, used) },
    devices: DEVICES,
    rate: parseRate('1/s'),
    seed: 7,
    faults: [],
    tenantId: 'home',
    timeZone: 'Europe/Berlin',
    speed: 1,
    fromMs: Date.now(),
    forMs: LASTS_MS,
  })
  await client.endAsync()
}

interface Listed {
  device_id: string
  name: string | null
  origin: string | null
}

test('five fleets at once, in real time: discovered within a minute, and their energy is the truth', async (t) => {
  const data = dataFolder(t)
  const config = join(dirname(data), 'smarthouse.yaml')
  const port = await freePort()
  writeFileSync(
    config,
    `time_zone: Europe/Berlin\nsimulator: { enabled: false }\nsources:\n  mqtt: { enabled: true, port: ${port} }\n`,
  )
  const words = ['--data', data, '--config', config]
  const platform = start(['up', '--no-open', '--port', '0', ...words])
  t.after(() => platform.child.kill('SIGKILL'))
  while (!platform.output().includes('Dashboard: http')) await sleep(100)

  const used = new Map<string, number>()
  const beganMs = Date.now()
  const reporting = Promise.all(FLEETS.map((as) => report(as, `mqtt://127.0.0.1:${port}`, used)))
  const listed = (): Listed[] =>
    JSON.parse(smarthouse('devices', 'list', '--json', ...words).stdout || '[]') as Listed[]
  /** As a person knows it: Homie writes its names without underscores. */
  const find = (all: readonly Listed[], device: string): Listed | undefined =>
    all.find(({ device_id, name }) => [device_id, name].includes(device)) ??
    all.find(({ device_id }) => device_id === device.replaceAll('_', '-'))
  const missing = (): string[] => {
    const all = listed().filter(({ origin }) => origin === 'discovered')
    return [...used.keys()].filter((device) => find(all, device) === undefined)
  }
  while (used.size < FLEETS.length * DEVICES) await sleep(100)
  let left = missing()
  while (left.length > 0 && Date.now() - beganMs < DISCOVERED_WITHIN_MS) {
    await sleep(1_000)
    left = missing()
  }
  assert.deepEqual(left, [], `not discovered after ${(Date.now() - beganMs) / 1000} s`)
  t.diagnostic(
    `${used.size} devices of ${FLEETS.length} protocols discovered after ${(Date.now() - beganMs) / 1000} s`,
  )

  await reporting
  assert.equal(smarthouse('down', '--data', data).status, 0)
  assert.equal(await platform.ended, 0, platform.output())
  assert.equal(smarthouse('stages', '--once', ...words).status, 0)
  const energy = new Map(
    (
      await sql<{ device_id: string; wh: number }>(
        data,
        'SELECT device_id, CAST(sum(energy_wh) AS DOUBLE) AS wh FROM gold.quarter_hourly_energy GROUP BY ALL',
      )
    ).map(({ device_id, wh }) => [device_id, wh]),
  )
  const all = listed()
  const wrong: string[] = []
  let furthest = 0
  for (const [device, truth] of used) {
    const wh = energy.get(find(all, device)?.device_id ?? '') ?? 0
    furthest = Math.max(furthest, Math.abs(wh - truth))
    if (Math.abs(wh - truth) > STEP_WH) wrong.push(`${device}: ${wh} Wh, used ${truth}`)
  }
  assert.deepEqual(wrong, [])
  const total = [...used.values()].reduce((sum, wh) => sum + wh, 0)
  t.diagnostic(
    `${total.toFixed(1)} Wh used in all; the furthest that a device is off is ${furthest.toFixed(3)} Wh`,
  )
  assert.deepEqual(JSON.parse(smarthouse('devices', 'unknown', '--json', ...words).stdout), [])
  assert.equal(smarthouse('verify', ...words).status, 0)
})
