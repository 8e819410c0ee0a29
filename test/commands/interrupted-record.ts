/** The record of the commands that were interrupted at each of their calls; docs/reliability.md shows it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commit } from '../../bench/record.ts'
import { writeReliability } from '../chaos/record.ts'
import { ROOT } from '../house/run-cli.ts'

/** One command, interrupted at each of its calls that change the file system or a SQLite file. */
export interface Interruption {
  command: string
  began: string
  took_s: number
  /** The first call that was tried, where it is not the command's first. */
  from?: number
  calls: number
  /** Different folders that a kill before one of the calls leaves; each was gone on with. */
  states: number
  /** Calls at which it was told to stop. */
  stops: number
  /** Different folders that these left; each was gone on with. */
  outcomes: number
  found: string[]
}

type Recorded = Interruption & { commit: string }

const DATA = join(ROOT, 'docs', 'interruptions.json')

const read = (): Recorded[] =>
  existsSync(DATA) ? (JSON.parse(readFileSync(DATA, 'utf8')) as Recorded[]) : []

export function recordInterruptions(one: Interruption): void {
  const all = [...read(), { ...one, commit: commit(ROOT) }]
  writeFileSync(DATA, `${JSON.stringify(all, null, 2)}\n`)
  writeReliability()
}

/** The section of the page. */
export function interruptionsText(): string[] {
  const all = read()
  if (all.length === 0) return []
  const sum = (of: (one: Recorded) => number): string =>
    all.reduce((total, one) => total + of(one), 0).toLocaleString('en')
  return [
    '## Interrupted commands',
    '',
    'Written by `npm run soak -- interrupted --record`, from [interruptions.json](interruptions.json). Each command is interrupted before each',
    'of its calls that change the file system or a SQLite file. *Killed*: its folder as it lay before the call; where it lay there with the',
    'same bytes before, once. *Stopped*: told to stop (Ctrl-C) at the call; where that left the same files, and as many rows in each SQLite',
    'file, as a stop before, one of them is gone on with. Each time the folder must open whole, the command said again must be done, and what it is',
    'for must hold, as `verify` and the figures say.',
    '',
    `**${sum((one) => one.calls)} calls killed at (${sum((one) => one.states)} different folders), ${sum((one) => one.stops)} stopped at (${sum((one) => one.outcomes)})**; ` +
      `${all.filter((one) => one.found.length > 0).length} of ${all.length} runs found something, which is mended in the program or in what was asked of it.`,
    '',
    '| command | began | calls | folders | stops | folders | commit | took | found |',
    '| --- | --- | ---: | ---: | ---: | ---: | --- | ---: | --- |',
    ...all.map(
      (one) =>
        `| ${[`\`${one.command}\`${one.from === undefined ? '' : `, from call ${one.from} on`}`, one.began.slice(0, 16) + 'Z', one.calls, one.states, one.stops, one.outcomes, one.commit, `${one.took_s} s`, one.found.map((text) => text.split('\n')[0]!.slice(0, 160).replaceAll('|', '/')).join('; ') || 'nothing'].join(' | ')} |`,
    ),
    '',
  ]
}
