/**
 * A writer process of the concurrency tests: `node writer.ts ROOT ID FROM BATCHES`. Commits its batches of ten numbers,
 * each together with `txn` writer-ID = batch, from one on: batches that are there are not applied again.
 */
import { openDuckDb, openLake } from '../../src/lake/index.ts'
import { NUMBERS, numbersFrom } from './temporary.ts'

const [root = '', id = '', from = '', batches = ''] = process.argv.slice(2)
const engine = await openDuckDb({ threads: 1, memoryLimitMb: 128 })
const lake = await openLake({ root, engine })
const session = await engine.session()
for (let batch = Number(from); batch < Number(batches); batch += 1) {
  const add = await lake.write(session, NUMBERS.name, numbersFrom(Number(id) * 100_000 + batch * 10, 10))
  await lake.commit(NUMBERS.name, { operation: 'WRITE', add, txns: { [`writer-${id}`]: batch } })
  process.stdout.write(`${batch}\n`)
}
await lake.close()
await engine.close()
