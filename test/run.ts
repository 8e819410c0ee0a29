import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { relative } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

/** `npm test -- WORD …`: the tests whose path has one of the words; all of them without a word. */

const root = fileURLToPath(new URL('..', import.meta.url))
const words = process.argv.slice(2)
const files = globSync('test/**/*.test.ts', { cwd: root })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  // What waits for processes and the clock goes first, so that the many short ones fill up the other core.
  .toSorted(
    (a, b) => Number(b.startsWith('test/house')) - Number(a.startsWith('test/house')) || (a < b ? -1 : 1),
  )

if (files.length === 0) {
  console.error(`No test file's path has ${words.join(' or ')}.`)
  process.exit(2)
}

const count = { passed: 0, failed: 0, skipped: 0 }
const skips: string[] = []
const seconds = new Map<string, number>()
const stream = run({ files, cwd: root, concurrency: Math.min(2, availableParallelism()) })
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
