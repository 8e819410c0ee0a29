/** What cannot be run here is read at least: the container file, the compose file, the service, the uninstall. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { parseWords } from '../../src/commands/command.ts'
import { COMMANDS } from '../../src/commands/index.ts'
import { loadConfig } from '../../src/config-file.ts'
import { dataFolder, ROOT } from '../house/run-cli.ts'

const text = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

/** The program takes these words: the command is there, and so is each of its options. */
async function understood(words: readonly string[]): Promise<void> {
  const [name = '', ...rest] = words
  assert.ok(Object.hasOwn(COMMANDS, name), `there is a command ${name}`)
  parseWords(await COMMANDS[name]!(), rest)
}

const INSTRUCTIONS = /^(FROM|WORKDIR|COPY|RUN|USER|VOLUME|STOPSIGNAL|HEALTHCHECK|ENTRYPOINT|CMD)\b/

test('the container file: instructions that exist, files that exist, words that the program takes', async () => {
  const lines = text('Containerfile')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  for (const line of lines) assert.match(line, INSTRUCTIONS)
  assert.match(lines[0]!, /^FROM node:26-slim AS build$/)
  for (const line of lines.filter((one) => one.startsWith('COPY') && !one.includes('--from')))
    for (const source of line.split(' ').slice(1, -1))
      assert.ok(existsSync(join(ROOT, source)), `${source} is there`)
  const json = (instruction: string): string[] =>
    JSON.parse(/\[.*\]/.exec(lines.find((line) => line.startsWith(instruction))!)![0]) as string[]
  await understood(json('CMD'))
  await understood(json('HEALTHCHECK').slice(2))
  assert.equal(json('ENTRYPOINT')[1], '/opt/smarthouse/bin/smarthouse.mjs')
  assert.ok(
    lines.lastIndexOf('USER node') > lines.lastIndexOf('FROM node:26-slim'),
    'it does not run as root',
  )
})

interface Service {
  image?: string
  build?: { context: string; dockerfile: string }
  profiles?: string[]
  ports?: string[]
  network_mode?: string
  environment?: Record<string, string>
  volumes?: string[]
  command?: string[]
}

test('the compose file: the platform alone, with profile kafka also a broker and a page to look into it', async () => {
  const { services, volumes } = parse(text('compose.yaml')) as {
    services: Record<string, Service>
    volumes: Record<string, unknown>
  }
  const { smarthouse, kafka, 'kafka-ui': ui } = services
  assert.deepEqual(smarthouse?.build, { context: '.', dockerfile: 'Containerfile' })
  assert.equal(smarthouse?.profiles, undefined)
  assert.equal(smarthouse?.network_mode, 'host', 'the server listens on loopback only')
  assert.deepEqual([kafka?.profiles, ui?.profiles], [['kafka'], ['kafka']])
  assert.match(kafka?.image ?? '', /^apache\/kafka:4\./)
  assert.match(kafka?.environment?.['KAFKA_PROCESS_ROLES'] ?? '', /broker,controller/)
  assert.deepEqual(ui?.ports, ['127.0.0.1:8080:8080'])
  for (const { ports = [] } of Object.values(services))
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:/, 'nothing is open to the network')
  for (const { volumes: own = [] } of Object.values(services))
    for (const volume of own.map((one) => one.split(':')[0]!))
      assert.ok(volume.startsWith('.') ? existsSync(join(ROOT, volume)) : volume in volumes, volume)
  // Its settings are settings of ours: the defaults of the file itself, and those of the profile.
  const settings = (given: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(smarthouse?.environment ?? {}).map(([name, value]) => [
        name,
        value.replace(
          /\$\{(\w+):-([^}]*)\}/,
          (_, variable: string, standard: string) => given[variable] ?? standard,
        ),
      ]),
    )
  const config = (env: Record<string, string>) => loadConfig({ file: 'absent', named: false, env }).config
  assert.equal(config(settings({})).stream.type, 'embedded')
  assert.equal(config(settings({ SMARTHOUSE_STREAM_TYPE: 'kafka' })).stream.type, 'kafka')
})

test('the systemd unit: what it starts, and that systemd takes it', async (t) => {
  const unit = text('packaging/smarthouse.service')
  const start = /^ExecStart=\/usr\/bin\/env smarthouse (.+)$/m.exec(unit)
  await understood(start![1]!.split(' '))
  for (const line of unit.split('\n').filter((one) => one !== ''))
    assert.match(line, /^(#.*|\[(Unit|Service|Install)\]|[A-Z][A-Za-z]+=.+)$/)
  const verify = spawnSync('systemd-analyze', ['verify', join(ROOT, 'packaging', 'smarthouse.service')], {
    encoding: 'utf8',
  })
  if (verify.error) return t.diagnostic('systemd is not here: the unit was only read')
  assert.equal(verify.status, 0, verify.stderr)
  assert.doesNotMatch(verify.stderr, /smarthouse\.service.*(Unknown|Failed|Invalid)/i)
})

test('uninstall takes away what was installed, and nothing else', (t) => {
  const clone = dataFolder(t)
  mkdirSync(clone)
  for (const part of ['bin', 'config', 'uninstall', 'package.json'])
    cpSync(join(ROOT, part), join(clone, part), { recursive: true })
  for (const folder of ['node_modules/zod', 'src/7-dashboard/dist', 'data/lake/bronze']) {
    mkdirSync(join(clone, folder), { recursive: true })
    writeFileSync(join(clone, folder, 'file'), '')
  }
  const run = spawnSync(process.execPath, [join(clone, 'bin', 'uninstall.mjs')], { encoding: 'utf8' })
  assert.equal(run.status, 0, run.stderr)
  assert.ok(run.stdout.includes(join(clone, 'data')), 'it says where the data is')
  assert.deepEqual(readdirSync(clone).toSorted(), [
    'bin',
    'config',
    'data',
    'package.json',
    'src',
    'uninstall',
  ])
  assert.deepEqual(readdirSync(join(clone, 'src', '7-dashboard')), [])
  assert.ok(existsSync(join(clone, 'data', 'lake', 'bronze', 'file')))
  const wrong = spawnSync(process.execPath, [join(clone, 'bin', 'uninstall.mjs'), '--al'], {
    encoding: 'utf8',
  })
  assert.equal(wrong.status, 2)
  assert.match(wrong.stderr, /Usage/)
})
