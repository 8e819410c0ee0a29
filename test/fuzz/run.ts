/** `npm run soak -- fuzz [--inputs N] [--seed S]`: so many hostile inputs on each door (default 2,000). */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { fuzz } from './fuzz.ts'

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
})
console.log(`seed ${values.seed}`)
const failures = await fuzz({
  inputs: Number(values.inputs),
  seed: Number(values.seed),
  keepIn: fileURLToPath(new URL('kept', import.meta.url)),
  say: (text) => console.log(text),
})
for (const failure of failures) console.error(failure)
console.log(
  failures.length === 0 ? 'Every input was taken or refused with a reason.' : `${failures.length} failures`,
)
process.exit(failures.length === 0 ? 0 : 1)
