/** The fuzzing itself: what fails becomes a case that is as small as it can be, and what does not come back is ended and kept. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { fuzzDoor } from './fuzz.ts'
import { texts, type Door } from './door.ts'
import { keptOf } from './kept.ts'

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'smarthouse-kept-'))
  t.after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }))
  return dir
}

/** Cannot bear a question mark. */
const touchy = (): Door => ({
  name: 'a touchy door',
  seeds: texts('is it well?', 'it is well'),
  take: async (input) => {
    if (input.includes('?')) throw new TypeError(`what is ${input.length} asked?`)
    return 'taken'
  },
  close: async () => undefined,
})

test('an input that fails is kept, as small as it can be, and tried first from then on', async (t) => {
  const options = { inputs: 40, seed: 7, keptIn: folder(t), say: () => undefined }
  const failures = await fuzzDoor(touchy(), options)
  assert.match(
    failures[0] ?? '',
    /a touchy door, input \d+ of seed 7 \(kept as \w+\): TypeError: what is \d+ asked/,
  )
  const [kept, ...others] = keptOf(options.keptIn, 'a touchy door')
  assert.deepEqual([kept!.input.toString(), kept!.verdict, others], ['?', null, []])
  const again = await fuzzDoor(touchy(), { ...options, inputs: 0 })
  assert.match(again[0] ?? '', /a touchy door, kept \w+: TypeError/)
  // Mended, it asks what must come of it.
  const mended = await fuzzDoor({ ...touchy(), take: async () => 'taken' }, { ...options, inputs: 0 })
  assert.match(mended[0] ?? '', /write into its expect\.json what must come of it/)
})

test('an input that takes too much memory is a failure', async (t) => {
  const hoard: Buffer[] = []
  const greedy: Door = {
    ...touchy(),
    take: async () => {
      if (hoard.length === 0) hoard.push(Buffer.alloc(400 * 2 ** 20, 1))
      return 'taken'
    },
  }
  const [failure] = await fuzzDoor(greedy, { inputs: 1, seed: 7, keptIn: folder(t), say: () => undefined })
  assert.match(failure ?? '', /it took \d+ MB more/)
})

test('an input that does not come back ends the process, and is kept', (t) => {
  const keepIn = folder(t)
  const module = JSON.stringify(pathToFileURL(join(import.meta.dirname, 'watchdog.ts')).href)
  const code = `const { watch } = await import(${module})
    const dog = await watch('a slow door', ${JSON.stringify(keepIn)}, 500)
    dog.begins(Buffer.from('for ever'), 3)
    for (;;);`
  const { signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
    timeout: 30_000,
  })
  assert.equal(signal, 'SIGKILL')
  assert.match(stderr, /a slow door, input 1: no answer after 0\.5 s/)
  const [kept] = keptOf(keepIn, 'a slow door')
  assert.deepEqual([kept?.input.toString(), kept?.seed], ['for ever', 3])
  assert.match(readFileSync(join(keepIn, 'a-slow-door', kept!.name, 'expect.json'), 'utf8'), /no answer/)
})
