/** See USAGE. A benchmark is a file `bench/NAME.ts` that gives its rows to `printRows`, and a line in BENCHES. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BenchRun, commit, machine, page, readRecord, versions, withCases } from './record.ts'
import { isWithinBudget, ROWS_FILE, type Row } from './rows.ts'

/** In the order in which they run. */
const BENCHES: Record<string, string> = {
  stream: 'The embedded stream: readings made durable, read, trimmed; from one process to another.',
  kafka: 'Into Kafka and from there to Bronze, beside the bare client and the broker’s own tools.',
  bronze: 'From the embedded stream to Bronze, committed.',
  silver: 'Silver rebuilt, and what new and late readings cost after more and more history.',
  gold: 'Gold rebuilt, and what new and late readings cost after more and more history.',
  lake: 'The lake: commits, opening, checkpoints, pruning.',
  import: 'Files taken into the stream.',
  decoders: 'Messages decoded, by protocol.',
  api: 'What the dashboard asks, over a year of devices at one reading a minute.',
  growth: 'How time, memory, files and bytes grow with devices and with history, at one reading a minute.',
  platform: 'The whole platform with ten devices: start, memory, freshness.',
  load: 'The whole platform under 1,000 readings/s with a burst: what was acknowledged, lag, memory, freshness.',
}

/** Those of which single cases can be run. */
const CASED = ['silver', 'gold']

const USAGE = `npm run bench [-- NAME …] [--large] [--case WORDS] [--record] [--json FILE]

  NAME       ${Object.keys(BENCHES).join(', ')}; all of them without a name
  --large    the cases that take minutes, too
  --case     of silver and gold only the cases with these words in their name, as "after 3 years"
  --record   writes what was measured into docs/performance.json and docs/performance.md, in place of what stands there
             of the same benchmarks; with --case of the same cases
  --json     writes the run to that file (default: bench/last-run.json)

Exit: 0 every budget is kept, 1 something falls short or did not finish, 2 wrong use.`

/** A benchmark that hangs is ended, with all that it started. */
const LIMIT_S = { usual: 300, large: 3_600 }

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(here)

interface Wanted {
  names: string[]
  large: boolean
  only?: string
  record: boolean
  json: string
}

function wanted(words: readonly string[]): Wanted {
  const asked: Wanted = { names: [], large: false, record: false, json: join(here, 'last-run.json') }
  const left = [...words]
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (word === '--large') asked.large = true
    else if (word === '--record') asked.record = true
    else if (word === '--case' && left[0] !== undefined) asked.only = left.shift()!
    else if (word === '--json' && left[0] !== undefined) asked.json = left.shift()!
    else if (word in BENCHES) asked.names.push(word)
    else {
      console.error(word === '--help' ? USAGE : `"${word}" is neither a benchmark nor an option.\n\n${USAGE}`)
      process.exit(word === '--help' ? 0 : 2)
    }
  }
  const names = asked.names.length > 0 ? asked.names : Object.keys(BENCHES)
  if (asked.only !== undefined && names.some((name) => !CASED.includes(name))) {
    console.error(`--case goes with ${CASED.join(' and ')} alone.\n\n${USAGE}`)
    process.exit(2)
  }
  return { ...asked, names }
}

async function bench(name: string, { large, only }: Wanted): Promise<BenchRun> {
  const folder = mkdtempSync(join(tmpdir(), 'smarthouse-bench-'))
  const file = join(folder, 'rows.jsonl')
  writeFileSync(file, '')
  const about = {
    measures: BENCHES[name]!,
    began: new Date().toISOString(),
    machine: machine(),
    versions: versions(root),
    commit: commit(root),
  }
  const beganMs = performance.now()
  try {
    const fault = await ended(name, file, large, only)
    const rows = readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Row)
    const took_s = (performance.now() - beganMs) / 1000
    return { ...about, took_s, rows, ...(fault === undefined ? {} : { fault }) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs it to its end; what went wrong, if anything did. */
function ended(
  name: string,
  rowsFile: string,
  large: boolean,
  only: string | undefined,
): Promise<string | undefined> {
  const limitS = large ? LIMIT_S.large : LIMIT_S.usual
  return new Promise((resolve) => {
    // A group of its own, so that what it started ends with it.
    const words = [...(large ? ['--large'] : []), ...(only === undefined ? [] : ['--only', only])]
    const child = spawn(process.execPath, [join(here, `${name}.ts`), ...words], {
      stdio: 'inherit',
      detached: process.platform !== 'win32',
      env: { ...process.env, [ROWS_FILE]: rowsFile },
    })
    const kill = (): void => {
      if (process.platform === 'win32') child.kill()
      else process.kill(-child.pid!, 'SIGKILL')
    }
    const stop = (): never => {
      kill()
      process.exit(130)
    }
    process.once('SIGINT', stop)
    const timer = setTimeout(kill, limitS * 1000)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      process.off('SIGINT', stop)
      if (signal !== null) resolve(`ended after ${limitS} s`)
      else resolve(code === 0 ? undefined : `failed with exit code ${code}`)
    })
  })
}

const asked = wanted(process.argv.slice(2))
const { names, only, record, json } = asked
const runs: Record<string, BenchRun> = {}
for (const name of names) {
  console.log(`\n${name}: ${BENCHES[name]}`)
  runs[name] = await bench(name, asked)
}
writeFileSync(json, `${JSON.stringify(runs, null, 2)}\n`)
if (record) {
  const file = join(root, 'docs', 'performance.json')
  const before = readRecord(file)
  const all = { ...before, ...runs }
  if (only !== undefined)
    for (const [name, run] of Object.entries(runs)) all[name] = withCases(before[name], run)
  const ordered = Object.fromEntries(
    Object.keys(BENCHES).flatMap((name) => (all[name] ? [[name, all[name]]] : [])),
  )
  writeFileSync(file, `${JSON.stringify(ordered, null, 2)}\n`)
  writeFileSync(join(root, 'docs', 'performance.md'), page(ordered))
}

console.log('')
let short = 0
for (const [name, { rows, fault }] of Object.entries(runs)) {
  for (const row of rows.filter((each) => isWithinBudget(each) === false)) {
    console.log(`${name}: "${row.what.trim()}" falls short of its budget`)
    short += 1
  }
  if (fault !== undefined) console.log(`${name}: ${fault}`)
  if (fault !== undefined) short += 1
}
console.log(short === 0 ? `Within all budgets. ${json}` : `${short} fall short. ${json}`)
process.exitCode = short === 0 ? 0 : 1
