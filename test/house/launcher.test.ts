/** Begun by a Node that is too old for it, the program runs on its own one; what is said to the first reaches the second. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(new URL('../../bin/smarthouse.mjs', import.meta.url))
/** The launcher looks at the version alone. */
const AN_OLD_NODE =
  'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.0.0"}})'

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  test(`${signal} to the process that handed the words on stops the program cleanly`, async (t) => {
    if (process.platform === 'win32') return t.skip('NOT RUN: Windows knows no signals between processes')
    const child = spawn(
      process.execPath,
      ['--import', AN_OLD_NODE, cli, 'simulate', '--rate', '1/s', '--out', '-'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    t.after(() => child.kill('SIGKILL'))
    await once(child.stdout, 'data', { signal: AbortSignal.timeout(60_000) })
    child.kill(signal)
    const closed = once(child, 'close')
    child.stdout.resume()
    assert.deepEqual(await closed, [0, null])
  })
