/** `npm run soak -- fuzz [--inputs N] [--seed S] [DOOR …]`: so many hostile inputs on each door (default 2,000), or on those with such a name. */
import { parseArgs } from 'node:util'
import { fuzz } from './fuzz.ts'
import { kafkaSkip } from '../servers/kafka.ts'
import { kafkaDoor } from './kafka-door.ts'
import { KEPT } from './kept.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    inputs: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
})
console.log(`seed ${values.seed}`)
const skip = kafkaSkip()
const isAsked = positionals.length === 0 || positionals.some((word) => 'kafka messages'.includes(word))
if (isAsked && skip) console.log(`SKIPPED: kafka messages, ${skip}`)
const failures = await fuzz({
  inputs: Number(values.inputs),
  seed: Number(values.seed),
  doors: positionals,
  more: isAsked && !skip ? [await kafkaDoor()] : [],
  keptIn: KEPT,
  say: (text) => console.log(text),
})
for (const failure of failures) console.error(failure)
console.log(
  failures.length === 0 ? 'Every input was taken or refused with a reason.' : `${failures.length} failures`,
)
process.exit(failures.length === 0 ? 0 : 1)
