import { parseArgs } from 'node:util'
import { PlatformError } from '../errors.ts'
import { nearest } from '../units.ts'

export interface Option {
  /** What stands after the option in the help, for example DIR; absent: a switch. */
  value?: string
  description: string
  multiple?: boolean
  /** Blanks are a value. */
  blank?: boolean
  /** One letter, for `-f`. */
  short?: string
}

export interface Arguments {
  /** Text of an option with a value; undefined where it was not given. */
  text(name: string): string | undefined
  list(name: string): string[]
  flag(name: string): boolean
  positionals: string[]
}

export interface Command {
  name: string
  summary: string
  /** What stands after the name, for example `FILE…`. */
  positional?: string
  options: Readonly<Record<string, Option>>
  examples: readonly string[]
  /** Exit codes besides 0 (done), 1 (failure) and 2 (wrong use). */
  exitCodes?: Readonly<Record<number, string>>
  run(args: Arguments, stop: AbortSignal): Promise<number>
}

export const DATA_OPTION = {
  data: {
    value: 'DIR',
    description:
      'the data folder; default: data, beside the program (an installed package: where it is started)',
  },
} as const
export const COMMON_OPTIONS = {
  ...DATA_OPTION,
  config: {
    value: 'FILE',
    description: 'the configuration; default: config/smarthouse.yaml, beside the data folder’s default',
  },
} as const
export const JSON_OPTION = { json: { description: 'print JSON, for scripts' } } as const

const withHelp = (command: Command): Record<string, Option> => ({
  ...command.options,
  help: { description: 'show this help', short: 'h' },
})

/** Reads the words after the command's name; a wrong one is refused with the nearest right one. */
export function parseWords(command: Command, words: readonly string[]): Arguments {
  const known = withHelp(command)
  const { tokens } = parseArgs({
    args: [...words],
    options: parseOptions(known),
    strict: false,
    tokens: true,
    allowPositionals: true,
  })
  const values = new Map<string, string[]>()
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const option = known[token.name]
    if (!option) throw unknownOption(command, token.rawName, Object.keys(known))
    if (
      option.value &&
      (isNoValue(token.value, option) || (!token.inlineValue && /^--\w/.test(token.value!)))
    )
      throw new PlatformError(
        'usage',
        `${token.rawName} needs a value`,
        `Write ${token.rawName} ${option.value}; see smarthouse ${command.name} --help.`,
      )
    if (!option.value && token.value !== undefined && token.inlineValue)
      throw new PlatformError('usage', `${token.rawName} takes no value`, `Write ${token.rawName} alone.`)
    const earlier = values.get(token.name) ?? []
    if (earlier.length > 0 && option.value && !option.multiple)
      throw new PlatformError('usage', `${token.rawName} stands twice`, 'Give it once.')
    values.set(token.name, [...earlier, token.value ?? 'true'])
  }
  if (positionals.length > 0 && !command.positional)
    throw new PlatformError(
      'usage',
      `smarthouse ${command.name} takes no "${positionals[0]}"`,
      `See smarthouse ${command.name} --help.`,
    )
  return {
    text: (name) => values.get(name)?.at(-1),
    list: (name) => values.get(name) ?? [],
    flag: (name) => values.has(name),
    positionals,
  }
}

const isNoValue = (value: string | undefined, { blank }: Option): boolean =>
  value === undefined || (blank ? value === '' : value.trim() === '')

/** Refuses options that mean something to other actions of the command, and nothing to this one, whose `own` they are not. */
export function refuseForeign(
  { name, options }: Command,
  action: string,
  args: Arguments,
  own: readonly string[],
): void {
  const known = [...Object.keys({ ...COMMON_OPTIONS, ...JSON_OPTION }), ...own]
  const foreign = Object.keys(options).find((option) => args.flag(option) && !known.includes(option))
  if (foreign !== undefined)
    throw new PlatformError(
      'usage',
      `${name} ${action} takes no --${foreign}`,
      `See smarthouse ${name} --help.`,
    )
}

function parseOptions(known: Record<string, Option>) {
  return Object.fromEntries(
    Object.entries(known).map(([name, option]) => [
      name,
      {
        type: option.value ? ('string' as const) : ('boolean' as const),
        multiple: true,
        ...(option.short !== undefined && { short: option.short }),
      },
    ]),
  )
}

function unknownOption(command: Command, raw: string, names: string[]): PlatformError {
  const guess = nearest(raw.replace(/^-+/, ''), names)
  return new PlatformError(
    'usage',
    `smarthouse ${command.name} has no option ${raw}`,
    guess ? `Did you mean --${guess}?` : `See smarthouse ${command.name} --help.`,
  )
}

/** The options as they are shown: how each is written, and what it does. */
export function optionRows(command: Command): [written: string, description: string][] {
  return Object.entries(withHelp(command)).map(([name, { value, short, description }]) => [
    `${short === undefined ? '' : `-${short}, `}--${name}${value ? ` ${value}` : ''}`,
    description,
  ])
}

export function helpText(command: Command): string {
  const rows = optionRows(command)
  const width = Math.max(...rows.map(([left]) => left.length))
  const codes = { 0: 'done', 1: 'failure', 2: 'wrong use', ...command.exitCodes }
  return [
    `${command.summary}`,
    '',
    `Usage: smarthouse ${command.name}${command.positional ? ` ${command.positional}` : ''} [options]`,
    '',
    'Options:',
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    '',
    'Examples:',
    ...command.examples.map((example) => `  ${example}`),
    '',
    `Exit codes: ${Object.entries(codes)
      .map(([code, meaning]) => `${code} ${meaning}`)
      .join(', ')}.`,
  ].join('\n')
}

/** The port that `--port` names; undefined: none. */
export function portOf(args: Arguments): number | undefined {
  const text = args.text('port')
  return text === undefined ? undefined : wholeNumber('--port', text, 0, 65_535)
}

/** A whole number within bounds, from the text of an option. */
export function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new PlatformError(
      'usage',
      `${option} must be a whole number from ${min} to ${max}, not "${text}"`,
      `Write for example ${option} ${min}.`,
    )
  return value
}
