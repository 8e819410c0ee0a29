import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
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
const stream = run({ files, cwd: root, concurrency: Math.min(2, availableParallelism()) })
// A suite and a file are only containers: what counts is each test in them.
const isTest = (data: { details: { type?: string } }): boolean => data.details.type !== 'suite'
stream.on('test:pass', (data) => {
  if (!isTest(data)) return
  if (data.skip !== undefined && data.skip !== false) {
    count.skipped += 1
    skips.push(`${data.name}: ${data.skip === true ? '' : data.skip}`)
  } else count.passed += 1
})
stream.on('test:fail', (data) => {
  if (isTest(data)) count.failed += 1
})
stream.compose(new spec()).pipe(process.stdout)
await new Promise((resolve) => stream.once('end', resolve))
await new Promise((resolve) => setTimeout(resolve, 50))

for (const skip of skips) console.log(`SKIPPED ${skip}`)
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0
