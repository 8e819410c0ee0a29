/**
 * What the dashboard asks, over a year at one reading a minute: of ten devices, with `--large` of a hundred (52.6 million readings). The year is made
 * once and kept in `bench/cache`. Each question is asked of a server of its own process: cold (its first question), with days that nobody
 * has asked for (nothing is remembered), again (remembered while the files are the same), and by twenty people. The limit is a question
 * that needs no figure.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { rebuildGold } from '../src/5-gold/rebuild.ts'
import { rebuildSilver } from '../src/4-silver/rebuild.ts'
import { openLake } from '../src/lake/index.ts'
import { openBenchEngine } from './engine.ts'
import { benchApp } from './app.ts'
import { CACHE, END_US, makeHistory, taken } from './history.ts'
import { percentile, printRows, type Row } from './rows.ts'

const MINUTES = 365 * 1440
const DAY_MS = 86_400_000
const USERS = 20
const ASKED_BY_EACH = 5
const DEVICES = process.argv.includes('--large') ? 100 : 10
/** Noon of the last day but one: the open day is half over. */
const NOW_MS = END_US / 1000 - 1.5 * DAY_MS
const here = fileURLToPath(import.meta.url)
/** That of a hundred devices is the one that Silver's and Gold's rebuilds leave, too. */
const cache = join(CACHE, DEVICES === 100 ? 'rebuild-of-50-million' : `year-${DEVICES}`)
const done = join(cache, 'gold-done')

async function makeYear(): Promise<void> {
  if (existsSync(done)) return
  rmSync(cache, { recursive: true, force: true })
  mkdirSync(cache, { recursive: true })
  const readings = DEVICES * MINUTES
  const data = `${readings.toLocaleString('en')} readings`
  const history = await makeHistory({ devices: DEVICES, everyS: 60, readings }, cache)
  const quiet = { lake: history.lake, engine: history.engine, onProgress: () => undefined }
  const silver = await taken(() => rebuildSilver(quiet))
  const gold = await taken(() => rebuildGold(quiet))
  await history.close()
  writeFileSync(done, '')
  printRows([
    { what: 'made once: Silver', figure: silver.seconds, unit: 's', data },
    { what: 'made once: Gold', figure: gold.seconds, unit: 's', data },
  ])
}

/** The server, as a process of its own: `node bench/api.ts --serve`. */
async function serve(): Promise<void> {
  const engine = await openBenchEngine()
  const lake = await openLake({ root: join(cache, 'lake'), engine })
  const app = await benchApp({ lake, engine }, NOW_MS)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const address = app.server.address()
  console.log(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`)
}

async function started(): Promise<{ url: string; child: ChildProcess }> {
  const words = [here, '--serve', ...process.argv.slice(2)]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (line: Buffer) => resolve(line.toString().trim()))
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
  })
  return { url, child }
}

/** From 0 to 364, none twice, in no order that files have. */
const scattered = (n: number): number => (n * 151) % 365
const dayBefore = (days: number): string => new Date(NOW_MS - days * DAY_MS).toISOString().slice(0, 10)
const span = (to: number, days: number): string =>
  `range=custom&from=${dayBefore(to + days - 1)}&to=${dayBefore(to)}`
const history = (n: number, range: string, end: number): string =>
  `devices/history?device=plug-${n % DEVICES}&range=${range}&end=${dayBefore(end)}`
const monthBefore = (n: number): string => dayBefore(30 + (n % 11) * 30).slice(0, 7)

interface Question {
  name: string
  /** The same for everybody; of another n, another one that touches as much. */
  path(n: number): string
  /** How many different ones there are. */
  kinds: number
}

/** As the dashboard asks them: of a home by its name. */
const QUESTIONS: readonly Question[] = [
  { name: 'overview of a day', kinds: 200, path: (n) => `overview?${span(scattered(n) % 350, 1)}` },
  { name: 'overview of 7 days', kinds: 200, path: (n) => `overview?${span(scattered(n) % 350, 7)}` },
  { name: 'overview of 30 days', kinds: 200, path: (n) => `overview?${span(scattered(n) % 300, 30)}` },
  {
    name: 'overview of a year',
    kinds: 100,
    path: (n) => `overview?${span(n % 20, 340 - Math.floor(n / 20))}`,
  },
  {
    name: 'bill of a month',
    kinds: 70,
    path: (n) => `bill?user=user-${n % 7}&month=${monthBefore(Math.floor(n / 7))}`,
  },
  { name: 'devices', kinds: 1, path: () => 'devices?' },
  { name: 'a device', kinds: 1, path: () => 'devices/one?device=plug-3' },
  { name: 'a device over a day', kinds: 200, path: (n) => history(n, '1d', scattered(n) % 350) },
  { name: 'a device over 7 days', kinds: 200, path: (n) => history(n, '7d', scattered(n) % 350) },
  { name: 'a device over 30 days', kinds: 200, path: (n) => history(n, '30d', scattered(n) % 300) },
  { name: 'a device over a year', kinds: 200, path: (n) => history(n, '365d', n % 20) },
  { name: 'messages of a device', kinds: DEVICES, path: (n) => `devices/messages?device=plug-${n}&limit=50` },
  { name: 'last readings', kinds: 1, path: () => 'readings/recent?' },
  { name: 'data status', kinds: 1, path: () => 'data-status' },
  { name: 'homes', kinds: 1, path: () => 'homes' },
]

async function askMs(url: string, path: string): Promise<number> {
  const beganMs = performance.now()
  const answer = await fetch(`${url}/api/v1/${path}${path.includes('?') ? '&tenant=home' : ''}`)
  const body = await answer.text()
  if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}: ${body.slice(0, 200)}`)
  return performance.now() - beganMs
}

async function measured(question: Question): Promise<void> {
  const { url, child } = await started()
  const ask = (n: number): Promise<number> => askMs(url, question.path(n))
  const data = `a year of ${DEVICES} devices`
  const rows: Row[] = []
  const add = (what: string, figures: number[], of: readonly number[], limit?: Row['limit']): void => {
    for (const share of of)
      rows.push({
        what: `${question.name}, ${what}, p${share * 100}`,
        figure: percentile(figures, share),
        unit: 'ms',
        data,
        ...(limit ? { limit } : {}),
        ...(share === 0.95 ? { budget: { atMost: 50 } } : {}),
      })
  }
  try {
    rows.push({ what: `${question.name}, first of a process`, figure: await ask(0), unit: 'ms', data })
    const bare: number[] = []
    for (let n = 0; n < 200; n++) bare.push(await askMs(url, 'health'))
    const limit = { figure: percentile(bare, 0.5), of: 'a question that needs no figure' }
    if (question.kinds > 1) {
      const fresh: number[] = []
      for (let n = 1; n < question.kinds; n++) fresh.push(await ask(n))
      add('not asked before', fresh, [0.5, 0.95, 0.99], limit)
    }
    const again: number[] = []
    for (let n = 0; n < 200; n++) again.push(await ask(0))
    add('again', again, [0.5, 0.95, 0.99], limit)
    const crowd: number[] = []
    // Each looks at something else once a second, half a minute's refresh packed into one: their questions meet at random.
    const user = async (of: number): Promise<void> => {
      await sleep((of * 1000) / USERS)
      for (let n = 0; n < ASKED_BY_EACH; n++) {
        const [ms] = await Promise.all([ask((of * ASKED_BY_EACH + n) % question.kinds), sleep(1000)])
        crowd.push(ms)
      }
    }
    await Promise.all(Array.from({ length: USERS }, (_, of) => user(of)))
    add(`${USERS} people, a question a second each`, crowd, [0.5, 0.95, 0.99])
    printRows(rows)
  } finally {
    child.kill()
  }
}

if (process.argv.includes('--serve')) await serve()
else {
  await makeYear()
  for (const question of QUESTIONS) await measured(question)
}
