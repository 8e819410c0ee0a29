import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { tmpdir } from 'node:os'
import { helpText, parseWords, type Command } from '../../src/commands/command.ts'
import { COMMANDS } from '../../src/commands/index.ts'
import { exitOf } from '../../src/error-catalogue.ts'
import { isPlatformError } from '../../src/errors.ts'

/** In this process, as cli.ts runs them: the same words, the same errors, without a start of the program each. */
const dir = mkdtempSync(join(tmpdir(), 'smarthouse-bad-'))
after(() => rmSync(dir, { recursive: true, force: true }))
const file = (name: string, content: string): string => {
  writeFileSync(join(dir, name), content)
  return join(dir, name)
}
const absent = join(dir, 'absent')
const inTheWay = join(file('in-the-way', ''), 'data')
const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()))

interface Refused {
  exit: number
  message: string
  cure: string
}

async function refusalOf(command: Command, words: readonly string[]): Promise<Refused> {
  try {
    const code = await command.run(parseWords(command, words), AbortSignal.timeout(10_000))
    throw new Error(`${command.name} ${words.join(' ')} was taken: ${code}`)
  } catch (error) {
    if (!isPlatformError(error)) throw error
    return { exit: exitOf(error.code), message: error.message, cure: error.cure }
  }
}

test('every command refuses every option that is written wrong, with the nearest right one', async () => {
  for (const command of commands) {
    for (const name of Object.keys(command.options)) {
      // Two neighbours swapped, as fingers do it; what is too short for that loses a letter.
      const wrong = `${name.slice(0, -2)}${name.at(-1)}${name.at(-2)}`
      if (wrong === name || wrong in command.options) continue
      const { exit, message, cure } = await refusalOf(command, [`--${wrong}`])
      assert.equal(exit, 2)
      assert.equal(message, `smarthouse ${command.name} has no option --${wrong}`)
      const guess = /^Did you mean --([\w-]+)\?$/.exec(cure)?.[1] ?? ''
      assert.ok(guess in command.options || guess === 'help', `${command.name} --${wrong}: ${cure}`)
    }
    const { exit, cure } = await refusalOf(command, ['--zzzzzzzzzz'])
    assert.deepEqual([exit, cure], [2, `See smarthouse ${command.name} --help.`])
  }
})

test('every option with a value refuses to stand without one, and twice; every switch refuses a value', async () => {
  for (const command of commands)
    for (const [name, { value, multiple }] of Object.entries(command.options)) {
      const refused = value
        ? [
            await refusalOf(command, [`--${name}`]),
            ...(multiple ? [] : [await refusalOf(command, [`--${name}`, '1', `--${name}`, '2'])]),
          ]
        : [await refusalOf(command, [`--${name}=1`])]
      for (const { exit, message } of refused) {
        assert.equal(exit, 2, `${command.name} --${name}`)
        assert.match(message, new RegExp(`--${name} (needs a value|stands twice|takes no value)`))
      }
    }
})

test('every command that takes no words refuses one', async () => {
  const closed = commands.filter(({ positional }) => positional === undefined)
  assert.ok(closed.length > 8)
  for (const command of closed) assert.equal((await refusalOf(command, ['surplus'])).exit, 2, command.name)
})

test('every command has help with usage, options, examples that it takes itself, and exit codes', () => {
  for (const command of commands) {
    assert.match(
      helpText(command),
      /Usage: smarthouse [\s\S]*Options:[\s\S]*Examples:[\s\S]*Exit codes: 0 done/,
    )
    for (const example of command.examples) {
      const words = [...example.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
        (word) => word[1] ?? word[2] ?? word[3]!,
      )
      const at = words.indexOf('smarthouse')
      const named = commands.find(({ name }) => name === words[at + 1])
      assert.ok(named, example)
      const end = words.findIndex((word, index) => index > at && ['|', '>', '&&'].includes(word))
      parseWords(named, words.slice(at + 2, end < 0 ? undefined : end))
    }
  }
})

test('every command refuses a configuration that is absent or wrong, and leaves nothing behind', async () => {
  const broken = file('broken.yaml', 'server: { prot: 1 }')
  for (const command of commands) {
    if (!('config' in command.options) || command.name === 'doctor') continue
    const words = command.positional?.includes('|')
      ? [command.positional.split(/[| ]/)[0]!]
      : command.positional
        ? ['x']
        : []
    for (const config of [absent, broken]) {
      const data = join(dir, `data-${command.name}`)
      const { exit } = await refusalOf(command, [...words, '--config', config, '--data', data])
      assert.equal(exit, 2, `${command.name} --config ${config}`)
      assert.equal(existsSync(data), false, `${command.name} made nothing`)
    }
  }
})

/** Of each command and each of its actions a line that is right. */
const RIGHT: readonly string[] = [
  ...'up down status logs doctor listen poll broker serve verify upgrade build'.split(' '),
  ...['bronze', 'silver', 'gold', 'stages'].map((stage) => `${stage} --once`),
  'simulate --for 1m',
  'simulate --for 1m --as tasmota --to mqtt://127.0.0.1:1',
  `import ${absent}.csv`,
  ...['list', 'show a', 'rename a', 'merge a b', 'retire a', 'unknown'].map((action) => `devices ${action}`),
  ...['topics', 'offsets', 'groups', 'tail', 'replay'].map((action) => `stream ${action}`),
  ...['status', 'history t', 'check', 'optimize', 'vacuum', 'clean', 'retain t'].map(
    (action) => `lake ${action}`,
  ),
  'kafka up',
  'sql SELECT',
  'rules',
  'rules apply',
  ...['devices', 'silver', 'gold'].map((layer) => `rebuild ${layer}`),
  ...['daily_energy', 'daily_cost', 'health_score'].map(
    (figure) => `why ${figure} --device a --day 2026-01-15`,
  ),
  'correct --device a --from 2026-01-15T10:00:00Z --exclude --reason x',
  'bill --user a --month 2026-01',
]

/** What is no value of an option, by what the help calls it. Where it is not here, a text is a text. */
const NO_VALUE: Readonly<Record<string, string>> = {
  PORT: 'http',
  N: 'many',
  'N|all': 'many',
  DURATION: 'long',
  TIME: 'when',
  DATE: '2026-02-30',
  'YYYY-MM': '2026-13',
  'YYYY-MM-DD': '2026-02-30',
  'HH:MM': '25:61',
  ZONE: 'Mars/Olympus',
  'N/TIME': 'often',
  'FIELD=VALUE': 'nonsense',
  'FIELD=COLUMN': 'nonsense',
  PATH: 'device',
  FILE: join(absent, 'no', 'file'),
  'FILE|-': join(absent, 'no', 'file'),
  PROTOCOL: 'smoke',
  'none|harmless|default|LIST': 'gremlins',
  'TIME|TABLE=VERSION|TABLE=TIME': 'when',
  ...Object.fromEntries(['ID', 'NAME', 'TYPE', 'COLUMN', 'FIELD', 'LIST'].map((text) => [text, ' '])),
}

test('every option of every command and action refuses a value of another kind, and nothing is begun', async () => {
  let tried = 0
  for (const [at, line] of RIGHT.entries()) {
    const [name = '', ...rest] = line.split(' ')
    const command = await COMMANDS[name]!()
    for (const [option, { value = '' }] of Object.entries(command.options)) {
      const wrong = NO_VALUE[value] ?? (/^[a-z]+(\|[a-z]+)+$/.test(value) ? 'zzz' : undefined)
      if (wrong === undefined || option === 'config') continue
      const given = rest.indexOf(`--${option}`)
      const words = rest.filter((_, n) => given < 0 || (n !== given && n !== given + 1))
      const data = join(dir, `wrong-${at}`)
      const { exit, message } = await refusalOf(command, [...words, `--${option}`, wrong, '--data', data])
      assert.equal(exit, 2, `${line} --${option} ${wrong}: ${message}`)
      assert.equal(existsSync(data), false, `${line} --${option} made a folder`)
      tried += 1
    }
  }
  assert.ok(tried > 140, String(tried))
})

test('every action that is written wrong is refused with the nearest, and so is a word too many', async () => {
  for (const line of RIGHT) {
    const [name = '', action = '', ...rest] = line.split(' ')
    const command = await COMMANDS[name]!()
    const known = command.positional?.split(/[^a-z_|]/)[0]?.split('|') ?? []
    if (action === '' || !known.includes(action)) continue
    const wrong = `${action.slice(0, -2)}${action.at(-1)}${action.at(-2)}`
    const told = await refusalOf(command, [wrong, ...rest, '--data', absent])
    assert.equal(told.exit, 2, `${name} ${wrong}`)
    assert.ok(told.cure.includes(action), `${name} ${wrong}: ${told.cure}`)
    const takesTables = command.positional!.includes('…')
    if (takesTables || action === 'tail' || action === 'replay') continue
    const more = await refusalOf(command, [action, ...rest, 'one', 'too', 'many', '--data', absent])
    assert.equal(more.exit, 2, `${line} one too many: ${more.message}`)
  }
})

/** What begins a data folder where there is none, and is refused before that. */
const BEGINS = ['up', 'serve', 'broker', 'listen', 'poll', 'bronze', 'silver', 'gold', 'stages', 'simulate']
const CSV = 'timestamp,device_id,power_usage\n2026-01-15T10:00:00Z,a,1\n'

/** Configurations whose own words are right, and each of which names a file that cannot be taken. */
const NAMING = {
  'a catalogue that is absent': 'catalogue: absent.csv',
  'a catalogue that is none': `catalogue: ${file('no-catalogue.csv', 'device;room\na;cellar\n')}`,
  'billing data that are absent': 'billing: absent.csv',
  'billing data that are none': `billing: ${file('no-billing.csv', 'user,price\nada,1\n')}`,
  "a broker's certificate that is absent":
    'sources: { brokers: [{ url: "mqtts://127.0.0.1:1", ca_file: absent.pem }] }',
  'a password that is absent':
    'stream: { type: kafka, brokers: ["127.0.0.1:1"], sasl: { mechanism: plain, username: a, password_file: absent } }',
}

test('a house is not begun where a file that the configuration names cannot be taken', async () => {
  const data = join(dir, 'not-begun')
  const csv = file('right.csv', CSV)
  for (const [what, config] of Object.entries(NAMING))
    for (const name of [...BEGINS, 'import']) {
      const listening = name === 'poll' ? '\n' : ''
      const path = file('naming.yaml', config + listening)
      const words = [...(name === 'import' ? [csv] : []), '--config', path, '--data', data]
      const { exit, message } = await refusalOf(await COMMANDS[name]!(), words)
      assert.equal(exit, 2, `${name}, ${what}: ${message}`)
      assert.equal(existsSync(data), false, `${name}, ${what}: ${message}`)
    }
})

test("an import begins nothing where one of its files is none, and says first that the folder is another's", async () => {
  const { IMPORT } = await import('../../src/commands/import.ts')
  const data = join(dir, 'import-not-begun')
  const right = file('right.csv', CSV)
  const letter = file('letter.csv', 'Dear Ada,\nall is well.\n')
  mkdirSync(join(dir, 'empty'))
  for (const [words, exits] of [
    [[right, letter], 1],
    [[right, absent], 2],
    [[join(dir, 'empty')], 2],
    [[right, '--tz', 'Mars/Olympus'], 2],
    [[right, '--map', 'power_usage=nowhere'], 1],
  ] as const) {
    const { exit, message } = await refusalOf(IMPORT, [...words, '--data', data])
    assert.deepEqual([exit, existsSync(data)], [exits, false], `${words.join(' ')}: ${message}`)
  }
  mkdirSync(data)
  writeFileSync(join(data, 'letter.txt'), '')
  const { message } = await refusalOf(IMPORT, [letter, '--data', data])
  assert.match(message, /is not a data folder of this platform/)
})

/** A command line, its exit code, and what it must say. */
const TABLE: readonly (readonly [words: string, exit: number, says: RegExp])[] = [
  [`bronze --once --data ${inTheWay}`, 1, /Cannot use .*in-the-way.*--data DIR/],
  [`status --data ${absent}`, 1, /There is no data in .*absent.*smarthouse up/],
  [`sql SELECT --data ${absent}`, 1, /There is no data/],
  [`verify --data ${absent}`, 1, /There is no data/],
  [`upgrade --data ${absent}`, 1, /There is no data/],
  [`rebuild silver --data ${absent}`, 1, /There is no data/],
  [`rebuild bronze --data ${absent}`, 2, /devices, silver and gold/],
  [`rebuild gold --zone Mars/Olympus --data ${absent}`, 2, /IANA/],
  [`logs --data ${absent}`, 1, /There is no log/],
  [`logs --level loud --data ${absent}`, 2, /error, warn, info, debug/],
  [`logs --lines many --data ${absent}`, 2, /whole number/],
  [`doctor --port 70000 --data ${absent}`, 2, /0 to 65535/],
  [`serve --port http --data ${absent}-serve`, 2, /whole number/],
  [`simulate --devices 0 --data ${absent}-simulate`, 2, /whole number from 1/],
  [`simulate --rate often --data ${absent}-simulate`, 2, /rate/i],
  [`simulate --for long --data ${absent}-simulate`, 2, /duration/],
  [`simulate --faults gremlins --data ${absent}-simulate`, 2, /gremlins/],
  [`import ${absent}.csv --data ${absent}-import`, 2, /absent\.csv/],
  [`import --data ${absent}-import`, 2, /file/i],
  [`bill --user ada --month 2026-13 --data ${absent}`, 2, /month/i],
  [`lake statsu --data ${absent}`, 2, /status/],
  [`stream tale --data ${absent}`, 2, /tail/],
  [`devices renmae --data ${absent}`, 2, /rename|name/],
]

for (const [line, exit, says] of TABLE)
  test(`smarthouse ${line.replaceAll(dir, '…')}`, async () => {
    const [name, ...words] = line.split(' ')
    const told = await refusalOf(await COMMANDS[name!]!(), words)
    assert.match(`${told.message} ${told.cure}`, says)
    assert.equal(told.exit, exit, told.message)
    assert.deepEqual(
      readdirSync(dir).filter((made) => made.startsWith('absent')),
      [],
      'nothing was begun',
    )
  })
