import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { runStage } from '../../src/run/loop.ts'
import type { Stage, StepReport } from '../../src/stage.ts'

/** A stage that finds so many rows at each step, which takes some time, and stops its loop after the last. */
function stageOf(steps: readonly Partial<StepReport & { tookMs: number }>[], stop: AbortController) {
  const atMs: number[] = []
  const stage: Stage = {
    name: 'silver',
    async step() {
      atMs.push(performance.now())
      const { tookMs = 0, ...found } = steps[atMs.length - 1]!
      const report = { rows: 0, more: false, pending: 0, detail: {}, ...found }
      if (tookMs > 0) await sleep(tookMs)
      if (atMs.length === steps.length) stop.abort()
      return report
    },
    close: async () => undefined,
  }
  return { stage, gapsMs: () => atMs.slice(1).map((ms, index) => ms - atMs[index]!) }
}

test('after work it rests, after none it looks again soon, a backlog is worked off at once', async () => {
  const stop = new AbortController()
  const { stage, gapsMs } = stageOf(
    [{ rows: 10 }, { rows: 0 }, { rows: 5001 }, { rows: 1, more: true }, {}],
    stop,
  )
  await runStage(stage, { once: false, pauseMs: 2000, stop: stop.signal })
  const [afterWork, afterNone, afterBacklog, afterMore] = gapsMs() as [number, number, number, number]
  assert.ok(afterWork >= 1990, `rested ${afterWork} ms`)
  assert.ok(afterNone >= 240 && afterNone < 1900, `looked again after ${afterNone} ms`)
  assert.ok(afterBacklog >= 240 && afterBacklog < 1900, `went on after ${afterBacklog} ms`)
  assert.ok(afterMore < 240, `more is worked off at once, after ${afterMore} ms`)
})

test('the longer a step took, the shorter is the rest, so that nothing waits for more than some seconds', async () => {
  const stop = new AbortController()
  const { stage, gapsMs } = stageOf([{ rows: 10, tookMs: 300 }, { rows: 10, tookMs: 1300 }, {}], stop)
  await runStage(stage, { once: false, pauseMs: 100, stop: stop.signal })
  const [short, long] = gapsMs() as [number, number]
  // 300 + 2000; 1300 + (3000 - 2 × 1300).
  assert.ok(short >= 2290, `the next one ${short} ms after a short step began`)
  assert.ok(long >= 1690 && long < 2900, `the next one ${long} ms after a long step began`)
})

test('on a schedule the time between steps does not depend on what they find', async () => {
  const stop = new AbortController()
  const { stage, gapsMs } = stageOf([{ rows: 0 }, { rows: 9999 }, {}], stop)
  await runStage(stage, { once: false, pauseMs: 10, everyMs: 700, stop: stop.signal })
  for (const gap of gapsMs()) assert.ok(gap >= 690, `${gap} ms`)
})

test('once: it works off what is there, and ends', async () => {
  const { stage, gapsMs } = stageOf(
    [{ rows: 5, more: true }, { rows: 5, more: true }, {}, {}],
    new AbortController(),
  )
  await runStage(stage, { once: true, pauseMs: 60_000, stop: new AbortController().signal })
  assert.equal(gapsMs().length, 2)
})
