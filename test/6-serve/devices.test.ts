/** The devices of the house made by hand (`house.ts`): the list, one of them, its history and messages, and what is said of it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type { DeviceBook, HeardDevice } from '../../src/6-serve/device-book.ts'
import { ROUTES, type BodyOf } from '../../src/6-serve/contract.ts'
import { get, problem } from './ask.ts'
import { handmadeHouse, NOW_MS, type House } from './house.ts'
import { memoryLog, until } from './memory-log.ts'

let house: House
let app: FastifyInstance
const changes: unknown[] = []

const iso = (agoS: number): string => new Date(NOW_MS - agoS * 1000).toISOString()

const NEVER: Omit<HeardDevice, 'device_id'> = {
  tenant_id: 'home',
  presence: () => 'unknown',
  first_seen: null,
  last_seen: null,
  messages: 0,
  usual_interval_s: null,
  clock_offset_s: null,
  time_rules: {},
  battery_pct: null,
  link_quality: null,
  rssi_dbm: null,
  aliases: [],
  gateway: null,
  units: {},
}

const book: DeviceBook = {
  heard: () => [
    {
      ...NEVER,
      device_id: 'sensor',
      presence: () => 'offline',
      first_seen: iso(86_400),
      last_seen: iso(600),
      messages: 3,
      usual_interval_s: 60,
      clock_offset_s: 7200,
      time_rules: { ahead: 3 },
      battery_pct: 8,
      link_quality: 40,
      aliases: ['0x1'],
    },
    { ...NEVER, device_id: 'new one', presence: (expected) => (expected === null ? 'silent' : 'online') },
    { ...NEVER, tenant_id: 'other', device_id: 'not of this home' },
  ],
  unread: () => [
    {
      tenant_id: 'home',
      pattern: 'heating/+',
      why: 'unknown',
      count: 3,
      first_seen: iso(60),
      last_seen: iso(1),
      topic: 'heating/1234',
      sample: '{"t":1}',
      proposal: '- topic: heating/{device}',
    },
    {
      tenant_id: 'other',
      pattern: 'x',
      why: 'unknown',
      count: 9,
      first_seen: iso(60),
      last_seen: iso(1),
      topic: 'x',
      sample: '',
      proposal: null,
    },
  ],
  change: async (tenant, change) => {
    changes.push([tenant, change])
    return 7
  },
}

before(async () => {
  house = await handmadeHouse()
  const position = {
    stream_topic: 't',
    stream_partition: 0,
    stream_index: 0,
    tenant_id: 'home',
    device_id: 'washer',
    channel: '',
    ingest_kind: 'live',
  }
  await house.insert(
    'bronze.telemetry',
    [1, 2].map((n) => ({
      ...position,
      stream_offset: n,
      ingestion_time: `2026-03-10T13:00:0${n}Z`,
      ingestion_date: '2026-03-10',
      timestamp: `2026-03-10T13:00:0${n}Z`,
      power_usage: 100 * n,
      faults: [],
      ...(n === 2 && { raw: '{"power":200}', source_topic: 'zigbee2mqtt/washer', protocol: 'zigbee2mqtt' }),
    })),
  )
  await house.insert('silver.rejects', [
    {
      ...position,
      stream_offset: 3,
      ingestion_time: '2026-03-10T13:00:03Z',
      timestamp: '2026-03-10T13:00:03Z',
      counted_date: '2026-03-10',
      temperature: 140,
      faults: [],
      reject_reason: 'temperature_out_of_range',
      reject_detail: '140 °C, outside −50…100 °C',
    },
  ])
  const log = memoryLog()
  log.put(
    NOW_MS - 5_000,
    { device_id: 'washer', timestamp: iso(5), power_usage: 1200, channel: 'a', temperature: 21 },
    { device_id: 'washer', timestamp: iso(6), power_usage: 800, channel: 'b' },
    { device_id: 'fridge', timestamp: iso(400), power_usage: 100, temperature: 5 },
  )
  app = await house.app({ log, book })
  await until(
    async () => (await get(app, 'devices', {})).devices.some(({ power_w }) => power_w !== null),
    'live',
  )
})
after(() => house.close())

test('devices: who is there, what they say now, what they used today', async () => {
  const { devices, can_change, unknown_messages } = await get(app, 'devices', {})
  assert.equal(can_change, true)
  assert.equal(unknown_messages, 3)
  // By name; of the catalogue, of Gold, of the book, of the stream, each once.
  assert.deepEqual(
    devices.map(({ device_id }) => device_id),
    ['fridge', 'lamp', 'new one', 'sensor', 'washer'],
  )
  const of = (id: string) => devices.find(({ device_id }) => device_id === id)!
  const washer = of('washer')
  // Two channels: 1200 + 800 W. 910 Wh today so far; in the hour from 14:00 local the last but none of the 24.
  assert.deepEqual(
    [washer.presence, washer.power_w, washer.temperature_c, washer.today_kwh, washer.last_seen],
    ['online', 2000, 21, 0.91, iso(5)],
  )
  assert.equal(washer.sparkline.length, 24)
  assert.equal(washer.sparkline.at(-1), 0.91)
  assert.equal(washer.sparkline.at(-2), null)
  // 400 s are more than the 300 after which a device is silent, and its power is not of now.
  const fridge = of('fridge')
  assert.deepEqual([fridge.presence, fridge.power_w, fridge.temperature_c], ['silent', null, 5])
  const sensor = of('sensor')
  assert.deepEqual(
    [sensor.presence, sensor.battery_pct, sensor.link_quality, sensor.clock_offset_s, sensor.today_kwh],
    ['offline', 8, 40, 7200, null],
  )
  assert.deepEqual(
    [of('lamp').presence, of('lamp').last_seen, of('new one').presence],
    ['unknown', null, 'silent'],
  )
})

test('one device: facts, and health with its parts, which add up to the score', async () => {
  const sensor = await get(app, 'device', { device: 'sensor' })
  assert.deepEqual(
    [sensor.facts.messages, sensor.facts.usual_interval_s, sensor.facts.time_rules, sensor.facts.aliases],
    [3, 60, { ahead: 3 }, ['0x1']],
  )
  const { device, health } = await get(app, 'device', { device: 'washer' })
  assert.ok(health)
  assert.equal(health.score, device.health_score)
  const lost = health.parts.reduce((sum, part) => sum + part.lost, 0)
  assert.ok(Math.abs(1 - lost - health.score) < 1e-5, `1 − ${lost} is not ${health.score}`)
  assert.deepEqual(
    health.parts.map(({ lost: each }) => each),
    health.parts.map(({ lost: each }) => each).toSorted((a, b) => b - a),
  )
  assert.ok(health.parts.every(({ text }) => text.length > 0))
  await problem(app, '/api/v1/devices/one?device=nobody', 404, 'unknown_device')
  await problem(app, '/api/v1/devices/one', 400, 'bad_request')
})

test('history: slots of the house’s own days, gaps as nulls, the energy in all', async () => {
  const day = await get(app, 'deviceHistory', { device: 'washer', range: '1d' })
  assert.equal(day.grain, 'quarter_hour')
  // The last 24 hours from 14:37, whole slots: of yesterday that from 14:30 (1000 − 400 Wh), of today both.
  const known = day.t.flatMap((second, i) =>
    day.energy_kwh[i] === null ? [] : [[second, day.energy_kwh[i]]],
  )
  const today = Date.parse('2026-03-10T00:00:00+01:00') / 1000
  assert.deepEqual(known, [
    [today - 86_400 + 14.5 * 3600, 0.6],
    [today + 14 * 3600, 0.9],
    [today + 14.5 * 3600, 0.01],
  ])
  assert.ok(day.t.every((second, i) => i === 0 || 900 === second - day.t[i - 1]!))
  const year = await get(app, 'deviceHistory', { device: 'washer', range: '365d' })
  assert.deepEqual([year.grain, year.t.length, year.total_kwh], ['day', 365, 2.41])
  assert.equal(year.energy_kwh.at(-1), 0.91)
  const none = await get(app, 'deviceHistory', { device: 'lamp', range: '7d' })
  assert.deepEqual([none.total_kwh, none.coverage_ratio], [null, null])
  assert.ok(none.reason)
  await problem(app, '/api/v1/devices/history?device=washer&range=2d', 400, 'bad_request')
})

test('history up to a day of the past: whole local days; without an end, the newest days that there are', async () => {
  const of = (end: string, range: '1d' | '7d') => get(app, 'deviceHistory', { device: 'washer', range, end })
  const yesterday = await of('2026-03-09', '1d')
  assert.deepEqual(
    [yesterday.from, yesterday.to, yesterday.is_open, yesterday.t.length, yesterday.total_kwh],
    ['2026-03-09', '2026-03-09', false, 96, 1],
  )
  assert.equal(yesterday.t[0], Date.parse('2026-03-09T00:00:00+01:00') / 1000)
  // 500 Wh of the 8th and 1000 of the 9th; the 10th lies behind it.
  const week = await of('2026-03-09', '7d')
  assert.deepEqual(
    [week.from, week.to, week.t.length, week.total_kwh],
    ['2026-03-03', '2026-03-09', 168, 1.5],
  )
  const ahead = await of('2030-01-01', '1d')
  assert.deepEqual([ahead.to, ahead.is_open], ['2026-03-10', true])

  // Three years on, with nothing since: the year ends where it last had something.
  const then = await house.app({ clock: () => Date.parse('2029-03-10T13:37:00Z') })
  const year = await get(then, 'deviceHistory', { tenant: 'home', device: 'washer', range: '365d' })
  assert.deepEqual(
    [year.from, year.to, year.is_open, year.t.length, year.total_kwh],
    ['2025-03-11', '2026-03-10', false, 365, 2.41],
  )
  const never = await get(then, 'deviceHistory', { tenant: 'home', device: 'lamp', range: '7d' })
  assert.deepEqual([never.to, never.is_open, never.total_kwh], ['2029-03-10', true, null])
})

test('messages as received, newest first, and what was rejected, by which rule', async () => {
  const { messages, rejects, reject_count } = await get(app, 'deviceMessages', { device: 'washer' })
  assert.deepEqual(
    messages.map(({ position, topic }) => [position, topic]),
    [
      ['0/2/0', 'zigbee2mqtt/washer'],
      ['0/1/0', null],
    ],
  )
  assert.equal(messages[0]!.text, '{"power":200}')
  assert.equal(JSON.parse(messages[1]!.text).power_usage, 100)
  assert.deepEqual(
    [reject_count, rejects.map(({ reason, position }) => [reason, position])],
    [1, [['temperature_out_of_range', '0/3/0']]],
  )
  const none = await get(app, 'deviceMessages', { device: "x' OR '1'='1" })
  assert.deepEqual([none.messages.length, none.rejects.length], [0, 0])
  assert.ok(none.reason)
})

test('what nobody could read, of this home only', async () => {
  const { patterns } = await get(app, 'unknownMessages', {})
  assert.deepEqual(
    patterns.map(({ pattern, count, proposal }) => [pattern, count, proposal]),
    [['heating/+', 3, '- topic: heating/{device}']],
  )
})

async function say(on: FastifyInstance, body: BodyOf<'deviceChange'>, headers: Record<string, string> = {}) {
  const { method, path } = ROUTES.deviceChange
  return await on.inject({ method, url: path, headers: { host: 'localhost', ...headers }, payload: body })
}

test('what a person says of a device is written once it is understood', async () => {
  const answer = await say(app, { device: 'washer', name: ' Washing machine ', location: null })
  assert.equal(answer.statusCode, 200, answer.body)
  assert.deepEqual(ROUTES.deviceChange.answer.parse(answer.json()), {
    tenant: 'home',
    device: 'washer',
    catalogue_version: 7,
  })
  assert.deepEqual(changes, [['home', { device: 'washer', name: 'Washing machine', location: null }]])
  const wrong: [BodyOf<'deviceChange'>, number, string][] = [
    [{ device: 'washer' }, 400, 'bad_request'],
    [{ device: 'washer', name: '' }, 400, 'bad_request'],
    [{ device: 'washer', retired_on: 'soon' }, 400, 'bad_request'],
    [{ device: 'washer', merged_into: 'washer' }, 400, 'bad_request'],
    [{ device: 'washer', merged_into: 'nobody' }, 404, 'unknown_device'],
    [{ device: 'nobody', name: 'x' }, 404, 'unknown_device'],
    [{ device: 'washer', name: 'x', tenant: 'nowhere' }, 404, 'unknown_home'],
  ]
  for (const [body, status, code] of wrong) {
    const refused = await say(app, body)
    assert.deepEqual([refused.statusCode, refused.json().code], [status, code], JSON.stringify(body))
  }
  const foreign = await say(app, { device: 'washer', name: 'x' }, { origin: 'http://evil.example' })
  assert.equal(foreign.json().code, 'cross_site_refused')
  assert.equal(changes.length, 1)
})

test('a server without the book reads only, and says so', async () => {
  const bare = await house.app()
  assert.equal((await get(bare, 'devices', {})).can_change, false)
  const refused = await say(bare, { device: 'washer', name: 'x' })
  assert.deepEqual([refused.statusCode, refused.json().code], [503, 'change_unavailable'])
})
