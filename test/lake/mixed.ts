/**
 * One process of the mixed concurrency test: `node mixed.ts ROLE ROOT ID`. Whatever the roles do, at every version the table
 * holds of each appender the numbers from its first one on, none missing and none twice. Prints again and again how often it
 * did something, until its standard input ends; an appender also the last number that was reported committed.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { compactTable, LakeError, openDuckDb, openLake } from '../../src/lake/index.ts'
import { APPENDER_SPAN, BATCH_ROWS, GRACE_MS, NUMBERS, numbersFrom } from './temporary.ts'

const [role = '', root = '', id = ''] = process.argv.slice(2)
const engine = await openDuckDb({ threads: 1, memoryLimitMb: 128 })
const lake = await openLake({ root, engine })
const session = await engine.session()
let isEnough = false
process.stdin.resume().once('end', () => (isEnough = true))
const DAY_MS = 86_400_000
let done = 0

const roles: Record<string, () => Promise<void>> = {
  async appender() {
    const app = `appender-${id}`
    const batch = ((await lake.snapshot(NUMBERS.name)).txns.get(app) ?? -1) + 1
    const first = Number(id) * APPENDER_SPAN + batch * BATCH_ROWS
    const add = await lake.write(
      session,
      NUMBERS.name,
      numbersFrom(first, BATCH_ROWS, `2026-11-2${batch % 2}`),
    )
    await lake.commit(NUMBERS.name, { operation: 'WRITE', add, txns: { [app]: batch } })
    done += 1
    process.stdout.write(`last ${first + BATCH_ROWS - 1}\n`)
    await sleep(150)
  },
  async merger() {
    done += (await compactTable({ lake, engine, table: NUMBERS.name })).merged > 0 ? 1 : 0
    await sleep(200)
  },
  async overwriter() {
    const { files } = await lake.snapshot(NUMBERS.name)
    const remove = files.filter((_, index) => (index + done) % 3 === 0)
    const select = `SELECT n, label || '+' AS label, day FROM ${lake.scan(NUMBERS.name, remove)}`
    const add = await lake.write(session, NUMBERS.name, select)
    try {
      await lake.commit(NUMBERS.name, { operation: 'MERGE', add, remove })
      done += 1
    } catch (error) {
      if (!(error instanceof LakeError) || error.code !== 'lake_conflict') throw error
    }
    await sleep(250)
  },
  /** Its clock is ahead, so that what is older than GRACE_MS counts as older than the hour that is always kept. */
  async vacuum() {
    const nowMs = Date.now() + 3_600_000 - GRACE_MS
    done += (await lake.vacuum(NUMBERS.name, { olderThanMs: 0, nowMs })).length
    done += (await lake.cleanUpLog(NUMBERS.name, { nowMs: Date.now() + 30 * DAY_MS - GRACE_MS })).length
    await sleep(400)
  },
  async reader() {
    const { files, version } = await lake.snapshot(NUMBERS.name)
    const seen = await session.rows<{
      appender: number
      rows: number
      numbers: number
      span: number
      last: number
    }>(
      `SELECT n // ${APPENDER_SPAN} AS appender, count(*) AS rows, count(DISTINCT n) AS numbers,
        max(n) % ${APPENDER_SPAN} + 1 AS span, max(n) AS last
       FROM ${lake.scan(NUMBERS.name, files)} GROUP BY appender`,
    )
    for (const { appender, rows, numbers, span, last } of seen) {
      if (rows !== numbers) throw new Error(`version ${version}: a row of appender ${appender} twice`)
      if (rows !== span) throw new Error(`version ${version}: a row of appender ${appender} missing`)
      if (last < (newest.get(appender) ?? 0)) throw new Error(`version ${version} goes back`)
      newest.set(appender, last)
    }
    done += 1
    await sleep(250)
  },
}
const newest = new Map<number, number>()

while (!isEnough) {
  await roles[role]!()
  process.stdout.write(`done ${done}\n`)
}
await lake.close()
await engine.close()
