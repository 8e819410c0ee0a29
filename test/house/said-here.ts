/**
 * The thread in which `smarthouseHere` says commands. The test runner follows every promise of its own thread, which made a command of a
 * hundred thousand rows half as dear again; it does not look into another one.
 */
import { parentPort } from 'node:worker_threads'
import { runWords } from '../../src/commands/run.ts'

const STREAMS = ['stdout', 'stderr'] as const

parentPort!.on('message', async ({ words, env }: { words: string[]; env: NodeJS.ProcessEnv }) => {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name]
  Object.assign(process.env, env)
  const said = { stdout: '', stderr: '' }
  for (const name of STREAMS) process[name].write = (text: unknown) => ((said[name] += String(text)), true)
  const status = await runWords(words, () => new AbortController().signal)
  parentPort!.postMessage({ status, ...said })
})
