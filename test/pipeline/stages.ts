/** A process of its own that works off a stream, round after round, until it is killed or all is done: `node stages.ts ROOT`. */
import { join } from 'node:path'
import { openEmbeddedLog } from '../../src/2-stream/embedded.ts'
import { createBronzeStage } from '../../src/3-bronze/land.ts'
import { createSilverStage } from '../../src/4-silver/refine.ts'
import { createGoldStage } from '../../src/5-gold/aggregate.ts'
import { openDuckDb, openLake } from '../../src/lake/index.ts'

const root = process.argv[2] as string
const engine = await openDuckDb({ threads: 1, memoryLimitMb: 500 })
const lake = await openLake({ root: join(root, 'lake'), engine })
const log = await openEmbeddedLog({ dir: join(root, 'stream') })
// Small batches, so that there is always a commit to be killed in.
const stages = [
  await createBronzeStage({ lake, engine, log, maxRecords: 150, keepStreamMs: 1e15 }),
  await createSilverStage({ lake, engine, lateEveryMs: 200 }),
  await createGoldStage({ lake, engine }),
]
process.stdout.write('started\n')
for (let more = true; more;) {
  more = false
  for (const stage of stages) more = (await stage.step({ final: false })).more || more
}
for (const stage of stages) while ((await stage.step({ final: true })).more);
for (const stage of stages) await stage.close()
await log.close()
await lake.close()
await engine.close()
