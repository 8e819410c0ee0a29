import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openDuckDb } from '../../src/lake/index.ts'
import { HOUSES } from './generate-house.ts'
import { KEPT, faultsOf, tryCases } from './property.ts'
import type { Engine } from '../../src/lake/types.ts'
import type { Case } from './case.ts'

/**
 * CI tries 26 cases of eight houses each, half of them in property-more.test.ts, so that both cores have some. Others without end:
 * `npm run soak -- property [RUNS] [SEED]`. One thread, since the tables are tiny.
 */
const runs = process.env['CI'] ? 13 : 6
const seed = 20_240_331

let engine: Engine
before(async () => {
  engine = await openDuckDb({ threads: 1 })
})
after(() => engine.close())

for (const name of existsSync(KEPT) ? readdirSync(KEPT).toSorted() : [])
  test(`kept case ${name}: incremental = rebuild = oracle`, async () => {
    const given = JSON.parse(readFileSync(join(KEPT, name, 'case.json'), 'utf8')) as Case
    assert.deepEqual(await faultsOf(engine, given), [])
  })

test(`${runs} random cases of ${HOUSES} houses, seed ${seed}: incremental = rebuild = oracle`, () =>
  tryCases(engine, { runs, seed }))
