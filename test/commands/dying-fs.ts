/**
 * `node --import dying-fs.ts …` with DIE_AT=N and DIE_BY=SIGKILL|SIGINT: the signal comes just before the N-th call that changes the file
 * system. The number of those calls is written to DIE_COUNT, where that is set, when the process ends by itself.
 */
import fs from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

const { DIE_AT, DIE_BY = 'SIGKILL', DIE_COUNT } = process.env
const real = { ...promises }
const realSync = { ...fs }
let calls = 0

function called(): void {
  calls += 1
  if (calls === Number(DIE_AT)) process.kill(process.pid, DIE_BY)
}
const isWrite = (flags: unknown): boolean => typeof flags === 'string' && /[wax+]/.test(flags)

Object.assign(promises, {
  link: (...words: Parameters<typeof real.link>) => (called(), real.link(...words)),
  rename: (...words: Parameters<typeof real.rename>) => (called(), real.rename(...words)),
  rm: (...words: Parameters<typeof real.rm>) => (called(), real.rm(...words)),
  unlink: (...words: Parameters<typeof real.unlink>) => (called(), real.unlink(...words)),
  mkdir: (...words: Parameters<typeof real.mkdir>) => (called(), real.mkdir(...words)),
  writeFile: (...words: Parameters<typeof real.writeFile>) => (called(), real.writeFile(...words)),
  open: (...words: Parameters<typeof real.open>) => {
    if (isWrite(words[1])) called()
    return real.open(...words)
  },
})
Object.assign(fs, {
  writeFileSync: (...words: Parameters<typeof fs.writeFileSync>) => (
    called(),
    realSync.writeFileSync(...words)
  ),
  renameSync: (...words: Parameters<typeof fs.renameSync>) => (called(), realSync.renameSync(...words)),
  rmSync: (...words: Parameters<typeof fs.rmSync>) => (called(), realSync.rmSync(...words)),
})
syncBuiltinESMExports()
if (DIE_COUNT !== undefined) process.on('exit', () => realSync.writeFileSync(DIE_COUNT, String(calls)))
