import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { loadConfig } from '../../src/config-file.ts'
import { changeOf, isLive } from '../../src/config-reload.ts'
import { configKeys } from '../../src/config.ts'
import type { PartStatus } from '../../src/run/instance.ts'
import { dataFolder, sql, start } from '../house/run-cli.ts'

const config = (env: Record<string, string>) => loadConfig({ file: 'absent.yaml', named: false, env }).config

test('a change names its keys, the parts that read them, and what counts from the next start on', () => {
  const before = config({})
  assert.deepEqual(changeOf(before, config({})), { keys: [], later: [], parts: new Set() })
  const after = config({
    SMARTHOUSE_ALERTS_HIGH_POWER_W: '100',
    SMARTHOUSE_PRICE_ENERGY_RATE_KWH: '0.3',
    SMARTHOUSE_SERVER_PORT: '8600',
  })
  assert.deepEqual(changeOf(before, after), {
    keys: ['server.port', 'alerts.high_power_w', 'price.energy_rate_kwh'],
    later: ['server.port'],
    parts: new Set(['serve', 'stages']),
  })
  // Whatever decides where the data goes never changes under a platform that runs.
  const fixed = configKeys().filter(({ path }) =>
    ['stream', 'server', 'time_zone', 'currency'].includes(path[0]!),
  )
  assert.ok(fixed.length > 10)
  for (const { path } of fixed) assert.equal(isLive(path.join('.')), false, path.join('.'))
})

test('a platform that runs takes over what it can, says what it cannot, and what is wrong', async (t) => {
  const data = dataFolder(t)
  const file = `${data}.yaml`
  const given = { server: { port: 0 }, simulator: { enabled: false }, time_zone: 'UTC' }
  const write = (more: object): void => writeFileSync(file, JSON.stringify({ ...given, ...more }))
  write({})
  const house = start(['up', '--no-open', '--data', data, '--config', file])
  t.after(() => house.child.kill('SIGKILL'))
  const until = async <T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> => {
    for (;;) {
      const found = await look()
      if (found !== undefined) return found
      assert.equal(house.child.exitCode, null, house.output())
      await sleep(100)
    }
  }
  const said = (text: string) => until(() => (house.output().includes(text) ? true : undefined))
  const url = await until(() => /Dashboard: (http:\S+)/.exec(house.output())?.[1])
  const parts = () =>
    (JSON.parse(readFileSync(join(data, 'run', 'status.json'), 'utf8')) as { parts: PartStatus[] }).parts
  const rates = () => sql(data, 'SELECT CAST(energy_rate_kwh AS VARCHAR) AS rate FROM reference.tariffs')
  await until(async () => (JSON.stringify(await rates()).includes('0.120000000') ? true : undefined))

  const price = {
    price: { energy_rate_kwh: 0.3 },
    dashboard: { live_readings: 7 },
    sources: { mqtt: { enabled: true, port: 0 } },
  }
  write(price)
  await said(
    'The configuration changed: dashboard.live_readings, sources.mqtt.enabled, sources.mqtt.port, price.energy_rate_kwh',
  )
  await said('MQTT broker: 127.0.0.1:')
  await until(async () => (JSON.stringify(await rates()).includes('0.300000000') ? true : undefined))
  // The server is back where it was.
  await until(async () => ((await fetch(`${url}/api/v1/health`).catch(() => null))?.ok ? true : undefined))

  write({ ...price, price: { energy_rate_kwh: 'dear' } })
  await said('The changed configuration is not taken: ')
  write({ ...price, stream: { retention: '2h' } })
  await said('not taken yet: stream.retention counts from the next start on')
  // With this change a broker alone would speak to Kafka: it comes back with what all the others have.
  write({ ...price, stream: { type: 'kafka', brokers: ['127.0.0.1:1'] } })
  await said('not taken yet: stream.type, stream.brokers count from the next start on')
  const broker = await until(() => parts().find(({ name, pid }) => name === 'broker' && pid !== null))
  process.kill(broker.pid!, 'SIGKILL')
  const restarted = await until(() =>
    parts().find(({ name, pid }) => name === 'broker' && pid !== null && pid !== broker.pid),
  )
  await until(() =>
    parts().some(({ pid, doing }) => pid === restarted.pid && /^\d+ clients/.test(doing)) ? true : undefined,
  )
  write({ price: price.price })
  await said('The configuration changed: dashboard.live_readings, sources.mqtt.enabled')
  await until(async () => (parts().some(({ name }) => name === 'broker') ? undefined : true))
  house.child.kill('SIGINT')
  assert.equal(await house.ended, 0, house.output())
  assert.deepEqual(house.output().match(/ended \(/g)?.length, 1, 'no other part ended by itself')
})
