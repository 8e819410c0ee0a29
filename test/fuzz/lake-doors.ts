/** The doors into the lake: the logs of its tables, which others may have written, and a person's queries. */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLake, openQuerySession, type Engine, type Lake, type Session } from '../../src/lake/index.ts'
import type { Random } from '../chaos/random.ts'
import { orRefused, texts, type Door, type Verdict } from './door.ts'
import { spoilEntry } from './mutate-json.ts'

const TABLE = 'bronze.rooms'
const DAY_MS = 86_400_000
/** Lies beside the lake; nobody may see it. */
const PARTITION = 'day=2026-01-01'
const SECRET = 'what lies beside the lake'

/** A table of four versions and a checkpoint; beside the lake, a data file of the same columns. */
export async function makeTable(dir: string, engine: Engine): Promise<void> {
  const lake = await openLake({ root: join(dir, 'pattern'), engine })
  const session = await engine.session()
  await lake.define({
    name: TABLE,
    description: 'Rooms.',
    partitionBy: ['day'],
    sortBy: ['room'],
    key: ['room'],
    properties: { 'delta.checkpointInterval': '2' },
    columns: [
      { name: 'room', type: 'string', description: 'Room.' },
      { name: 'cost', type: 'decimal(18,9)', description: 'Cost.' },
      { name: 'day', type: 'date', description: 'Day.' },
    ],
  })
  for (let n = 1; n <= 3; n++) {
    const add = await lake.write(session, TABLE, rowOf(n))
    await lake.commit(TABLE, { operation: 'WRITE', add, txns: { a: n } })
  }
  mkdirSync(join(dir, 'beside', PARTITION), { recursive: true })
  await session.run(
    `COPY (SELECT '${SECRET}' AS room, CAST(1 AS DECIMAL(18,9)) AS cost)
     TO '${join(dir, 'beside', PARTITION, 'secret.parquet').replaceAll('\\', '/')}' (FORMAT parquet)`,
  )
  writeFileSync(join(dir, 'beside', 'secret.csv'), `a,b\n${SECRET},1\n`)
  await session.close()
  await lake.close()
}

const rowOf = (n: number): string => `SELECT 'r${n}' AS room, 1.5 AS cost, DATE '2026-01-0${n}' AS day`

/** Another program, or a disk, has written into the log. */
export function deltaLog(dir: string, engine: Engine): Door {
  const pattern = join(dir, 'pattern')
  const log = join(pattern, 'bronze', 'rooms', '_delta_log')
  const names = readdirSync(log).toSorted()
  let copies = 0
  return {
    name: 'delta log',
    // Each of them is a table that is opened, read, written and looked after.
    share: 0.25,
    seeds: names.map((name) => readFileSync(join(log, name))),
    spoil: spoilEntry,
    async take(input, random) {
      // Another folder each time: what the engine remembers of a file is of that file.
      const root = join(dir, `copy-${copies++}`)
      cpSync(pattern, root, { recursive: true })
      // Most of them behind the newest: what a checkpoint covers is not read.
      const entry = random() < 0.6 ? '00000000000000000004.json' : random.pick(names)
      writeFileSync(join(root, 'bronze', 'rooms', '_delta_log', entry), input)
      try {
        const verdict = await used(root, engine)
        await lookedAfter(root, engine)
        assert.ok(
          existsSync(join(dir, 'beside', PARTITION, 'secret.parquet')),
          'nothing beside the lake goes',
        )
        return verdict
      } finally {
        rmSync(root, { recursive: true, force: true, maxRetries: 5 })
      }
    },
    close: async () => undefined,
  }
}

/** Reads, looks, writes; what became of reading. */
async function used(root: string, engine: Engine): Promise<Verdict> {
  const lake = await openLake({ root, engine })
  const session = await engine.session()
  try {
    const verdict = await orRefused(() => read(lake, session))
    await orRefused(() => lake.check(TABLE))
    await orRefused(() => lake.history(TABLE))
    await lake.status()
    await orRefused(async () => {
      const add = await lake.write(session, TABLE, rowOf(4))
      await lake.commit(TABLE, { operation: 'WRITE', add })
      await read(lake, session)
    })
    return verdict
  } finally {
    await session.close()
    await lake.close()
  }
}

/** Forty days later, what has expired is deleted. */
async function lookedAfter(root: string, engine: Engine): Promise<void> {
  const lake = await openLake({ root, engine })
  const nowMs = Date.now() + 40 * DAY_MS
  try {
    await orRefused(() => lake.vacuum(TABLE, { nowMs }))
    await orRefused(() => lake.cleanUpLog(TABLE, { nowMs }))
  } finally {
    await lake.close()
  }
}

async function read(lake: Lake, session: Session): Promise<void> {
  const { files, columns } = await lake.snapshot(TABLE)
  for (const { stats } of files) assert.ok(stats.rows >= -1)
  assert.ok(columns.length > 0)
  // A data file that is not there, or is another one, is the engine's to name.
  const rows = await session.rows(`SELECT * FROM ${lake.scan(TABLE, files)}`).catch((error: Error) => {
    assert.ok(error.message.length > 0)
    return []
  })
  assert.ok(!JSON.stringify(rows, asText).includes(SECRET), 'what lies beside the lake was read')
}

const asText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

const PIECES = [
  'SELECT|*|FROM|WHERE|GROUP BY ALL|ORDER BY 1|LIMIT 3|UNION ALL|(|)|,|;|AS x|RECURSIVE|LATERAL|PIVOT|VALUES|CALL',
  "DESCRIBE|SUMMARIZE|EXPLAIN ANALYZE|--|/*|room|cost|day|'2026-01-02'|NULL|1e999|-1|'|$1|?|count(*)|sum(cost)",
  `${TABLE}|strptime('x','%Y')|unnest([1,2])|CAST(room AS INT)|information_schema.tables|duckdb_settings()`,
  "duckdb_secrets()|pg_catalog.pg_class|pragma_version()|query_table|query('SELECT 1')|parquet_metadata|sniff_csv",
].flatMap((line) => line.split('|'))

const VALUES = [
  'room',
  'cost',
  'day',
  'NULL',
  "'r1'",
  '-1',
  'cost / 0',
  'count(*) OVER ()',
  'sum(cost) OVER (ORDER BY day)',
]
const SOURCES = [
  TABLE,
  `(FROM ${TABLE} LIMIT 2)`,
  `${TABLE} NATURAL JOIN (SELECT max(day) AS day FROM ${TABLE})`,
]
const CONDITIONS = [
  "day BETWEEN '2026-01-01' AND '2026-01-02'",
  "room IN ('r1', 'r3')",
  'cost > 1e30',
  "NOT (room LIKE 'r%')",
  'day IS NULL',
  `EXISTS (FROM ${TABLE} x WHERE x.room > room)`,
]

/** One that mostly makes sense: what breaks off at the first word comes to no table. */
function statement(random: Random): string {
  const values = Array.from({ length: 1 + Math.floor(random() * 3) }, () => random.pick(VALUES))
  const conditions = Array.from({ length: Math.floor(random() * 3) }, () => random.pick(CONDITIONS))
  const where = conditions.length > 0 ? `WHERE ${conditions.join(random() < 0.5 ? ' AND ' : ' OR ')}` : ''
  const rest = random.pick(['', 'GROUP BY ALL', 'ORDER BY 1 DESC LIMIT 2'])
  return `SELECT ${values.join(', ')} FROM ${random.pick(SOURCES)} ${where} ${rest}`
}

export async function sql(dir: string, engine: Engine): Promise<Door> {
  const lake = await openLake({ root: join(dir, 'pattern'), engine })
  const session = await openQuerySession(lake, engine)
  const filesIn = (): string[] => readdirSync(dir, { recursive: true, encoding: 'utf8' }).toSorted()
  const before = filesIn()
  const secret = join(dir, 'beside', 'secret.csv').replaceAll('\\', '/')
  process.env['SMARTHOUSE_FUZZ_SECRET'] = SECRET
  const functions = [
    'read_csv',
    'read_text',
    'read_blob',
    'read_parquet',
    'read_json',
    'glob',
    'sniff_csv',
    'read_csv_auto',
  ]
  return {
    name: 'sql',
    seeds: texts(
      `SELECT room, sum(cost) FROM ${TABLE} WHERE day = '2026-01-02' GROUP BY room`,
      `COPY (SELECT 1) TO '${join(dir, 'written.csv').replaceAll('\\', '/')}'`,
      ...functions.map((name) => `SELECT * FROM ${name}('${secret}')`),
      `SELECT * FROM '${secret}'`,
      `SELECT * FROM query('SELECT * FROM read_text(''${secret}'')')`,
      `SELECT (SELECT content FROM read_text('${secret}')) FROM ${TABLE}`,
      `ATTACH '/tmp/x.db'; INSTALL httpfs; LOAD httpfs`,
      `EXPLAIN ANALYZE SELECT * FROM ${TABLE} t JOIN ${TABLE} u USING (room)`,
      `SET enable_external_access = true; PRAGMA database_list`,
      `WITH a AS (SELECT 1) SELECT getenv('SMARTHOUSE_FUZZ_SECRET'), * FROM a`,
      `SELECT getvariable('x'), current_setting('home_directory') FROM ${TABLE}`,
    ),
    spoil: (seeds, random) => {
      const written = random() < 0.7 ? statement(random) : random.pick(seeds).toString()
      if (random() < 0.5) return Buffer.from(written)
      const words = written.split(' ')
      for (let left = 1 + Math.floor(random() * 2); left > 0; left--)
        words.splice(Math.floor(random() * (words.length + 1)), Math.floor(random() * 2), random.pick(PIECES))
      return Buffer.from(words.join(' '))
    },
    async take(input) {
      const query = input.toString('utf8').slice(0, 20_000)
      const verdict = await orRefused(async () => {
        const rows = await session.rows(query)
        // The query itself may have the words in it, and give them back.
        if (!query.includes(SECRET))
          assert.ok(!JSON.stringify(rows, asText).includes(SECRET), 'what lies beside the lake was read')
      })
      await orRefused(() => session.reads(query))
      return verdict
    },
    async check() {
      assert.deepEqual(filesIn(), before, 'a query wrote a file')
      const [row] = await session.rows(`SELECT count(*) AS n FROM ${TABLE}`)
      assert.deepEqual(row, { n: 3 })
      await assert.rejects(session.rows(`SELECT * FROM read_text('${secret}')`), { code: 'sql_refused' })
    },
    async close() {
      await session.close()
      await lake.close()
    },
  }
}
