/** `down` beside a platform that holds its folder; `npm run soak -- ended` ends it at each of its calls beside a real one. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseWords } from '../../src/commands/command.ts'
import { DOWN } from '../../src/commands/down.ts'
import { clearStatus, isRunning, lockInstance, stopRequested } from '../../src/run/instance.ts'
import { endedAt, textOf, type Moment } from '../commands/ended.ts'
import { dataFolder, ROOT, smarthouse, start } from '../house/run-cli.ts'

const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await sleep(5)
}

function held(t: TestContext) {
  const data = mkdtempSync(join(tmpdir(), 'smarthouse-down-'))
  t.after(() => rmSync(data, { recursive: true, force: true }))
  const run = join(data, 'run')
  const lock = lockInstance(run)
  assert.ok(lock)
  return {
    run,
    lock,
    down: (stop = new AbortController().signal) => DOWN.run(parseWords(DOWN, ['--data', data]), stop),
  }
}

test('Ctrl-C ends down while it waits; what it asked for stands', async (t) => {
  const { run, lock, down } = held(t)
  const stop = new AbortController()
  const ended = down(stop.signal)
  await until(() => stopRequested(run))
  stop.abort()
  assert.equal(await ended, 130)
  assert.ok(stopRequested(run))
  lock.release()
})

test('a platform that removes the request while it starts is asked again', async (t) => {
  const { run, lock, down } = held(t)
  const ended = down()
  await until(() => stopRequested(run))
  clearStatus(run)
  await until(() => stopRequested(run))
  lock.release()
  assert.equal(await ended, 0)
})

test('who looks whether a platform runs is not taken for one, and keeps none from starting', (t) => {
  const { run, lock } = held(t)
  assert.equal(isRunning(run), true)
  lock.release()
  const other = new DatabaseSync(join(run, 'lock.sqlite'), { readOnly: true })
  other.exec('BEGIN; SELECT 1 FROM sqlite_schema')
  assert.equal(isRunning(run), false)
  other.close()
  const next = lockInstance(run)
  assert.ok(next)
  next.release()
})

const READY = 'Dashboard:'

/** A platform on a folder, which serves. */
async function platform(data: string) {
  const started = start(['up', '--data', data, '--no-open', '--no-simulator'], {
    env: { SMARTHOUSE_SERVER_PORT: '0', SMARTHOUSE_SOURCES_MQTT_ENABLED: 'false' },
  })
  await until(() => started.output().includes(READY) || started.child.exitCode !== null)
  assert.equal(started.child.exitCode, null, started.output())
  return started
}

if (process.env.SOAK !== undefined)
  for (const state of ['runs', 'was stopped', 'was killed'] as const)
    test(`down, ended at each of its calls while the platform ${state}`, async (t) => {
      const data = dataFolder(t)
      let ended = 0
      for (const by of ['SIGKILL', 'SIGINT'] as const)
        for (let at = 1; ; at += 1) {
          const moment: Moment = { at, by }
          const up = await platform(data)
          if (state === 'was stopped') assert.equal(smarthouse('down', '--data', data).status, 0)
          if (state === 'was killed') up.child.kill('SIGKILL')
          if (state !== 'runs') await up.ended
          const wasEnded = await endedAt([join(ROOT, 'src', 'cli.ts'), 'down', '--data', data], moment)
          const again = smarthouse('down', '--data', data)
          assert.equal(again.status, 0, `${textOf(moment)}: ${again.stderr}`)
          if (state === 'runs') assert.equal(await up.ended, 0, `${textOf(moment)}: ${up.output()}`)
          assert.equal(isRunning(join(data, 'run')), false, textOf(moment))
          assert.equal(existsSync(join(data, 'run', 'status.json')), false, textOf(moment))
          if (!wasEnded) break
          ended += 1
        }
      assert.ok(ended >= 2)
      console.log(`down while the platform ${state}: ended ${ended} times`)
    })
