import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createIntake } from '../../../src/1-source/intake.ts'
import { poll, type PollKind } from '../../../src/1-source/poll/poll.ts'
import { openRegistry } from '../../../src/1-source/registry/registry.ts'
import type { Reading } from '../../../src/reading.ts'

/** Path → answer, each as the maker's documentation shows it. */
const ANSWERS: Readonly<Record<string, object>> = {
  // Gen1 /status: power in W, total in Wmin. 6,000 Wmin are 100 Wh.
  '/gen1/status': {
    mac: 'AABBCCDDEEFF',
    relays: [{ ison: true }],
    meters: [{ power: 12.5, is_valid: true, total: 6000 }],
  },
  // Gen2 Shelly.GetStatus: W and Wh.
  '/gen2/rpc/Shelly.GetStatus': {
    'switch:0': { id: 0, output: true, apower: 8.5, aenergy: { total: 250.5 } },
  },
  // Tasmota Status 0: W and kWh.
  '/tasmota/cm?cmnd=Status%200': {
    Status: { DeviceName: 'T', Topic: 'other' },
    StatusSNS: { Time: '2026-03-10T12:00:00', ENERGY: { Total: 1.25, Power: 30 } },
  },
  // HomeWizard v1 data of a socket: kWh and W.
  '/wizard/api/v1/data': {
    wifi_ssid: 'x',
    wifi_strength: 90,
    total_power_import_kwh: 2.5,
    active_power_w: 40,
  },
  '/json/meter': { now: 0.05 },
}
const EXPECTED: readonly [PollKind, string, number, number | undefined][] = [
  ['shelly_gen1', '/gen1', 12.5, 100],
  ['shelly_gen2', '/gen2/', 8.5, 250.5],
  ['tasmota', '/tasmota', 30, 1250],
  ['homewizard', '/wizard', 40, 2500],
  ['json', '/json/meter', 50, undefined],
]

const nameOf = (path: string): string => `dev${path.replaceAll('/', '-')}`

test('devices that only answer are asked, by their kind; one that fails, answers too much or points elsewhere stops nobody', async (t) => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url!)
    if (request.url === '/large/x') return response.end('x'.repeat(2_000_000))
    if (request.url === '/moved/x') return response.writeHead(302, { location: '/secret' }).end()
    const answer = ANSWERS[request.url!]
    return answer ? response.end(JSON.stringify(answer)) : response.writeHead(503).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const dir = mkdtempSync(join(tmpdir(), 'smarthouse-poll-'))
  const registry = openRegistry(dir)
  t.after(() => {
    server.closeAllConnections()
    server.close()
    registry.close()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  })
  const readings: Reading[] = []
  const intake = createIntake({
    sink: {
      append: async (messages) => {
        for (const { value } of messages)
          readings.push(...[JSON.parse(Buffer.from(value).toString('utf8')) as Reading | Reading[]].flat())
      },
    },
    registry,
    timeZone: 'UTC',
    mappings: [{ topic: 'poll/{device}', fields: [{ from: 'now', to: 'power_usage', unit: 'kW' }] }],
    clock: () => Date.UTC(2026, 2, 10, 12),
  })
  const { port } = server.address() as { port: number }
  const stop = new AbortController()
  const said: string[] = []
  const device = (kind: PollKind, path: string) => ({
    kind,
    url: `http://127.0.0.1:${port}${path}`,
    device_id: nameOf(path),
    tenant_id: 'home',
    interval: 1000,
  })
  const all = [
    ...EXPECTED.map(([kind, path]) => device(kind, path)),
    ...['/large/x', '/moved/x', '/absent/x'].map((path) => device('json', path)),
  ]
  const running = Promise.all(
    all.map((each) => poll(each, { intake, stop: stop.signal, say: (line) => said.push(line) })),
  )
  for (let tries = 0; (said.length < 3 || intake.counts().stored < EXPECTED.length) && tries < 200; tries++)
    await new Promise((resolve) => setTimeout(resolve, 20))
  stop.abort()
  await running
  for (const [, path, powerW, totalWh] of EXPECTED) {
    const own = readings.filter(({ device_id }) => device_id === nameOf(path))
    assert.ok(
      own.some(({ power_usage }) => power_usage === powerW),
      `${path}: ${JSON.stringify(own)}`,
    )
    assert.ok(totalWh === undefined || own.some(({ energy_total_wh }) => energy_total_wh === totalWh), path)
  }
  assert.equal(said.length, 3, said.join('\n'))
  assert.ok(said.some((line) => line.includes('503')) && said.some((line) => line.includes('larger')))
  assert.ok(!asked.includes('/secret'), 'no answer sends us anywhere else')
})
