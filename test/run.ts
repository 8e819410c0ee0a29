import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

/** `npm test -- WORD …`: the tests whose path has one of the words; all of them without a word. */

const root = fileURLToPath(new URL('..', import.meta.url))
const words = process.argv.slice(2)
/** What takes half a minute begins first, so that none of it is left over at the end with a core that has nothing to do. */
const LONGEST = [
  'test/lake/readers/readers',
  'test/house/',
  'test/pipeline/',
  'test/chaos/',
  'test/kafka/',
  'test/7-dashboard/',
  'test/4-silver/',
  'test/5-gold/',
  'test/verify',
  'test/lake/concurrency',
  'test/conventions/quality',
]
const rank = (file: string): number => {
  const found = LONGEST.findIndex((start) => file.startsWith(start))
  return found < 0 ? LONGEST.length : found
}

// Each file is a process of its own: what they share is compiled once.
process.env['NODE_COMPILE_CACHE'] ??= join(root, 'node_modules', '.cache', 'tests')

const files = globSync('test/**/*.test.ts', { cwd: root })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))

if (files.length === 0) {
  console.error(`No test file's path has ${words.join(' or ')}.`)
  process.exit(2)
}

const count = { passed: 0, failed: 0, skipped: 0 }
const skips: string[] = []
const seconds = new Map<string, number>()
// Much of them is waiting for processes and for the clock: one more than there are cores keeps the cores busy.
const stream = run({
  files,
  cwd: root,
  concurrency: Math.min(3, availableParallelism() + 1),
  execArgv: ['--import', new URL('promises-untracked.ts', import.meta.url).href],
})
// A suite and a file are only containers: what counts is each test in them.
const isTest = (data: { details: { type?: string } }): boolean => data.details.type !== 'suite'
const timed = ({
  nesting,
  file,
  details,
}: {
  nesting: number
  file?: string
  details: { duration_ms: number }
}): void => {
  if (nesting === 0 && file !== undefined)
    seconds.set(file, (seconds.get(file) ?? 0) + details.duration_ms / 1000)
}
stream.on('test:pass', (data) => {
  timed(data)
  if (!isTest(data)) return
  if (data.skip !== undefined && data.skip !== false) {
    count.skipped += 1
    skips.push(`${data.name}: ${data.skip === true ? '' : data.skip}`)
  } else count.passed += 1
})
stream.on('test:fail', (data) => {
  timed(data)
  if (isTest(data)) count.failed += 1
})
stream.compose(new spec()).pipe(process.stdout)
await new Promise((resolve) => stream.once('end', resolve))
await new Promise((resolve) => setTimeout(resolve, 50))

// Where the time went, so that what makes the run long is seen.
for (const [file, spent] of [...seconds].toSorted(([, a], [, b]) => b - a).slice(0, 25))
  console.log(`${spent.toFixed(1).padStart(7)} s  ${relative(root, file).replaceAll('\\', '/')}`)
for (const skip of skips) console.log(`SKIPPED ${skip}`)
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0
