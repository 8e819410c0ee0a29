import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { PlatformError } from '../errors.ts'
import { LEVELS, prettyLine, reaches, type LogRecord } from '../log.ts'
import { dataPath } from '../main.ts'
import { shown } from '../run/log.ts'
import { followRecords, lastRecords, loggedParts } from '../run/log-file.ts'
import { pause } from '../run/loop.ts'
import { nearest } from '../units.ts'
import { DATA_OPTION, JSON_OPTION, wholeNumber, type Arguments, type Command } from './command.ts'

const LOOK_EVERY_MS = 250

export const LOGS: Command = {
  name: 'logs',
  summary: 'what the parts have said, newest last',
  positional: '[PART]',
  options: {
    ...DATA_OPTION,
    follow: { short: 'f', description: 'go on with what is said from now on, until Ctrl-C' },
    lines: { value: 'N', description: 'so many lines; default 100' },
    level: { value: LEVELS.join('|'), description: 'only what is so serious; default: all that was logged' },
    ...JSON_OPTION,
  },
  examples: ['smarthouse logs', 'smarthouse logs stages -f', 'smarthouse logs --level warn --lines 20'],
  async run(args, stop) {
    const dir = join(dataPath(args), 'logs')
    const level = LEVELS.find((one) => one === (args.text('level') ?? 'debug'))
    if (!level)
      throw new PlatformError(
        'usage',
        `--level takes ${LEVELS.join(', ')}, not "${args.text('level')}"`,
        'Write for example --level warn.',
      )
    const lines = wholeNumber('--lines', args.text('lines') ?? '100', 0, 1_000_000)
    const parts = partsOf(dir, args)
    const keep = (record: LogRecord): boolean => reaches(record, level)
    const follow = followRecords(dir, parts)
    print(lastRecords(dir, parts(), keep, lines), args)
    while (args.flag('follow') && !stop.aborted) {
      print(follow().filter(keep), args)
      await pause(LOOK_EVERY_MS, stop)
    }
    return 0
  },
}

/** The part that is named, or every one that has a log by then. */
function partsOf(dir: string, { positionals, flag }: Arguments): () => string[] {
  const [part, ...others] = positionals
  if (others.length > 0)
    throw new PlatformError('usage', 'logs takes one part, or none for all', 'Write smarthouse logs stages.')
  const known = loggedParts(dir)
  if (!existsSync(dir) && !flag('follow'))
    throw new PlatformError(
      'data_folder_foreign',
      `There is no log in ${dir}`,
      'Run `smarthouse up` first, or name another folder with --data DIR.',
    )
  if (part === undefined) return () => loggedParts(dir)
  if (!known.includes(part) && !flag('follow')) {
    const guess = nearest(part, known)
    throw new PlatformError(
      'usage',
      `There is no log of a part "${part}"`,
      guess ? `Did you mean "${guess}"?` : `There are: ${known.join(', ')}.`,
    )
  }
  return () => [part]
}

function print(records: readonly LogRecord[], args: Arguments): void {
  for (const record of records)
    process.stdout.write(
      args.flag('json')
        ? `${JSON.stringify(record)}\n`
        : process.stdout.isTTY
          ? shown(record, process.stdout)
          : prettyLine(record, false),
    )
}
