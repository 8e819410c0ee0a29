import { optionRows, type Command } from '../commands/command.ts'
import { COMMANDS } from '../commands/index.ts'
import { table } from './markdown.ts'

const INTRODUCTION = `# The program

Written by \`npm run docs\` from \`src/commands\`; a test holds the two together.

\`smarthouse COMMAND [options]\`; in the project's folder \`npx smarthouse COMMAND\`. \`smarthouse COMMAND --help\` shows the same. Exit
codes of every command: 0 done, 1 failure, 2 wrong use, 130 stopped by Ctrl-C.
`

/** docs/cli.md, from the commands. */
export async function cliPage(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()))
  const overview = table(
    ['command', ''],
    commands.map(({ name, summary }) => [`[\`${name}\`](#${name})`, summary]),
  )
  return `${INTRODUCTION}\n${overview}\n${commands.map(section).join('\n')}`
}

function section(command: Command): string {
  const { name, summary, positional, examples, exitCodes } = command
  const options = optionRows(command).map(([option, description]) => [`\`${option}\``, description])
  const codes = Object.entries(exitCodes ?? {}).map(([code, meaning]) => `${code}: ${meaning}`)
  return [
    `## ${name}`,
    '',
    `${summary[0]!.toUpperCase()}${summary.slice(1)}.`,
    '',
    `    smarthouse ${name}${positional ? ` ${positional}` : ''} [options]`,
    '',
    table(['option', ''], options),
    'For example:',
    '',
    ...examples.map((example) => `    ${example}`),
    ...(codes.length > 0 ? ['', `Exit code ${codes.join(', ')}.`] : []),
    '',
  ].join('\n')
}
