import { helpText, parseWords, type Command } from './commands/command.ts'
import { COMMANDS } from './commands/index.ts'
import { exitOf } from './error-catalogue.ts'
import { isPlatformError, PlatformError } from './errors.ts'
import { programVersion } from './main.ts'
import { log } from './run/log.ts'
import { nearest } from './units.ts'

/** The one program: `smarthouse COMMAND`. Every command has `--help`; exit codes: 0 done, 1 failure, 2 wrong use. */

async function overview(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()))
  const width = Math.max(...commands.map((command) => command.name.length))
  return [
    'smarthouse — smart-home telemetry in an open lakehouse, shown live',
    '',
    'Usage: smarthouse COMMAND [options]',
    '',
    'Commands:',
    ...commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`),
    '',
    'smarthouse COMMAND --help shows the options and examples of one.',
  ].join('\n')
}

async function find(name: string): Promise<Command> {
  if (Object.hasOwn(COMMANDS, name)) return await COMMANDS[name]!()
  const guess = nearest(name, Object.keys(COMMANDS))
  throw new PlatformError(
    'usage',
    `There is no command "${name}"`,
    guess ? `Did you mean "${guess}"?` : 'smarthouse --help lists the commands.',
  )
}

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

async function main(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words
  if (name === undefined || name === '--help' || name === 'help' || name === '-h') {
    console.log(rest[0] ? helpText(await find(rest[0])) : await overview())
    return name === undefined ? 2 : 0
  }
  if (name === '--version') {
    console.log(programVersion())
    return 0
  }
  const command = await find(name)
  const args = parseWords(command, rest)
  if (args.flag('help')) {
    console.log(helpText(command))
    return 0
  }
  const stop = stopSignal()
  try {
    return await command.run(args, stop)
  } catch (error) {
    if (command.name === 'upgrade' || !isPlatformError(error) || error.code !== 'data_folder_older')
      throw error
    // Opened by a newer program, a data folder becomes one of its format; then the command begins again.
    await (await import('./commands/upgrade.ts')).upgradeOf(args)
    return await command.run(args, stop)
  }
}

function explain(error: unknown): number {
  if (isPlatformError(error)) {
    const told = `${error.message.replace(/\.$/, '')}. ${error.cure}`
    if (process.send) log(told, 'error', error.code)
    else process.stderr.write(`smarthouse: ${told}\n`)
    return exitOf(error.code)
  }
  const fault = `this is a fault of the program: ${error instanceof Error ? error.stack : String(error)}`
  if (process.send) log(fault, 'error')
  else process.stderr.write(`smarthouse: ${fault}\n`)
  return 1
}

// A reader that stops early (`smarthouse sql … | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

/** After a failure something half started may keep the process alive; a supervisor would take it for a part that runs. */
const LINGER_MS = 2_000

process.exitCode = await main(process.argv.slice(2)).catch(explain)
if (process.exitCode !== 0) setTimeout(() => process.exit(), LINGER_MS).unref()
// A supervised part keeps its channel open; without it the process ends by itself.
if (process.connected) process.disconnect?.()
