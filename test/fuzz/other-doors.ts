/** The doors that lead elsewhere: configuration, CSVs of the house, queries, the API's parameters, the logs of tables. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROUTES } from '../../src/6-serve/contract.ts'
import { loadConfig } from '../../src/config-file.ts'
import { openDuckDb, openLake, openQuerySession, type Engine } from '../../src/lake/index.ts'
import { parseCatalogueCsv } from '../../src/reference/catalogue.ts'
import { parseBillingCsv } from '../../src/reference/tariffs.ts'
import { emptyHouse } from '../6-serve/house.ts'
import { ROOT } from '../chaos/platform.ts'
import { orRefused, texts, type Door } from './door.ts'

const config = (name: string): Buffer => readFileSync(join(ROOT, 'config', name))

function configuration(dir: string): Door {
  const file = join(dir, 'smarthouse.yaml')
  return {
    name: 'configuration',
    seeds: [
      config('smarthouse.yaml'),
      ...texts(
        'server: { port: 8600 }\nsimulator: { enabled: false }\n',
        'sources:\n  brokers:\n    - url: mqtt://a:1\n',
      ),
    ],
    async take(input) {
      writeFileSync(file, input)
      await orRefused(() => loadConfig({ file, named: true, env: {} }))
    },
    close: async () => undefined,
  }
}

function houseFiles(): Door {
  return {
    name: 'catalogue and billing',
    seeds: [config('device_catalog.csv'), config('billing_data.csv')],
    async take(input) {
      const text = input.toString('utf8')
      await orRefused(() => parseCatalogueCsv(text, 'device_catalog.csv'))
      await orRefused(() => parseBillingCsv(text, 'billing_data.csv'))
    },
    close: async () => undefined,
  }
}

async function api(): Promise<Door> {
  const house = await emptyHouse()
  const app = await house.app()
  const paths = Object.values(ROUTES).map(({ path }) => path)
  return {
    name: 'api',
    seeds: texts(
      'range=7d&tenant=home',
      'range=custom&from=2026-03-01&to=2026-03-05',
      'user=u&month=2026-03',
      'limit=100',
      'minutes=5',
      'figure=daily_cost&device=a&day=2026-03-01',
    ),
    async take(input, random) {
      const query =
        random() < 0.5
          ? input.toString('latin1').replaceAll(/[^\x21-\x7e]/g, '%00')
          : encodeURI(input.toString('utf8').toWellFormed())
      const remoteAddress = `10.0.${Math.floor(random() * 255)}.${Math.floor(random() * 255)}`
      const url = `${random.pick(paths)}?${query.replaceAll('#', '%23').slice(0, 8_000)}`
      const answer = await app.inject({ method: 'GET', url, remoteAddress })
      assert.notEqual(answer.statusCode, 500, `${url.slice(0, 200)}: ${answer.body}`)
      if (answer.statusCode >= 400) assert.match(answer.body, /"(code|message)"/)
    },
    close: () => house.close(),
  }
}

const TABLE = 'bronze.rooms'

/** A table of four versions and a checkpoint. */
async function makeTable(root: string, engine: Engine): Promise<void> {
  const lake = await openLake({ root, engine })
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
    const add = await lake.write(
      session,
      TABLE,
      `SELECT 'r${n}' AS room, 1.5 AS cost, DATE '2026-01-0${n}' AS day`,
    )
    await lake.commit(TABLE, { operation: 'WRITE', add, txns: { a: n } })
  }
  await session.close()
  await lake.close()
}

/** Another program, or a disk, has written into the log. */
function deltaLog(dir: string, engine: Engine): Door {
  const pattern = join(dir, 'pattern')
  const log = join(pattern, 'bronze', 'rooms', '_delta_log')
  const names = readdirSync(log)
  return {
    name: 'delta log',
    seeds: names.map((name) => readFileSync(join(log, name))),
    async take(input, random) {
      const root = join(dir, 'copy')
      rmSync(root, { recursive: true, force: true })
      cpSync(pattern, root, { recursive: true })
      writeFileSync(
        join(root, 'bronze', 'rooms', '_delta_log', random.pick([...names, '00000000000000000004.json'])),
        input,
      )
      const lake = await openLake({ root, engine })
      try {
        await orRefused(async () => {
          const { files, columns } = await lake.snapshot(TABLE)
          for (const { stats } of files) assert.ok(stats.rows >= -1)
          assert.ok(columns.length > 0)
          const session = await engine.session()
          // A data file that is not there, or is another one, is the engine's to name.
          await orRefused(() => session.rows(`SELECT count(*) FROM ${lake.scan(TABLE, files)}`)).finally(() =>
            session.close(),
          )
        })
        await orRefused(() => lake.check(TABLE))
        await orRefused(() => lake.history(TABLE))
        await lake.status()
        await orRefused(() => lake.vacuum(TABLE, { dryRun: true }))
      } finally {
        await lake.close()
      }
    },
    close: async () => undefined,
  }
}

async function sql(dir: string, engine: Engine): Promise<Door> {
  const lake = await openLake({ root: join(dir, 'pattern'), engine })
  const session = await openQuerySession(lake, engine)
  const before = readdirSync(join(dir, 'pattern', 'bronze', 'rooms')).length
  return {
    name: 'sql',
    seeds: texts(
      `SELECT room, sum(cost) FROM ${TABLE} WHERE day = '2026-01-02' GROUP BY room`,
      `COPY (SELECT 1) TO 'x.csv'`,
      `SELECT * FROM read_csv('/etc/passwd')`,
      `ATTACH '/tmp/x.db'; INSTALL httpfs; LOAD httpfs`,
      `EXPLAIN ANALYZE SELECT * FROM ${TABLE} t JOIN ${TABLE} u USING (room)`,
      `SET enable_external_access = true; PRAGMA database_list`,
      `WITH a AS (SELECT 1) SELECT getenv('HOME'), * FROM a`,
    ),
    async take(input) {
      const query = input.toString('utf8').slice(0, 20_000)
      await orRefused(() => session.rows(query))
      await orRefused(() => session.reads(query))
    },
    async check() {
      assert.equal(
        readdirSync(join(dir, 'pattern', 'bronze', 'rooms')).length,
        before,
        'a query wrote a file',
      )
      const [row] = await session.rows(`SELECT count(*) AS n FROM ${TABLE}`)
      assert.deepEqual(row, { n: 3 })
      await assert.rejects(
        session.rows(`SELECT * FROM read_text('/etc/passwd')`),
        'a query reads other files',
      )
    },
    async close() {
      await session.close()
      await lake.close()
    },
  }
}

export async function otherDoors(): Promise<{ doors: Door[]; close(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'smarthouse-fuzz-'))
  const engine = await openDuckDb({ threads: 1, memoryLimitMb: 512 })
  await makeTable(join(dir, 'pattern'), engine)
  return {
    doors: [configuration(dir), houseFiles(), await api(), deltaLog(dir, engine), await sql(dir, engine)],
    async close() {
      await engine.close()
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
