/** A process of its own that rebuilds Gold and says each month as it begins it, until it is killed: `node rebuild-process.ts ROOT`. */
import { rebuildGold } from '../../src/5-gold/rebuild.ts'
import { openDuckDb, openLake } from '../../src/lake/index.ts'

const engine = await openDuckDb({ threads: 1, memoryLimitMb: 500 })
const lake = await openLake({ root: process.argv[2] as string, engine })
await rebuildGold({
  lake,
  engine,
  saveEveryMs: 0,
  onProgress: (text) => process.stdout.write(`${text}\n`),
})
