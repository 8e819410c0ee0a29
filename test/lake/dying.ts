/**
 * `node dying.ts ROOT STEP`: commits the request that stands in ROOT/request.json, and is killed (SIGKILL) just before
 * the STEP-th call to the file system that
 * the commit makes. Ends with 0 where it took fewer.
 */
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import path from 'node:path'
import type { CommitRequest, Engine } from '../../src/lake/index.ts'

const [root = '', step = ''] = process.argv.slice(2)
const request = JSON.parse(await fs.readFile(path.join(root, 'request.json'), 'utf8')) as CommitRequest
let calls = 0
let open = false
const called = (): void => {
  calls += 1
  if (open && calls === Number(step)) process.kill(process.pid, 'SIGKILL')
}
const real = { ...fs }
const handles = new WeakSet<object>()
Object.assign(fs, {
  readdir: (...words: Parameters<typeof real.readdir>) => (called(), real.readdir(...words)),
  link: (...words: Parameters<typeof real.link>) => (called(), real.link(...words)),
  rename: (...words: Parameters<typeof real.rename>) => (called(), real.rename(...words)),
  rm: (...words: Parameters<typeof real.rm>) => (called(), real.rm(...words)),
  readFile: (...words: Parameters<typeof real.readFile>) => (called(), real.readFile(...words)),
  async open(...words: Parameters<typeof real.open>) {
    called()
    const handle = await real.open(...words)
    if (handles.has(handle)) return handle
    handles.add(handle)
    const { writeFile, sync } = handle
    handle.writeFile = (...bytes) => (called(), writeFile.apply(handle, bytes))
    handle.sync = () => (called(), sync.apply(handle))
    return handle
  },
})
syncBuiltinESMExports()
// Loaded only now, so that it has the functions above. A commit alone needs no engine.
const { openLake } = await import('../../src/lake/lake.ts')
const lake = await openLake({ root, engine: { onError: () => () => undefined } as unknown as Engine })
await lake.snapshot('bronze.numbers')
calls = 0
open = true
const { applied } = await lake.commit('bronze.numbers', request)
process.stdout.write(`${applied} ${calls}\n`)
