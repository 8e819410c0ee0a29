import assert from 'node:assert/strict'
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { ROUTES } from '../../src/6-serve/contract.ts'
import { get, problem } from './ask.ts'
import { readExposition } from './exposition.ts'
import { emptyHouse, handmadeHouse, NOW_MS, type House } from './house.ts'
import { memoryLog, until } from './memory-log.ts'

let house: House
let app: FastifyInstance
before(async () => {
  house = await handmadeHouse()
  app = await house.app()
})
after(() => house.close())

test('homes: the own one is opened, since it has data; the simulated one is told apart', async () => {
  const { homes, default: opened } = await get(app, 'homes', {})
  assert.equal(opened, 'home')
  assert.deepEqual(
    homes.map(({ tenant, simulated, has_data, devices }) => [tenant, simulated, has_data, devices]),
    [
      ['home', false, true, 4],
      ['demo', true, false, 0],
    ],
  )
})

test('an empty platform answers everything, with reasons in the place of numbers', async () => {
  const empty = await emptyHouse()
  try {
    const bare = await empty.app()
    const overview = await get(bare, 'overview', {})
    assert.equal((await get(bare, 'homes', {})).default, 'demo')
    for (const kpi of Object.values(overview.kpis)) {
      assert.equal(kpi.value, null)
      assert.ok(kpi.reason)
      assert.ok(kpi.delta_reason)
    }
    assert.ok(overview.power_now.reason && overview.energy_by_type.reason && overview.system_health.reason)
    assert.equal((await get(bare, 'recent', {})).readings.length, 0)
    assert.equal((await get(bare, 'dataStatus', {})).state, 'empty')
    const withoutDemo = await empty.app({ demo: false })
    assert.deepEqual((await get(withoutDemo, 'homes', {})).default, 'home')
  } finally {
    await empty.close()
  }
})

const seconds = (ago: number): string => new Date(NOW_MS - ago * 1000).toISOString()

test('live values: power now with its price, the last readings, columns', async () => {
  const log = memoryLog()
  log.put(
    NOW_MS - 5_000,
    { device_id: 'washer', timestamp: seconds(5), power_usage: 2000, temperature: 20 },
    { device_id: 'fridge', timestamp: seconds(6), power_usage: 100 },
    { device_id: 'old', timestamp: seconds(400), power_usage: 5000 },
  )
  const live = await house.app({ log })
  await until(async () => (await get(live, 'recent', { limit: 3 })).source === 'live', 'readings')
  const { power_now } = await get(live, 'overview', {})
  // 2.1 kW × 0.25; the one of 400 s ago is not now any more.
  assert.deepEqual([power_now.value_w, power_now.cost_per_hour, power_now.devices], [2100, 0.525, 2])
  assert.equal(power_now.as_of, seconds(5))
  const { readings } = await get(live, 'recent', { limit: 2 })
  assert.deepEqual(
    readings.map((reading) => [reading.device_id, reading.device_type]),
    [
      ['washer', 'washing_machine'],
      ['fridge', 'fridge'],
    ],
  )
  const series = await get(live, 'series', { minutes: 1 })
  assert.equal(series.t.length, 60)
  assert.equal(series.t.at(-1), NOW_MS / 1000)
  // The 55th second of the minute that ends now, five before its last.
  assert.equal(series.power.washer!.indexOf(2000), 54)
  assert.equal(series.temperature.fridge, undefined)
})

test('the last readings come from Silver where none has arrived', async () => {
  const position = {
    ingestion_time: '2026-03-10T10:00:01Z',
    stream_topic: 't',
    stream_partition: 0,
    stream_index: 0,
  }
  const rest = {
    channel: '',
    ingest_kind: 'live',
    quality_score: 1,
    quality_reasons: [],
    is_valid: true,
    processing_delay_hours: 0,
    is_late_event: false,
    alert_frequency_1h: 0,
    energy_method: 'none',
    event_date: '2026-03-10',
  }
  const other = await emptyHouse()
  try {
    await other.insert(
      'silver.readings',
      [1, 2, 3].map((n) => ({
        ...position,
        ...rest,
        stream_offset: n,
        tenant_id: 'home',
        device_id: `d${n}`,
        timestamp: `2026-03-10T10:00:0${n}Z`,
        power_usage: n,
      })),
    )
    const { source, readings } = await get(await other.app(), 'recent', { tenant: 'home', limit: 2 })
    assert.equal(source, 'silver')
    assert.deepEqual(
      readings.map((reading) => [reading.device_id, reading.power_usage]),
      [
        ['d3', 3],
        ['d2', 2],
      ],
    )
  } finally {
    await other.close()
  }
})

test('data status: rows per layer, what waits, and what the state is derived from', async () => {
  const log = memoryLog()
  let nowMs = NOW_MS
  const server = await house.app({ log, clock: () => nowMs })
  log.put(NOW_MS, 'x', 'y')
  const first = await get(server, 'dataStatus', {})
  const bronze = first.layers.find((layer) => layer.layer === 'bronze')!
  // Two messages at offsets 0 and 2, so the next is 4.
  assert.deepEqual(first.stream!.partitions, [{ partition: 0, start: 0, end: 4, landed: 0, lag: 4 }])
  assert.deepEqual([bronze.state, bronze.lag], ['empty', { unit: 'messages', value: 4 }])
  const gold = first.layers.find((layer) => layer.layer === 'gold')!
  // Daily 2 + 2 + 3, summary 3, quarter-hours 3 × 4, hours 3 × 2, months 3, health 5.
  assert.equal(gold.rows, 7 + 3 + 12 + 6 + 3 + 5)
  assert.equal(
    gold.rows,
    gold.tables.reduce((sum, table) => sum + table.rows, 0),
  )
  assert.equal(first.stream!.dropped, 0)
  nowMs += 121_000
  const later = await get(server, 'dataStatus', {})
  assert.equal(later.layers.find((layer) => layer.layer === 'bronze')!.state, 'stale')
  assert.equal(later.state, 'stale')
})

test('a part that has failed is told, as the worst state of all', async () => {
  const part = {
    name: 'gold',
    state: 'failed',
    since: '2026-03-10T13:00:00Z',
    restarts: 3,
    pending: null,
    last_error: 'out of memory',
    memory_bytes: null,
    event_loop_delay_ms: null,
    figures: {},
  } as const
  const server = await house.app({ partStatus: async () => [part] })
  const status = await get(server, 'dataStatus', {})
  assert.equal(status.state, 'error')
  assert.equal(status.reason, 'gold has failed: out of memory')
})

test('wrong questions are answered as problems, with what to do', async () => {
  const overview = ROUTES.overview.path
  await problem(app, '/api/v1/nothing', 404, 'not_found')
  await problem(app, `${overview}?tenant=nobody`, 404, 'unknown_home')
  for (const query of [
    'range=9d',
    'range=today&range=7d',
    'tenant=',
    `tenant=${'x'.repeat(200)}`,
    'tenant=a&tenant=b',
    'unknown=1',
    'range=custom&from=2026-03-01&to=2026-99-01x',
    '__proto__=1',
  ])
    await problem(app, `${overview}?${query}`, 400, 'bad_request')
  for (const query of [
    'range=custom',
    'range=custom&from=2026-03-05',
    'range=today&from=2026-03-05',
    'range=custom&from=2026-02-30&to=2026-03-01',
    'range=custom&from=2026-03-05&to=2026-03-01',
    'range=custom&from=2020-01-01&to=2026-03-01',
    'range=custom&from=1999-01-01&to=1999-01-02',
    'range=custom&from=2027-01-01&to=2027-01-02',
  ])
    await problem(app, `${overview}?${query}`, 400, 'bad_range')
  for (const query of ['limit=0', 'limit=-1', 'limit=1e9', 'limit=x', 'limit=NaN', 'limit='])
    await problem(app, `${ROUTES.recent.path}?${query}`, 400, 'bad_request')
  await problem(app, `${ROUTES.series.path}?minutes=61`, 400, 'bad_request')
  await problem(app, ROUTES.live.path, 503, 'live_unavailable')
})

test('a home named like SQL is a name, nothing else', async () => {
  for (const name of ["x' OR '1'='1", "'; DROP TABLE x; --", '\u0000', '../..', '{}'])
    await problem(app, `${ROUTES.overview.path}?tenant=${encodeURIComponent(name)}`, 404, 'unknown_home')
})

test('requests of other sites are refused', async () => {
  const host = await app.inject({ url: ROUTES.health.path, headers: { host: 'evil.example' } })
  assert.deepEqual([host.statusCode, host.json().code], [403, 'cross_site_refused'])
  const post = async (headers: Record<string, string>) =>
    (await app.inject({ method: 'POST', url: '/api/v1/nothing', headers: { host: 'localhost', ...headers } }))
      .statusCode
  assert.equal(await post({ 'sec-fetch-site': 'cross-site' }), 403)
  assert.equal(await post({ 'sec-fetch-site': 'same-site' }), 403)
  assert.equal(await post({ origin: 'http://evil.example' }), 403)
  assert.equal(await post({}), 404)
})

test('too many requests are told when to come back', async () => {
  const server = await house.app()
  let last = await server.inject(ROUTES.health.path)
  for (let i = 0; i < 600; i += 1) last = await server.inject(ROUTES.health.path)
  assert.equal(last.statusCode, 429)
  assert.equal(last.json().code, 'too_many_requests')
  assert.ok(Number(last.headers['retry-after']) > 0)
})

test('the same figures are worked out once: the lake is asked again only for other files', async () => {
  let sessions = 0
  const counting = {
    ...house.engine,
    session: async () => {
      const session = await house.engine.session()
      return { ...session, rows: (sql: string) => ((sessions += 1), session.rows(sql)) } as typeof session
    },
  }
  const server = await house.app({ engine: counting })
  await get(server, 'overview', {})
  const asked = sessions
  assert.ok(asked > 0)
  await get(server, 'overview', {})
  assert.equal(sessions, asked)
  await get(server, 'overview', { range: 'yesterday' })
  assert.ok(sessions > asked)
})

test('a bill: whose is asked and told, and nobody has none', async () => {
  await problem(app, '/api/v1/bill?user=nobody&month=2026-03', 404, 'unknown_user')
  await problem(app, '/api/v1/bill?user=u1&month=2026-13', 400, 'bad_request')
  assert.equal((await get(app, 'bill', { user: 'u1', month: '2026-03' })).tenant, 'home')
})

test('metrics and openapi', async () => {
  const metrics = await app.inject('/metrics')
  readExposition(metrics.body)
  assert.match(metrics.body, /^smarthouse_lake_rows\{table="gold\.daily_business_summary"\} 3$/m)
  // This server has no stream: what is not known is not called 0.
  assert.doesNotMatch(metrics.body, /smarthouse_stream_/)
  const document = (await app.inject('/api/openapi.json')).json()
  assert.equal(document.openapi, '3.1.0')
  assert.deepEqual(
    Object.keys(document.paths).toSorted(),
    Object.values(ROUTES)
      .map((route) => route.path)
      .toSorted(),
  )
})

test('the API document changes on purpose only', async () => {
  const file = new URL('./openapi.json', import.meta.url)
  const now: unknown = (await app.inject('/api/openapi.json')).json()
  const kept: unknown = JSON.parse(await readFile(file, 'utf8').catch(() => 'null'))
  if (isDeepStrictEqual(now, kept)) return
  const actual = new URL('./actual-openapi.json', import.meta.url)
  await writeFile(actual, `${JSON.stringify(now, null, 2)}\n`)
  assert.fail(
    'The API document is not test/6-serve/openapi.json any more. If that is meant, put actual-openapi.json in its place, and name the change in docs/api.md.',
  )
})

test('the dashboard: hashed assets for ever, the page for every path of it, robots kept out', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'smarthouse-dashboard-'))
  await mkdir(join(dir, 'assets'))
  await writeFile(join(dir, 'index.html'), '<!doctype html><title>Page</title>')
  await writeFile(join(dir, 'assets', 'main-abc.js'), `${'1;'.repeat(1000)}`)
  try {
    const server = await house.app({ dashboardDir: dir })
    const asset = await server.inject({ url: '/assets/main-abc.js', headers: { 'accept-encoding': 'br' } })
    assert.equal(asset.headers['cache-control'], 'public, max-age=31536000, immutable')
    assert.equal(asset.headers['content-encoding'], 'br')
    for (const url of ['/', '/devices/plug-1?range=7d']) {
      const page = await server.inject(url)
      assert.equal(page.statusCode, 200)
      assert.match(page.body, /Page/)
      assert.equal(page.headers['cache-control'], 'no-cache')
      assert.match(
        String(page.headers['content-security-policy']),
        /script-src 'self';.*frame-ancestors 'none'/,
      )
    }
    await problem(server, '/api/v2/x', 404, 'not_found')
    await problem(server, '/assets/gone.js', 404, 'not_found')
    await problem(server, '/..%2f..%2fpackage.json', 404, 'not_found')
    assert.match((await server.inject('/robots.txt')).body, /Disallow: \//)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
  const without = await app.inject('/')
  assert.equal(without.statusCode, 503)
  assert.match(without.body, /npm run build/)
})
