import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * What takes longer than the tests may: `npm run soak [-- NAME …]`.
 * `day`: a simulated day of a reading a second; `plugs`: all recorded plugs; `recorded`: 22 months of recorded houses; `decoders`: a million mutated messages;
 * `kafka [KILLS] [SEED]`: 200 kills over producers, workers and the broker;
 * `lake`: writers, mergers and readers of one table for ten minutes, a checkpoint cut at every byte; `property [RUNS] [SEED]`: random cases;
 * `fleets`: five fleets in their own protocols report to one platform for two minutes;
 * `interrupted [WORD …] [--record]`: every command (with a word in it) that changes something, interrupted at each of its calls to the file system;
 * `ended`: `kafka up`, `down` and `uninstall`, each ended at each of its calls;
 * `fuzz [--inputs N] [--seed S] [DOOR …]`: so many hostile inputs on every door, and where a broker can run on Kafka.
 */
const root = fileURLToPath(new URL('..', import.meta.url))
const UNTRACKED = ['--import', new URL('promises-untracked.ts', import.meta.url).href]
const SOAKS: Record<string, readonly string[]> = {
  day: ['--test', 'test/house/truth.test.ts'],
  recorded: ['--test', 'test/house/recorded.test.ts'],
  plugs: ['--test', 'test/house/tracebase.test.ts'],
  kafka: ['test/kafka/soak.ts'],
  lake: ['--test', 'test/lake/concurrency.test.ts', 'test/lake/torn.test.ts'],
  property: ['test/pipeline/soak.ts'],
  decoders: ['--test', 'test/1-source/decoders/fuzz.test.ts'],
  fuzz: ['test/fuzz/run.ts'],
  fleets: ['--test', 'test/house/fleets.ts'],
  interrupted: ['test/commands/interrupted-soak.ts'],
  ended: [
    '--test',
    'test/packages/uninstall.test.ts',
    'test/kafka/interrupted.test.ts',
    'test/run/down.test.ts',
  ],
}

const [name, ...words] = process.argv.slice(2)
if (name !== undefined && !(name in SOAKS)) {
  console.error(`There is no soak "${name}". Known: ${Object.keys(SOAKS).join(', ')}.`)
  process.exit(2)
}
const chosen = name === undefined ? Object.values(SOAKS) : [SOAKS[name]!]
for (const soak of chosen) {
  // Tests take no words: what they are to look at is in the variable that tells them that they may take long.
  const isTest = soak[0] === '--test'
  const { status } = spawnSync(process.execPath, isTest ? [...UNTRACKED, ...soak] : [...soak, ...words], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, SOAK: isTest ? words.join(' ') || '1' : '1' },
  })
  if (status !== 0) process.exit(status ?? 1)
}
