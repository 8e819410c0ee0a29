import { runWords } from './commands/run.ts'

/** The one program: `smarthouse COMMAND`. Every command has `--help`; exit codes: 0 done, 1 failure, 2 wrong use. */

/** One Ctrl-C may come twice: from the terminal, and from the process that handed the words on. */
const SAME_SIGNAL_MS = 500

/** Aborted by Ctrl-C, by SIGTERM, and when the supervisor that started this part goes away. A second one ends the process at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController()
  let firstMs: number | undefined
  const stop = (): void => {
    firstMs ??= performance.now()
    if (performance.now() - firstMs > SAME_SIGNAL_MS) process.exit(130)
    controller.abort()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  process.on('SIGHUP', stop)
  if (process.send) process.on('disconnect', () => controller.abort())
  return controller.signal
}

// A reader that stops early (`smarthouse sql … | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

/** After a failure something half started may keep the process alive; a supervisor would take it for a part that runs. */
const LINGER_MS = 2_000

process.exitCode = await runWords(process.argv.slice(2), stopSignal)
if (process.exitCode !== 0) setTimeout(() => process.exit(), LINGER_MS).unref()
// A supervised part keeps its channel open; without it the process ends by itself.
if (process.connected) process.disconnect?.()
