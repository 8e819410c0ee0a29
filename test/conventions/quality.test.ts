import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Runs a tool's own script under this Node, so that it is the same on every system. */
function tool(script: string, ...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`node_modules/${script}`, ...words], {
    cwd: root,
    encoding: 'utf8',
  })
  return { status, output: `${stdout}${stderr}` }
}
const clean = (result: ReturnType<typeof tool>): void => assert.equal(result.status, 0, result.output)

/** One checker: several would each check anew what they share, and other tests have the other core. */
const typecheck = (project: string) =>
  clean(tool('typescript/bin/tsc', '--noEmit', '--checkers', '1', '-p', project))

test('types: the server, the tests, the benchmarks', () => typecheck('.'))
test('types: the dashboard', () => typecheck('src/7-dashboard'))
test('lint: rules, and the length of files and functions', () =>
  clean(tool('oxlint/bin/oxlint', '--deny-warnings')))
test('format', () => clean(tool('oxfmt/bin/oxfmt', '--check')))
