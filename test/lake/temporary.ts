import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import {
  openDuckDb,
  openLake,
  type Engine,
  type Lake,
  type Session,
  type TableDefinition,
} from '../../src/lake/index.ts'

export interface World {
  root: string
  engine: Engine
  lake: Lake
  session: Session
  /** Appends rows given as a select; returns the new version. */
  append(select: string): Promise<number>
  /** The `n` of all rows of the newest snapshot, ascending, as this or another opened lake sees them. */
  numbers(lake?: Lake): Promise<number[]>
}

export const NUMBERS: TableDefinition = {
  name: 'bronze.numbers',
  description: 'Numbers by day.',
  columns: [
    { name: 'n', type: 'long', required: true, description: 'The number.' },
    { name: 'label', type: 'string', description: 'A text.' },
    { name: 'day', type: 'date', description: 'Partition.' },
  ],
  partitionBy: ['day'],
  sortBy: ['n'],
  key: ['n'],
}

/** Of the mixed concurrency test: an appender's numbers begin at a multiple of the span. */
export const APPENDER_SPAN = 1_000_000
export const BATCH_ROWS = 5
/** No reader and no writer of it takes so long between two looks at the table. */
export const GRACE_MS = 6000

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lake-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A lake in a temporary folder, with the table of numbers. */
export async function world(t: TestContext, properties: Record<string, string> = {}): Promise<World> {
  const root = await temporaryFolder(t)
  const engine = await openDuckDb({ threads: 1, memoryLimitMb: 256 })
  const lake = await openLake({ root, engine })
  await lake.define({ ...NUMBERS, properties })
  const session = await engine.session()
  t.after(async () => {
    await lake.close()
    await engine.close()
  })
  return {
    root,
    engine,
    lake,
    session,
    async append(select) {
      const add = await lake.write(session, NUMBERS.name, select)
      return (await lake.commit(NUMBERS.name, { operation: 'WRITE', add })).version
    },
    async numbers(from = lake) {
      const { files } = await from.snapshot(NUMBERS.name)
      const rows = await session.rows<{ n: number }>(
        `SELECT n FROM ${from.scan(NUMBERS.name, files)} ORDER BY n`,
      )
      return rows.map((row) => row.n)
    },
  }
}

/** A select of the numbers from `first` on, all of one day. */
export function numbersFrom(first: number, count: number, day = '2026-11-23'): string {
  return `SELECT ${first} + i AS n, 'x' AS label, DATE '${day}' AS day FROM range(${count}) r(i)`
}

export function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}
