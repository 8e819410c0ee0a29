import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsed, server } from './server.ts'

const without = (reading: Record<string, unknown>, ...names: string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(reading).filter(([name]) => !names.includes(name)))

test('line protocol: lines of one device and time are one reading; units by name; escapes and quotes', async (t) => {
  const { send, texts } = await server(t)
  // 1773144000 s = 2026-03-10T12:00:00Z
  const body = [
    '# a comment',
    'power,device=plug\\ 1,room=kitchen value=12.5,voltage=230i 1773144000000000000',
    'energy,device=plug\\ 1 kwh=1.25,status="on, \\"full\\"",on=true 1773144000000000000',
    'W,entity_id=heater value=1500 1773143999000001000',
    'climate,host=esp temp=-3.5e0',
    '',
  ].join('\n')
  const response = await send(body, { 'content-type': 'text/plain' }, '/api/v2/write?bucket=house&org=me')
  assert.equal(response.statusCode, 204, response.body)
  const readings = parsed(await texts())
  assert.deepEqual(
    readings.map((reading) => without(reading, 'raw', 'protocol')),
    [
      {
        device_id: 'plug 1',
        timestamp: '2026-03-10T12:00:00.000Z',
        location: 'kitchen',
        power_usage: 12.5,
        metrics: { voltage_v: 230, on: 1 },
        energy_total_wh: 1250,
        status: 'on, "full"',
      },
      { device_id: 'heater', timestamp: '2026-03-10T11:59:59.000001Z', power_usage: 1500 },
      { device_id: 'esp', timestamp: '2026-03-10T12:00:00.000Z', temperature: -3.5 },
    ],
  )
  assert.equal(readings[2]!.raw, 'climate,host=esp temp=-3.5e0')
})

test('line protocol: what cannot be read is named, kept as sent, and does not keep the rest out', async (t) => {
  const { send, texts } = await server(t)
  const response = await send(
    'power,device=a value=1 1773144000\nnonsense\npower value=\n',
    {},
    '/write?db=x&precision=s',
  )
  assert.equal(response.statusCode, 400)
  assert.match(response.json<{ detail: string }>().detail, /^1 points written.*line 2, 3/)
  assert.deepEqual((await texts()).slice(1), ['nonsense', 'power value='])
  assert.equal((await send('power value=1', {}, '/write?precision=week')).statusCode, 400)
})

test("line protocol: InfluxDB's own ways to bring a key", async (t) => {
  const { send } = await server(t, { keys: [{ key: 'k-of-the-house-0001', tenant_id: 'home' }] })
  const line = 'power,device=a value=1'
  assert.equal((await send(line, {}, '/write')).statusCode, 401)
  assert.equal((await send(line, {}, '/write?u=me&p=k-of-the-house-0001')).statusCode, 204)
  assert.equal(
    (await send(line, { authorization: 'Token k-of-the-house-0001' }, '/api/v2/write')).statusCode,
    204,
  )
  const basic = Buffer.from('me:k-of-the-house-0001').toString('base64')
  assert.equal((await send(line, { authorization: `Basic ${basic}` }, '/write')).statusCode, 204)
})

test('Shelly: an action of the first generation, a webhook of the second, and no web page in between', async (t) => {
  const { app, texts } = await server(t)
  const call = (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers })
  assert.equal((await call('/api/v1/shelly?hum=55&temp=21.5&id=shellyht-AB12')).statusCode, 204)
  assert.equal(
    (await call('/api/v1/shelly/boiler?event=switch.on&apower=1980.4&tF=68&key=secret-secret')).statusCode,
    204,
  )
  assert.equal((await call('/api/v1/shelly?temp=21')).statusCode, 400)
  const page = await call('/api/v1/shelly/boiler?temp=99', { 'sec-fetch-site': 'cross-site' })
  assert.equal(page.statusCode, 403)
  const readings = parsed(await texts())
  const common = { timestamp: '2026-03-10T12:00:00.000Z', manufacturer: 'Shelly', protocol: 'shelly' }
  assert.deepEqual(readings, [
    {
      device_id: 'shellyht-AB12',
      ...common,
      raw: '/api/v1/shelly?hum=55&temp=21.5&id=shellyht-AB12',
      status: 'online',
      metrics: { humidity_pct: 55 },
      temperature: 21.5,
    },
    // 68 °F = (68 − 32) × 5 / 9 = 20 °C
    {
      device_id: 'boiler',
      ...common,
      // In the same millisecond as the other call: each has a microsecond of its own.
      timestamp: '2026-03-10T12:00:00.000001Z',
      raw: '/api/v1/shelly/boiler?event=switch.on&apower=1980.4&tF=68&key=…',
      status: 'switch.on',
      power_usage: 1980.4,
      temperature: 20,
    },
  ])
})
