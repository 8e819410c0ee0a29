import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { dataFolder, smarthouse, smarthouseHere, start } from './run-cli.ts'

async function refused(words: string[], code: number, ...says: (string | RegExp)[]): Promise<void> {
  const { status, stderr } = await smarthouseHere(...words)
  assert.equal(status, code, stderr)
  for (const text of says)
    assert.ok(
      typeof text === 'string' ? stderr.includes(text) : text.test(stderr),
      `"${stderr}" says ${text}`,
    )
  assert.doesNotMatch(stderr, /\n {4}at /, 'no stack')
}

test('a folder that holds something else is refused, and left alone', async (t) => {
  const data = dataFolder(t)
  mkdirSync(data)
  writeFileSync(join(data, 'holiday.txt'), 'photos')
  await refused(['bronze', '--once', '--data', data], 1, 'not a data folder', 'holiday.txt', '--data DIR')
})

test('a data folder of a newer program is refused', async (t) => {
  const data = dataFolder(t)
  mkdirSync(data)
  writeFileSync(join(data, 'smarthouse.json'), '{"platform":"smarthouse","format":99}')
  await refused(['status', '--data', data], 1, 'newer version', 'format 99')
})

test('a data folder where a file stands in the way cannot be used', async (t) => {
  const parent = dataFolder(t)
  mkdirSync(parent)
  writeFileSync(join(parent, 'file'), '')
  await refused(['bronze', '--once', '--data', join(parent, 'file', 'data')], 1, 'Cannot use')
})

test('a data folder whose name is a pattern to the engine is refused', async (t) => {
  await refused(['bronze', '--once', '--data', `${dataFolder(t)}[1]`], 1, 'pattern', '--data DIR')
})

test('an unknown key is refused with its line and the nearest known one', async (t) => {
  const data = dataFolder(t)
  mkdirSync(data)
  const config = join(data, 'c.yaml')
  writeFileSync(config, 'currency: EUR\nserver:\n  prot: 9000\n')
  await refused(['status', '--config', config], 2, 'line 3', '"server.prot"', '"server.port"')
})

test('a wrong value, a wrong environment variable, an absent file: each names itself', async (t) => {
  const data = dataFolder(t)
  mkdirSync(data)
  const config = join(data, 'c.yaml')
  writeFileSync(config, 'time_zone: Mars/Olympus\n')
  await refused(['status', '--config', config], 2, 'line 1', 'time_zone', 'IANA')
  writeFileSync(config, 'silver:\n  late_pass: soon\n')
  await refused(['status', '--config', config], 2, 'line 2', 'late_pass', 'duration')
  await refused(['status', '--config', join(data, 'absent.yaml')], 2, 'absent.yaml', '--config')
  writeFileSync(config, 'server: [\n')
  await refused(['status', '--config', config], 2, 'line')
})

test('a wrong command or option names the nearest right one', async () => {
  await refused(['simualte'], 2, '"simulate"')
  await refused(['simulate', '--devcies', '3'], 2, '--devices')
  await refused(['simulate', '--devices', 'many'], 2, 'whole number')
  await refused(['simulate', '--for', 'long'], 2, 'duration')
  await refused(['simulate', '--faults', 'gremlins'], 2, 'gremlins')
  await refused(['rebuild', 'bronze'], 2, 'devices, silver and gold')
  await refused(['sql', 'SELECT 1', '--format', 'xml'], 2, 'xml')
})

test('a process ends with the code, and says what is wrong on its error output', () => {
  const { status, stdout, stderr } = smarthouse('simualte')
  assert.deepEqual([status, stdout], [2, ''])
  assert.equal(stderr, 'smarthouse: There is no command "simualte". Did you mean "simulate"?\n')
})

test('a port in use is said before anything starts', async (t) => {
  const data = dataFolder(t)
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  const platform = start(['up', '--no-open', '--data', data, '--port', String(port)])
  assert.equal(await platform.ended, 1)
  assert.match(platform.output(), new RegExp(`Port ${port} .* in use`))
})

test('every command has help with examples and exit codes', async () => {
  const overview = await smarthouseHere('--help')
  assert.equal(overview.status, 0)
  const names = [...overview.stdout.matchAll(/^ {2}([a-z]+) {2,}/gm)].map((match) => match[1]!)
  assert.ok(names.length >= 13, names.join(' '))
  for (const name of names) {
    const { status, stdout } = await smarthouseHere(name, '--help')
    assert.equal(status, 0, name)
    assert.match(stdout, /Usage: smarthouse [\s\S]*Examples:[\s\S]*Exit codes:/, name)
  }
})
