/** The doors that lead elsewhere: configuration, CSVs of the house, the API's parameters. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROUTES } from '../../src/6-serve/contract.ts'
import { loadConfig } from '../../src/config-file.ts'
import { openDuckDb } from '../../src/lake/index.ts'
import { parseCatalogueCsv } from '../../src/reference/catalogue.ts'
import { parseBillingCsv } from '../../src/reference/tariffs.ts'
import { emptyHouse } from '../6-serve/house.ts'
import { ROOT } from '../chaos/platform.ts'
import { orRefused, TAKEN, texts, type Door } from './door.ts'
import { deltaLog, makeTable, sql } from './lake-doors.ts'

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
      return await orRefused(() => loadConfig({ file, named: true, env: {} }))
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
      const verdicts = [
        await orRefused(() => parseCatalogueCsv(text, 'device_catalog.csv')),
        await orRefused(() => parseBillingCsv(text, 'billing_data.csv')),
      ]
      return verdicts.join(', ')
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
      if (answer.statusCode < 400) return TAKEN
      assert.match(answer.body, /"(code|message)"/)
      return `refused: ${answer.statusCode}`
    },
    close: () => house.close(),
  }
}

export async function otherDoors(): Promise<{ doors: Door[]; close(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'smarthouse-fuzz-'))
  const engine = await openDuckDb({ threads: 1, memoryLimitMb: 512 })
  const lakeDir = join(dir, 'lake-doors')
  await makeTable(lakeDir, engine)
  return {
    doors: [
      configuration(dir),
      houseFiles(),
      await api(),
      deltaLog(lakeDir, engine),
      await sql(lakeDir, engine),
    ],
    async close() {
      await engine.close()
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
