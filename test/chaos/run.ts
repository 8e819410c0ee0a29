/** See USAGE. */
import { parseArgs } from 'node:util'
import { buildDashboard } from '../../src/7-dashboard/build.ts'
import { brokerObstacle } from '../../src/run/kafka-jars.ts'
import { kills } from './faults.ts'
import { record } from './record.ts'
import { chaos, type StreamKind } from './rounds.ts'

const USAGE = `npm run chaos [-- --kills N] [--seed S] [--stream embedded|kafka] [--record]

The whole platform under load, as separate processes, while they are killed, stopped, run out of disk and clock, and started twice.
After some twenty kills all is mended and drained, and the lake is compared with what was acknowledged to the senders.

  --kills N    so many SIGKILLs in all (default 40)
  --seed S     the faults and their moments; default: a new one
  --stream     only that stream; default: both, in turn
  --record     adds the run to docs/reliability.json and docs/reliability.md

Exit: 0 nothing lost, nothing twice; 1 something was, or did not run (the folder is kept), 2 wrong use.`

const STREAMS: readonly StreamKind[] = ['embedded', 'kafka']

function wrong(text: string): never {
  console.error(`${text}\n\n${USAGE}`)
  process.exit(2)
}

function options(): { kills: number; seed: number; streams: readonly StreamKind[]; record: boolean } {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '40' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      stream: { type: 'string' },
      record: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(USAGE)
    process.exit(0)
  }
  const [wanted, seed] = [Number(values.kills), Number(values.seed)]
  if (!Number.isInteger(wanted) || wanted < 1)
    wrong(`--kills is no whole number from 1 on: "${values.kills}"`)
  if (!Number.isInteger(seed)) wrong(`--seed is no whole number: "${values.seed}"`)
  const streams = STREAMS.filter((each) => values.stream === undefined || each === values.stream)
  if (streams.length === 0) wrong(`--stream is embedded or kafka, not "${values.stream}"`)
  return { kills: wanted, seed, streams, record: values.record }
}

const asked = options()
const obstacle = asked.streams.includes('kafka') ? brokerObstacle() : null
if (obstacle) console.log(`SKIPPED Kafka: ${obstacle.message}`)
const streams = obstacle ? asked.streams.filter((each) => each !== 'kafka') : asked.streams
if (streams.length === 0) process.exit(1)
// Else the first start of the platform would do so, for longer than a round.
await buildDashboard()
const began = new Date()
console.log(`seed ${asked.seed}`)
const outcome = await chaos({ ...asked, streams, say: (text) => console.log(text) })
if (asked.record) record({ began, seed: asked.seed, streams, outcome })
for (const problem of outcome.problems) console.error(problem)
const per = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, n]) => `${name} ${n}`)
    .join(', ')
console.log(`${kills(outcome)} kills (${per(outcome.killed)}); besides: ${per(outcome.faults)}`)
console.log(
  `${outcome.acknowledged} readings acknowledged, ${outcome.lost} lost, ${outcome.twice} twice, ${outcome.rounds} rounds`,
)
// A sender that was never answered would go on for ever.
process.exit(outcome.problems.length > 0 ? 1 : 0)
