import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { RULES } from '../../src/4-silver/rules.ts'
import { createSilverStage } from '../../src/4-silver/refine.ts'
import { SILVER_TABLES } from '../../src/4-silver/tables.ts'
import { loadConfig } from '../../src/config-file.ts'
import { openDuckDb } from '../../src/lake/index.ts'
import type { Engine } from '../../src/lake/types.ts'
import type { CorrectionDraft } from '../../src/reference/corrections.ts'
import { rulesAskedFor } from '../../src/run/rules.ts'
import { assertAccounted, assertEqualsRebuild, openHouse } from './house.ts'

let engine: Engine
before(async () => {
  engine = await openDuckDb({ threads: 1 })
})
after(() => engine.close())

const sql = (name: string): string =>
  readFileSync(new URL(`../../src/4-silver/${name}.sql`, import.meta.url), 'utf8')

test('the models quote the rules of the table, and no other', () => {
  const quoted = (names: readonly string[], pattern: RegExp): string[] =>
    names.flatMap((name) => [...sql(name).matchAll(pattern)].map(([, rule]) => rule!))
  const reasons = [
    ...quoted(['checked', 'readings'], /THEN '([a-z0-9_]+)'/g),
    ...quoted(['resolved'], /THEN '(conflict)'/g),
    ...quoted(['counter_steps'], /(?:THEN|ELSE) '(counter_[a-z]+)'/g),
    ...quoted(['energy'], /THEN '(counter_[a-z]+)'/g),
  ]
  assert.deepEqual([...new Set(reasons)].toSorted(), RULES.map(({ name }) => name).toSorted())
})

test('rules of the configuration are held against the table', () => {
  const { config } = loadConfig({ file: '/nowhere.yaml', named: false, env: {} })
  const withRules = (rules: object[], alerts = config.alerts) =>
    rulesAskedFor({
      ...config,
      alerts,
      rules: rules.map((rule) => ({ device_type: '*', enabled: true, ...rule })) as typeof config.rules,
    })
  assert.deepEqual(withRules([]), [])
  assert.deepEqual(
    withRules([{ rule: 'power_high', enabled: false }], { ...config.alerts, high_power_w: 2000 }),
    [
      { rule: 'high_power', device_type: '*', enabled: true, points: null, limit: 2000 },
      { rule: 'power_high', device_type: '*', enabled: false, points: null, limit: null },
    ],
  )
  for (const [rules, told] of [
    [[{ rule: 'power_hihg' }], /no rule "power_hihg"/],
    [[{ rule: 'not_json', enabled: false }], /cannot be switched off/],
    [[{ rule: 'sentinel', points: 5 }], /takes no points/],
    [[{ rule: 'power_high', limit: 5 }], /has no limit/],
    [[{ rule: 'sentinel' }, { rule: 'sentinel', enabled: false }], /stands twice/],
  ] as const)
    assert.throws(() => withRules([...rules]), { code: 'config_invalid', message: told })
})

const reading = (device: string, minute: number, power_usage: number): Record<string, unknown> => ({
  device_id: device,
  timestamp: `2024-01-15T10:${String(minute).padStart(2, '0')}:00Z`,
  power_usage,
})
const correction = (fields: Partial<CorrectionDraft>): CorrectionDraft => ({
  recorded_at: '2024-01-16T00:00:00Z',
  recorded_by: 'ann',
  reason: 'a spike',
  tenant_id: 'home',
  device_id: 'plug',
  channel: null,
  from_time: '2024-01-15T10:10:00Z',
  to_time: '2024-01-15T10:10:00Z',
  action: 'exclude',
  field: null,
  value: null,
  undoes: null,
  ...fields,
})

test('a correction is worked in from its time on, said, survives a rebuild, and is taken back without a trace', async () => {
  const house = await openHouse(engine)
  try {
    const stage = await createSilverStage({ lake: house.lake, engine, lateEveryMs: 1e9 })
    const minutes = Array.from({ length: 30 }, (_, minute) => minute)
    await house.land(
      minutes.flatMap((minute) => [
        reading('plug', minute, minute === 10 ? 9000 : 60),
        reading('lamp', minute, 5),
      ]),
    )
    await stage.step({ final: true })
    const contents = async (): Promise<string[][]> =>
      Promise.all(SILVER_TABLES.map(({ name }) => house.contents(name)))
    const first = await contents()

    await house.setReference([], [], [correction({})])
    // Not even the cadence of the late pass is waited for.
    const { notices } = await stage.step({ final: false })
    assert.deepEqual(notices, ['a correction was recorded: 1 device is refined again'])
    const second = await contents()
    assert.equal(second[0]?.length, 59)
    assert.match(second[1]?.join() ?? '', /excluded by correction 1: a spike/)
    // The row before it and the lamp's are what they were; the rows up to an hour after it have another mean.
    const differing = second[0]!.filter((row) => !first[0]!.includes(row))
    assert.equal(differing.length, 19)
    await assertAccounted(house)
    await assertEqualsRebuild(house)
    await stage.close()

    const next = await createSilverStage({ lake: house.lake, engine, lateEveryMs: 1e9 })
    await house.setReference([], [], [correction({ action: 'undo', undoes: 1 })])
    await next.step({ final: false })
    assert.deepEqual(await contents(), first)
    await next.close()
  } finally {
    await house.close()
  }
})

test('other rules of a type refine the devices of that type again, and a moved device from the move on', async () => {
  const house = await openHouse(engine)
  try {
    const stage = await createSilverStage({ lake: house.lake, engine, lateEveryMs: 1e9 })
    await house.land([
      { ...reading('oven', 0, 9000), device_type: 'oven' },
      { ...reading('oven', 1, 12_000), device_type: 'oven' },
      { ...reading('plug', 0, 9000), device_type: 'smart_plug' },
    ])
    await stage.step({ final: true })
    await house.setReference(
      [],
      [{ rule: 'power_out_of_range', device_type: 'oven', enabled: false, points: null, limit: null }],
      [],
    )
    assert.deepEqual((await stage.step({ final: false })).notices, [
      'the rules of oven have changed: 1 device is refined again',
    ])
    assert.equal((await house.contents('silver.rejects')).length, 0)
    await house.setReference(
      [
        {
          tenant_id: 'home',
          device_id: 'plug',
          device_type: null,
          user_id: null,
          location: 'hall',
          installation_date: null,
          manufacturer: null,
          model: null,
          valid_from: '2024-01-15T09:00:00Z',
          valid_to: null,
        },
      ],
      [],
      [],
    )
    // The rules are as published again, too.
    const { notices = [] } = await stage.step({ final: false })
    assert.equal(notices.length, 2)
    assert.match((await house.contents('silver.readings')).join(), /'location': hall/)
    assert.equal((await house.contents('silver.rejects')).length, 1)
    await assertAccounted(house)
    await assertEqualsRebuild(house)
    await stage.close()
  } finally {
    await house.close()
  }
})
