import { helpText, parseWords, type Command } from './command.ts'
import { COMMANDS } from './index.ts'
import { exitOf } from '../error-catalogue.ts'
import { isPlatformError, PlatformError } from '../errors.ts'
import { programVersion } from '../main.ts'
import { log } from '../run/log.ts'
import { nearest } from '../units.ts'

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

/** Does what the words say. Resolves to the exit code; what is wrong is told, and thrown is nothing. */
export async function runWords(words: readonly string[], stop: () => AbortSignal): Promise<number> {
  return await run(words, stop).catch(explain)
}

async function run(words: readonly string[], stopSignal: () => AbortSignal): Promise<number> {
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
    // Stopped while it waited for what it needs.
    if (stop.aborted && error === stop.reason) return 0
    if (command.name === 'upgrade' || !isPlatformError(error) || error.code !== 'data_folder_older')
      throw error
    // Opened by a newer program, a data folder becomes one of its format; then the command begins again.
    await (await import('./upgrade.ts')).upgradeOf(args)
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
