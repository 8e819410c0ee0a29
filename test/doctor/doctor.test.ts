import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { FORMAT_VERSION } from '../../src/data-folder.ts'
import { createIntake } from '../../src/1-source/intake.ts'
import { startBroker } from '../../src/1-source/mqtt/broker.ts'
import { BRONZE, GOLD, SILVER } from '../../src/commands/stages.ts'
import type { Finding } from '../../src/doctor/examine.ts'
import { entryOf, TROUBLES } from '../../src/error-catalogue.ts'
import { openStreamAlone } from '../../src/main.ts'
import { lockInstance, writeStatus, type PartStatus } from '../../src/run/instance.ts'
import { dataFolder, ROOT } from '../house/run-cli.ts'
import { fine, house, wrong } from './house.ts'

test('every trouble has a sign, a cause and a cure, and is looked for', async (t) => {
  const findings = await house(t).diagnose()
  for (const code of TROUBLES) {
    assert.ok(entryOf(code).sign, code)
    assert.ok(
      findings.some((finding) => finding.code === code),
      code,
    )
  }
})

test('a port that is taken, and by whom', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  const by = new RegExp(`Port ${port} .* in use by .* \\(process ${process.pid}\\)`)
  const cure = new RegExp(`End process ${process.pid}, .*--port ${port + 1}`)
  wrong(await house(t).diagnose({ port }), 'port_in_use', by, cure)
})

test('a disk that is full, and one that is read-only', async (t) => {
  const { data, diagnose, begin } = house(t)
  mkdirSync(data)
  const mount = (...words: string[]) => spawnSync('mount', words, { encoding: 'utf8' }).status === 0
  if (!mount('-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', data))
    return t.skip('a disk can be mounted by root on Linux only')
  try {
    await begin()
    wrong(await diagnose(), 'disk_full', /Only 1\.0 MB are free/, /Free space/)
    assert.ok(mount('-o', 'remount,ro', data))
    wrong(await diagnose(), 'data_folder_unwritable', /read-only/, /writable .* `--data DIR`/)
  } finally {
    spawnSync('umount', [data])
  }
})

test('a clock that is wrong: never set, set back, or behind that of the devices', async (t) => {
  const { diagnose, begin, run, data } = house(t)
  wrong(
    await diagnose({ nowMs: Date.parse('2000-01-01T00:00:17Z') }),
    'clock_wrong',
    /2000-01-01/,
    /Set the clock/,
  )
  const log = await openStreamAlone(await begin())
  const ahead = new Date(Date.now() + 3 * 3_600_000).toISOString()
  const reading = { device_id: 'kettle', timestamp: ahead, power_usage: 1 }
  await log.append([{ key: 'kettle', value: Buffer.from(JSON.stringify(reading)) }])
  await log.close()
  for (const stage of [BRONZE, SILVER, GOLD]) await run(stage)
  wrong(
    await diagnose(),
    'clock_wrong',
    /1 of 1 readings .* in_future \(kettle\)/,
    /Set this computer's clock/,
  )
  const created = new Date(Date.now() + 86_400_000).toISOString()
  writeFileSync(join(data, 'smarthouse.json'), JSON.stringify({ format: FORMAT_VERSION, created }))
  wrong(await diagnose(), 'clock_wrong', /the data folder was made at .* later/, /Set the clock/)
})

test(
  'a Node that is too old for the scripts',
  { skip: process.platform === 'win32' && 'needs a script as program' },
  async (t) => {
    const { diagnose, data } = house(t)
    mkdirSync(data)
    writeFileSync(join(data, 'node'), '#!/bin/sh\necho v16.20.2\n')
    chmodSync(join(data, 'node'), 0o755)
    const env = { PATH: [data, process.env.PATH].join(delimiter) }
    wrong(await diagnose({ env }), 'node_too_old', /Node 16\.20\.2 in /, /Install Node 20/)
  },
)

test('half an installation, and a dashboard that is not built: in a clone without and with packages', (t) => {
  const clone = dataFolder(t)
  mkdirSync(clone)
  for (const part of ['bin', 'config', 'package.json', 'package-lock.json'])
    cpSync(join(ROOT, part), join(clone, part), { recursive: true })
  cpSync(join(ROOT, 'src'), join(clone, 'src'), {
    recursive: true,
    filter: (path) => !path.endsWith(join('7-dashboard', 'dist')),
  })
  const doctor = () =>
    spawnSync(process.execPath, [join(clone, 'bin', 'smarthouse.mjs'), 'doctor', '--json'], {
      encoding: 'utf8',
      env: { ...process.env, SMARTHOUSE_SERVER_PORT: '0' },
    })
  const bare = doctor()
  assert.equal(bare.status, 1)
  assert.match(bare.stderr, /installation is not whole: .*Cannot find package.*`npm ci`/)
  assert.doesNotMatch(bare.stderr, /\n {4}at /, 'no stack')
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'), 'junction')
  const { status, stdout } = doctor()
  assert.equal(status, 1)
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] }
  assert.equal(ok, false)
  wrong(findings, 'dashboard_not_built', /not built/, /smarthouse build/)
  fine(findings, 'installation_incomplete')
})

test('packages of another version than the lockfile says', async (t) => {
  const { data, diagnose } = house(t)
  const programRoot = data
  const lock = (version: string) => JSON.stringify({ packages: { '': {}, 'node_modules/zod': { version } } })
  mkdirSync(join(data, 'node_modules', 'zod'), { recursive: true })
  writeFileSync(join(data, 'package-lock.json'), lock('4.6.7'))
  writeFileSync(join(data, 'node_modules', '.package-lock.json'), lock('4.6.6'))
  wrong(await diagnose({ programRoot }), 'installation_incomplete', /1 packages .*: zod/, /npm ci/)
  writeFileSync(join(data, 'node_modules', '.package-lock.json'), lock('4.6.7'))
  fine(await diagnose({ programRoot }), 'installation_incomplete')
  rmSync(join(data, 'node_modules', 'zod'), { recursive: true })
  wrong(await diagnose({ programRoot }), 'installation_incomplete', /zod/, /npm ci/)
})

test('a data folder of a newer version', async (t) => {
  const { data, diagnose } = house(t)
  mkdirSync(data)
  writeFileSync(join(data, 'smarthouse.json'), '{"platform":"smarthouse","format":99}')
  wrong(await diagnose(), 'data_folder_newer', /format 99/, /Update the platform/)
})

const part = (name: string, as: Partial<PartStatus>): PartStatus => ({
  name,
  pid: 1,
  state: 'running',
  restarts: 0,
  since: '',
  last_error: null,
  problem: null,
  memory_bytes: null,
  event_loop_delay_ms: null,
  doing: '',
  figures: {},
  ...as,
})

test('another instance; one that hangs; a part that ends again and again', async (t) => {
  const { diagnose, begin } = house(t)
  const { run } = (await begin()).folder
  const lock = lockInstance(run)
  t.after(() => lock?.release())
  const now = new Date().toISOString()
  const status = { pid: 4711, url: 'http://127.0.0.1:8501', started: now, updated: now, parts: [] }
  const failed = part('stages', { state: 'waiting', restarts: 3, last_error: 'exit code 1: no space' })
  writeStatus(run, { ...status, parts: [failed] })
  const findings = await diagnose()
  const found = findings.find(({ code }) => code === 'already_running')
  assert.deepEqual([found?.state, /process 4711/.test(found?.what ?? '')], ['note', true])
  assert.match(found?.cure ?? '', /Open http:.*smarthouse down.*--data DIR/)
  wrong(findings, 'part_failing', /stages .*3 times.*no space/, /smarthouse logs stages/)
  writeStatus(run, { ...status, updated: new Date(Date.now() - 300_000).toISOString() })
  wrong(await diagnose(), 'already_running', /said nothing for 300 s/, /End process 4711/)
})

test('Kafka and MQTT brokers that cannot be reached, and one that refuses', async (t) => {
  const { data, diagnose, begin } = house(
    t,
    `stream: { type: kafka, brokers: ['127.0.0.1:1'] }
sources: { brokers: [{ url: 'mqtt://127.0.0.1:1' }] }`,
  )
  const findings = await diagnose()
  wrong(findings, 'stream_unreachable', /127\.0\.0\.1:1/, /broker/i)
  wrong(findings, 'mqtt_unreachable', /mqtt:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/, /Start that broker/)
  const settings = { ...(await begin()) }
  settings.config = { ...settings.config, stream: { ...settings.config.stream, type: 'embedded' } }
  const log = await openStreamAlone(settings)
  const { openDevices } = await import('../../src/main.ts')
  const registry = await openDevices(settings)
  const user = {
    user: 'plugs',
    password: 'right-password',
    tenant_id: 'home',
    publish: ['#'],
    subscribe: ['#'],
  }
  const broker = await startBroker({
    host: '127.0.0.1',
    port: 0,
    users: [user],
    messagesPerSecond: 100,
    burst: 100,
    say: () => undefined,
    intake: createIntake({ sink: log, registry, mappings: [], timeZone: 'UTC' }),
  })
  t.after(async () => {
    await broker.close()
    registry.close()
    await log.close()
  })
  const url = `mqtt://127.0.0.1:${broker.port}`
  const ask = (password: string) => {
    writeFileSync(
      `${data}.yaml`,
      `sources: { brokers: [{ url: '${url}', version: '3.1.1', username: plugs, password: '${password}' }] }`,
    )
    return diagnose()
  }
  const refused = await ask('wrong-password')
  wrong(refused, 'mqtt_unreachable', /uthori[sz]ed|refused/, /password/)
  assert.doesNotMatch(JSON.stringify(refused), /wrong-password/, 'no password is told')
  fine(await ask('right-password'), 'mqtt_unreachable')
})

test('a configuration that cannot be read is found too, and the rest is looked at all the same', async (t) => {
  const { data, diagnose } = house(t)
  writeFileSync(`${data}.yaml`, 'server: { prot: 1 }')
  const findings = await diagnose()
  wrong(findings, 'config_invalid', /server\.prot/, /server\.port/)
  fine(findings, 'disk_full')
})
