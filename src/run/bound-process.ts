/**
 * `node bound-process.ts LOCK PROGRAM WORD …`: runs a program that is bound to who started this. It ends when that one goes away, however
 * he went: then nobody would be left to end it. LOCK is a folder that is held for as long as it runs, or `-`.
 */
import { spawn } from 'node:child_process'
import { lockInstance } from './instance.ts'

/** How long a clean end may take. */
const GRACE_MS = 20_000

const [lockDir = '-', program = '', ...words] = process.argv.slice(2)
const lock = lockDir === '-' ? undefined : lockInstance(lockDir)
if (lockDir !== '-' && !lock) {
  process.stderr.write(`another process holds ${lockDir}\n`)
  process.exit(1)
}
// He may be gone before this begins.
if (!process.connected) process.exit(1)
const child = spawn(program, words, {
  stdio: ['ignore', 'inherit', 'inherit'],
  windowsHide: true,
  shell: process.platform === 'win32' && program === 'mvn',
})
child.once('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
child.once('exit', (code) => {
  // Named here, so that it is held until now: a lock that nothing names any more may be let go at any time.
  lock?.release()
  process.exit(code ?? 1)
})

function end(): void {
  child.kill('SIGTERM')
  setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
}
process.once('disconnect', end)
// Whatever this process ends of, it leaves nothing behind.
process.once('exit', () => child.kill('SIGKILL'))
// Ctrl-C reaches every process of the terminal: the program itself says when it has ended.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill('SIGTERM'))
// He may go while he is told: that is no failure, but the end.
process.send?.(child.pid, undefined, undefined, () => undefined)
