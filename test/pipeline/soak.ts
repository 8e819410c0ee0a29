/** The property for as long as one likes: `node test/pipeline/soak.ts [RUNS] [SEED]`; without a seed, another one each time. */
import { openDuckDb } from '../../src/lake/index.ts'
import { tryCases } from './property.ts'

const ROUND = 20
const runs = Number(process.argv[2] ?? 1000)
let seed = Number(process.argv[3] ?? Date.now() % 2 ** 31)
const engine = await openDuckDb({ threads: 1 })
for (let done = 0; done < runs; done += ROUND, seed++) {
  await tryCases(engine, { runs: Math.min(ROUND, runs - done), seed })
  console.log(`${Math.min(runs, done + ROUND)} of ${runs} cases hold (seed ${seed})`)
}
await engine.close()
