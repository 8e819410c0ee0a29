import { test } from 'node:test'
import { openDuckDb } from '../../src/lake/index.ts'
import { HOUSES } from './generate-house.ts'
import { tryCases } from './property.ts'

/** The other half of the cases of property.test.ts. */
const runs = process.env['CI'] ? 13 : 4
const seed = 20_241_027

test(`${runs} more random cases of ${HOUSES} houses, seed ${seed}: incremental = rebuild = oracle`, async () => {
  const engine = await openDuckDb({ threads: 1 })
  try {
    await tryCases(engine, { runs, seed })
  } finally {
    await engine.close()
  }
})
