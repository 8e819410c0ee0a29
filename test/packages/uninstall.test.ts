/** `uninstall` that is ended at any moment: no half is taken for a whole, the data is as it was, and said again it is done. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { missingPackages } from '../../bin/installation.mjs'
import { endedAt, textOf, type Moment } from '../commands/ended.ts'
import { dataFolder, ROOT } from '../house/run-cli.ts'

const LOCK = JSON.stringify({
  packages: { '': {}, 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.0.0' } },
})
const OWN: Readonly<Record<string, string>> = {
  'package-lock.json': LOCK,
  'data/smarthouse.json': '{"platform":"smarthouse","format":2}',
  'data/lake/bronze/telemetry/part.parquet': 'readings',
}
const BROUGHT: Readonly<Record<string, string>> = {
  'node_modules/.package-lock.json': LOCK,
  ...Object.fromEntries(
    ['a', 'b'].flatMap((name) =>
      ['package.json', 'index.js', 'lib/one.js', 'lib/two.js'].map((file) => [
        `node_modules/${name}/${file}`,
        file,
      ]),
    ),
  ),
  'src/7-dashboard/dist/built-from.txt': 'a digest',
  'src/7-dashboard/dist/index.html': '<html>',
  'src/7-dashboard/dist/assets/index.js': '',
}

function installation(t: TestContext, down = 'process.exit(0)'): string {
  const clone = dataFolder(t)
  for (const part of ['bin', 'config', 'package.json'])
    cpSync(join(ROOT, part), join(clone, part), { recursive: true })
  writeFileSync(join(clone, 'bin', 'smarthouse.mjs'), down)
  for (const [file, text] of Object.entries({ ...OWN, ...BROUGHT })) {
    mkdirSync(dirname(join(clone, file)), { recursive: true })
    writeFileSync(join(clone, file), text)
  }
  assert.deepEqual(missingPackages(clone), [])
  return clone
}

const filesIn = (clone: string): string[] =>
  readdirSync(clone, { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(join(clone, file)).isFile())
    .map((file) => file.replaceAll('\\', '/'))
    .toSorted()

function requireNoHalf(clone: string, moment: string): void {
  const present = new Set(filesIn(clone))
  const isWhole = (folder: string): boolean =>
    Object.keys(BROUGHT).every((file) => !file.startsWith(folder) || present.has(file))
  if (!isWhole('node_modules/')) assert.notDeepEqual(missingPackages(clone), [], moment)
  if (!isWhole('src/'))
    assert.ok(!present.has('src/7-dashboard/dist/built-from.txt'), `${moment}: the dashboard is built anew`)
  for (const [file, text] of Object.entries(OWN))
    assert.equal(readFileSync(join(clone, file), 'utf8'), text, `${file}, ${moment}`)
}

function again(clone: string, moment: string): void {
  const { status, stderr } = spawnSync(process.execPath, [join(clone, 'bin', 'uninstall.mjs')], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, `${moment}: ${stderr}`)
  const left = filesIn(clone).filter((file) => !file.startsWith('bin/') && !file.startsWith('config/'))
  assert.deepEqual(left, [...Object.keys(OWN), 'package.json'].toSorted(), moment)
}

async function endAt(t: TestContext, moment: Moment): Promise<boolean> {
  const clone = installation(t)
  const wasEnded = await endedAt([join(clone, 'bin', 'uninstall.mjs')], moment)
  requireNoHalf(clone, textOf(moment))
  again(clone, textOf(moment))
  return wasEnded
}

if (process.env.SOAK === undefined)
  test('uninstall, ended while it removes', async (t) => {
    // The mark of the packages is its first call, the packages are its second.
    assert.ok(await endAt(t, { at: 2, by: 'SIGKILL', half: true }))
  })
else
  test('uninstall, ended at each of its calls', async (t) => {
    let ended = 0
    for (const by of ['SIGKILL', 'SIGINT'] as const)
      for (const half of [false, true]) for (let at = 1; await endAt(t, { at, by, half }); at += 1) ended += 1
    assert.ok(ended >= 16)
    console.log(`uninstall: ended ${ended} times`)
  })

test('uninstall leaves the packages to a platform that does not stop', (t) => {
  const clone = installation(t, 'process.exit(1)')
  const before = filesIn(clone)
  const { status, stderr } = spawnSync(process.execPath, [join(clone, 'bin', 'uninstall.mjs')], {
    encoding: 'utf8',
  })
  assert.equal(status, 1)
  assert.match(stderr, /Nothing was removed/)
  assert.deepEqual(filesIn(clone), before)
  assert.ok(existsSync(join(clone, 'node_modules')))
})
