/** See USAGE. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { ROOT } from '../house/run-cli.ts'
import { clockAhead } from './clock.ts'
import { hearCalls } from './fs-calls.ts'
import { ALONE, isTorn, say, type Place } from './interrupted-alone.ts'
import {
  again,
  aheadOf,
  copyFolder,
  openInterruptedHouse,
  requireDone,
  requireWhole,
  SAID,
} from './interrupted-house.ts'
import { recordInterruptions, type Interruption } from './interrupted-record.ts'
import type { State } from './states.ts'

const USAGE = `npm run soak -- interrupted [WORD …] [--from N] [--record]

Every command (with one of the words in it) that changes something, interrupted before each of its calls that change the file system or a
SQLite file. Killed: the folder as it lay before each call; where two calls found the same bytes, once. Stopped (Ctrl-C): the command is told
to stop at each call; where two stops left the same files and as many rows in each SQLite file, one of them is gone on with. After each the folder must be whole, and the command,
said again, done.

  --from N  only at its calls from the N-th on
  --record  adds what was tried to docs/interruptions.json and docs/reliability.md

Exit: 0 nothing found, 1 something was, 2 wrong use.`

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    from: { type: 'string', default: '1' },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(USAGE)
  process.exit(0)
}

const from = Number(values.from)
if (!Number.isInteger(from) || from < 1) {
  console.error(`--from is no whole number from 1 on: "${values.from}"\n\n${USAGE}`)
  process.exit(2)
}

/** A command with the folder that it is said on, and what must hold once it was said again. */
interface Interrupted {
  said: readonly string[]
  base: string
  requireDone(place: Place): Promise<void>
}

const house = await openInterruptedHouse()
const place = house.placeOf(join(house.home, 'data'))
// What the commands say of themselves is not looked at.
const silent = (): boolean => true
const tell = (line: string): void => void process.stdout.write.call(process.stdout, `${line}\n`)

async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { log } = console
  const { write } = process.stderr
  console.log = silent
  process.stderr.write = silent as typeof process.stderr.write
  try {
    return await work()
  } finally {
    console.log = log
    process.stderr.write = write
  }
}

const chosen = (said: readonly string[]): boolean =>
  words.length === 0 || words.some((word) => said.join(' ').includes(word))

async function* commands(): AsyncGenerator<Interrupted> {
  for (const [index, alone] of ALONE.entries()) {
    const base = house.placeOf(join(house.home, `base-${index}`))
    const said = alone.said(base)
    if (!chosen(said)) continue
    await quietly(async () => alone.given(base))
    yield { said, base: base.data, requireDone: (where) => alone.done(where) }
    rmSync(base.data, { recursive: true, force: true })
  }
  const base = house.placeOf(join(house.home, 'base'))
  copyFolder(house.first, base.data)
  for (const [index, said] of SAID.entries()) {
    if (!SAID.slice(index).some(chosen)) break
    if (chosen(said))
      yield {
        said,
        base: base.data,
        requireDone: async (where) => {
          // All that comes after it, too, on what was left.
          for (const later of SAID.slice(index + 1)) await again(where, later)
          // What a kill leaves of a commit goes then.
          await again(where, ['lake', 'vacuum'])
          await requireDone(where)
        },
      }
    await quietly(() => again(base, said))
  }
}

const putBack = (copy: string): void => {
  rmSync(place.data, { recursive: true, force: true })
  if (existsSync(copy)) cpSync(copy, place.data, { recursive: true })
}

/** The folder is whole; the command is said again, and done. */
async function goOn({ said, requireDone: done }: Interrupted): Promise<void> {
  if (existsSync(join(place.data, 'lake')) && !isTorn(said)) await requireWhole(place, said.join(' '))
  await again(place, said)
  await done(place)
}

/** One run of the command, with a copy of its folder before each of its calls. */
async function statesOf({
  said,
  base,
}: Interrupted): Promise<{ calls: number; states: State[]; into: string }> {
  const into = join(house.home, 'states')
  rmSync(into, { recursive: true, force: true })
  mkdirSync(into)
  putBack(base)
  const watching = pathToFileURL(join(import.meta.dirname, 'states.ts')).href
  const command = [join(ROOT, 'src', 'cli.ts'), ...said, '--data', place.data, '--config', place.config]
  const child = spawn(process.execPath, ['--import', watching, ...command], {
    stdio: 'ignore',
    env: {
      ...process.env,
      STATES_OF: place.data,
      STATES_INTO: into,
      AHEAD_DAYS: String(aheadOf(said)),
    },
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${said.join(' ')} ended with ${code}`)
  const told = JSON.parse(readFileSync(join(into, 'calls.json'), 'utf8')) as {
    calls: number
    states: State[]
  }
  return { ...told, into }
}

/** Says the command and tells it to stop at a call. Whether the call came, and what it answered. */
async function stopAt({ said }: Interrupted, at: number): Promise<{ came: boolean; answer: unknown }> {
  const stop = new AbortController()
  let calls = 0
  const setRight = clockAhead(aheadOf(said))
  hearCalls(() => {
    calls += 1
    if (calls === at) stop.abort()
  })
  try {
    const answer = await say(place, said, stop.signal).catch((error: unknown) => error)
    return { came: calls >= at, answer }
  } finally {
    hearCalls()
    setRight()
  }
}

/** What lies in the folder, by name, and in each SQLite file how many rows: what differs by chance is left out. */
function filesIn(folder: string): string {
  if (!existsSync(folder)) return ''
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => {
      const name = file.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '*')
      return file.endsWith('.sqlite') ? `${name} ${rowsIn(join(folder, file))}` : name
    })
    .toSorted()
    .join('\n')
}

function rowsIn(file: string): string {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    const counts = tables.map(({ name }) =>
      database.prepare(`SELECT count(*) AS n FROM "${String(name)}"`).get(),
    )
    return JSON.stringify(counts)
  } finally {
    database.close()
  }
}

async function interrupt(one: Interrupted): Promise<Interruption> {
  const command = one.said.join(' ').replaceAll(house.home, '…')
  const began = new Date()
  const found: string[] = []
  const trying = async (moment: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await quietly(work)
    } catch (error) {
      found.push(`${moment}: ${(error as Error).message}`)
      tell(`FOUND ${command}, ${moment}: ${(error as Error).stack}`)
    }
  }
  const { calls, states: all, into } = await statesOf(one)
  const states = all.filter(({ at }) => at >= from)
  tell(`${command}: ${calls} calls, ${states.length} states`)
  for (const { at, name, copy, isHalf } of states)
    await trying(`killed ${isHalf ? 'within' : 'before'} call ${at} (${name})`, async () => {
      putBack(join(into, copy))
      await goOn(one)
    })
  const left = new Set<string>()
  let stops = 0
  for (let at = from, came = true; came; at += 1)
    await trying(`stopped at call ${at}`, async () => {
      putBack(one.base)
      const outcome = await stopAt(one, at)
      came = outcome.came
      if (!came) return
      stops += 1
      if (outcome.answer !== 0 && outcome.answer !== 130)
        throw new Error(`it answered ${String(outcome.answer)}`)
      const files = filesIn(place.data)
      if (left.has(files)) return
      left.add(files)
      await goOn(one)
    })
  const took_s = Math.round((Date.now() - began.getTime()) / 1000)
  tell(
    `${command}: ${calls} calls killed in ${states.length} states, stopped ${stops} times with ${left.size} outcomes, ${took_s} s: ${found.length} found`,
  )
  return {
    command,
    began: began.toISOString(),
    took_s,
    ...(from > 1 && { from }),
    calls: Math.max(0, calls + 1 - from),
    states: states.length,
    stops,
    outcomes: left.size,
    found,
  }
}

const results: Interruption[] = []
for await (const one of commands()) {
  const result = await interrupt(one)
  results.push(result)
  if (values.record) recordInterruptions(result)
}
house.remove()
if (results.length === 0) {
  console.error(`No command has ${words.join(' or ')} in it.\n\n${USAGE}`)
  process.exit(2)
}
process.exit(results.some(({ found }) => found.length > 0) ? 1 : 0)
