import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import mqtt from 'mqtt'
import { prettyLine, recordOf, redactor, secretsOf, type LogRecord } from '../../src/log.ts'
import { followRecords, lastRecords, loggedParts, openLogFile } from '../../src/run/log-file.ts'
import { dataFolder, smarthouseHere, start } from '../house/run-cli.ts'

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'smarthouse-log-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}
const record = (message: string, as: Partial<LogRecord> = {}): LogRecord => ({
  time: '2026-01-15T10:00:00.000Z',
  level: 'info',
  part: 'stages',
  message,
  ...as,
})
const everything = (): boolean => true

test('a line of a part is a record, whatever wrote it', () => {
  const now = new Date('2026-01-15T10:00:00.000Z')
  assert.deepEqual(
    recordOf('Killed', 'serve', 'warn', now),
    record('Killed', { part: 'serve', level: 'warn' }),
  )
  const own =
    '{"time":"2026-01-15T09:00:00.000Z","level":"error","part":"x","message":"full","code":"disk_full"}'
  assert.deepEqual(
    recordOf(own, 'serve', 'info', now),
    record('full', { time: '2026-01-15T09:00:00.000Z', level: 'error', part: 'serve', code: 'disk_full' }),
  )
  const server =
    '{"level":50,"time":1,"reqId":"req-7","err":{"message":"m","stack":"Error: m\\n at x"},"msg":"m"}'
  assert.deepEqual(
    recordOf(server, 'serve', 'info', now),
    record('req-7: Error: m\n at x', { part: 'serve', level: 'error' }),
  )
  for (const text of ['{"a":1}', '{"level":"odd"', '[1]'])
    assert.equal(recordOf(text, 'serve', 'info', now).message, text)
})

test('on a terminal: time, part, message; the level where it is not the usual one', () => {
  assert.match(prettyLine(record('Ready'), false), /^\d\d:\d\d:00 {2}stages {4}Ready\n$/)
  const warning = record('Away', { level: 'warn', code: 'disk_full' })
  assert.match(prettyLine(warning, false), /^\S+ {2}stages {4}warn: Away \[disk_full\]\n$/)
  assert.ok(prettyLine(warning, true).includes('\u001B['))
})

test('no secret of the configuration is told, nor what stands before the @ of an address', () => {
  const config = {
    sources: {
      brokers: [{ username: 'ada', password: 'opensesame' }],
      http: { keys: [{ key: 'k'.repeat(16) }] },
    },
    stream: { sasl: { password: 'longer-opensesame' }, tls: { key_file: 'client.key' } },
  }
  const redact = redactor(secretsOf(config))
  assert.equal(redact('ada with opensesame and longer-opensesame'), 'ada with ••• and •••')
  assert.equal(redact(`key ${'k'.repeat(16)} of client.key`), 'key ••• of client.key')
  assert.equal(redact('mqtt://ada:other@10.0.0.1:1883 and me@home'), 'mqtt://•••@10.0.0.1:1883 and me@home')
})

test('the log of a part is bounded, keeps the newest, and is read in order over its files', (t) => {
  const dir = folder(t)
  const write = openLogFile(dir, 'stages', 8000)
  const other = openLogFile(dir, 'serve', 8000)
  for (let n = 0; n < 200; n += 1) {
    const time = new Date(n * 1000).toISOString()
    write(record(`line ${n} ${'x'.repeat(50)}`, { time }))
    if (n === 198) other(record('between', { time: new Date(n * 1000 + 500).toISOString(), part: 'serve' }))
  }
  const files = readdirSync(dir).filter((name) => name.startsWith('stages'))
  assert.deepEqual(files.toSorted(), ['stages.1.log', 'stages.2.log', 'stages.3.log', 'stages.log'])
  const bytes = files.reduce((sum, name) => sum + statSync(join(dir, name)).size, 0)
  assert.ok(bytes <= 8000 && bytes > 5000, `${bytes} bytes`)
  assert.deepEqual(loggedParts(dir), ['serve', 'stages'])
  const told = lastRecords(dir, ['stages', 'serve'], everything, 4).map(({ message }) => message.slice(0, 8))
  assert.deepEqual(told, ['line 197', 'line 198', 'between', 'line 199'])
  const all = lastRecords(dir, ['stages'], everything, 1000).map(({ message }) =>
    Number(message.split(' ')[1]),
  )
  assert.deepEqual(
    all,
    Array.from({ length: all.length }, (_, index) => 200 - all.length + index),
    'the newest, without a gap, in order',
  )
})

test('whoever follows misses nothing when the file is turned over, and no torn line is told', (t) => {
  const dir = folder(t)
  const write = openLogFile(dir, 'stages', 4000)
  write(record('before'))
  const look = followRecords(dir, () => loggedParts(dir))
  const seen: string[] = []
  for (let n = 0; n < 40; n += 1) {
    write(record(`line ${n} ${'x'.repeat(50)}`))
    if (n % 3 === 0) seen.push(...look().map(({ message }) => message.split(' ')[1]!))
  }
  seen.push(...look().map(({ message }) => message.split(' ')[1]!))
  assert.deepEqual(
    seen,
    Array.from({ length: 40 }, (_, n) => String(n)),
  )
  const file = join(dir, 'stages.log')
  writeFileSync(file, `${readFileSync(file, 'utf8')}{"time":"2026`)
  assert.deepEqual(look(), [])
})

const MARK = 'confidential-4711'
const SECRET = 'never-tell-this-password'
const KEY = 'never-tell-this-api-key'

const configText = (level: string): string => `
server: { port: 0 }
logs: { level: ${level} }
simulator: { enabled: false }
sources:
  mqtt: { enabled: true, port: 0, users: [{ user: plugs, password: ${SECRET} }] }
  brokers: [{ url: 'mqtt://127.0.0.1:1', username: ada, password: ${SECRET}-2 }]
  http: { keys: [{ key: ${KEY} }] }
`

/** Sends what a device may send, good and bad, over MQTT and HTTP. */
async function bother(mqttPort: string, url: string): Promise<void> {
  const connect = (password: string) =>
    mqtt.connectAsync(`mqtt://127.0.0.1:${mqttPort}`, {
      username: 'plugs',
      password,
      protocolVersion: 4,
      reconnectPeriod: 0,
    })
  await assert.rejects(connect(`${SECRET}x`))
  const client = await connect(SECRET)
  for (const payload of [`{"power": "${MARK}"`, MARK, `{"power":12,"note":"${MARK}"}`])
    await client.publishAsync('odd/kettle/state', payload, { qos: 1 })
  await client.endAsync()
  const send = (body: string, key: string) =>
    fetch(`${url}/api/v1/telemetry`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    }).then((answer) => answer.status)
  assert.equal(
    await send(`{"device_id":"kettle","status":"${MARK}","timestamp":"2026-01-15T10:00:00Z"}`, KEY),
    202,
  )
  await send(`{"device_id": ${MARK}`, KEY)
  assert.equal(await send(MARK, `${KEY}x`), 403)
}

test('the house logs per part, in JSON where nobody looks on; no secret, and what readings say at debug only', async (t) => {
  const data = dataFolder(t)
  const config = `${data}.yaml`
  for (const level of ['info', 'debug']) {
    writeFileSync(config, configText(level))
    const house = start(['up', '--no-open', '--data', data, '--config', config])
    t.after(() => house.child.kill('SIGKILL'))
    const wait = async (what: RegExp): Promise<string> => {
      for (let found; ; await sleep(50)) {
        if ((found = what.exec(house.output()))) return found[1] ?? found[0]
        assert.equal(house.child.exitCode, null, house.output())
      }
    }
    const [url, port] = [await wait(/Dashboard: (http:\S+)/), await wait(/MQTT broker: 127\.0\.0\.1:(\d+)/)]
    await wait(/mqtt:..127\.0\.0\.1:1: not connected/)
    await bother(port, url)
    if (level === 'debug') await wait(new RegExp(MARK))
    house.child.kill('SIGINT')
    assert.equal(await house.ended, 0, house.output())
    const lines = house.output().trim().split('\n')
    for (const line of lines) assert.equal(typeof (JSON.parse(line) as LogRecord).message, 'string', line)
    const logs = join(data, 'logs')
    const text = readdirSync(logs)
      .map((name) => readFileSync(join(logs, name), 'utf8'))
      .join('')
    for (const secret of [SECRET, KEY]) assert.ok(!(text + house.output()).includes(secret), secret)
    assert.equal(text.includes(MARK), level === 'debug', text)
  }
  const told = await smarthouseHere(
    'logs',
    'listen',
    '--data',
    data,
    '--json',
    '--level',
    'warn',
    '--lines',
    '1',
  )
  assert.match(
    told.stdout,
    /^\{"time":"[^"]+","level":"warn","part":"listen","message":"mqtt:\/\/127\.0\.0\.1:1: [^\n]+\}\n$/,
  )
  const wrong = await smarthouseHere('logs', 'listne', '--data', data)
  assert.equal(wrong.status, 2)
  assert.match(wrong.stderr, /"listen"/)
})

test('logs -f goes on until it is stopped', async (t) => {
  const data = dataFolder(t)
  mkdirSync(join(data, 'logs'), { recursive: true })
  const write = openLogFile(join(data, 'logs'), 'stages', 100_000)
  write(record('the first'))
  const following = start(['logs', '-f', '--data', data])
  t.after(() => following.child.kill('SIGKILL'))
  while (!following.output().includes('the first')) await sleep(20)
  write(record('the second'))
  while (!following.output().includes('the second')) await sleep(20)
  following.child.kill('SIGINT')
  assert.equal(await following.ended, 0)
})
