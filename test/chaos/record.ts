/** The record of all runs, and the page that is written from it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commit, machine, type Machine } from '../../bench/record.ts'
import { interruptionsText } from '../commands/interrupted-record.ts'
import { kills } from './faults.ts'
import { ROOT } from './platform.ts'
import type { Outcome, StreamKind } from './rounds.ts'

interface ChaosRun extends Outcome {
  began: string
  took_s: number
  seed: number
  streams: readonly StreamKind[]
  commit: string
  machine: Machine
}

const DATA = join(ROOT, 'docs', 'reliability.json')
const PAGE = join(ROOT, 'docs', 'reliability.md')

export function record(run: {
  began: Date
  seed: number
  streams: readonly StreamKind[]
  outcome: Outcome
}): void {
  const { began, seed, streams, outcome } = run
  const runs = recorded()
  // Where it lay is of no use to others.
  const problems = outcome.problems.filter((text) => !text.includes('the folder is kept'))
  runs.push({
    began: began.toISOString(),
    took_s: Math.round((Date.now() - began.getTime()) / 1000),
    seed,
    streams,
    commit: commit(ROOT),
    machine: machine(),
    ...outcome,
    problems,
  })
  writeFileSync(DATA, `${JSON.stringify(runs, null, 2)}\n`)
  writeReliability()
}

const recorded = (): ChaosRun[] =>
  existsSync(DATA) ? (JSON.parse(readFileSync(DATA, 'utf8')) as ChaosRun[]) : []

/** Writes the page anew, from all that is recorded. */
export function writeReliability(): void {
  writeFileSync(PAGE, [page(recorded()), ...interruptionsText()].join('\n'))
}

function added(all: readonly Readonly<Record<string, number>>[]): [string, number][] {
  const sums = new Map<string, number>()
  for (const counts of all)
    for (const [name, n] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + n)
  return [...sums].toSorted(([, a], [, b]) => b - a)
}

function page(runs: readonly ChaosRun[]): string {
  const sum = (of: (run: ChaosRun) => number): string =>
    runs.reduce((total, run) => total + of(run), 0).toLocaleString('en')
  const table = (head: string, rows: [string, number][]): string[] => [
    '',
    `| ${head} | times |`,
    '| --- | ---: |',
    ...rows.map(([name, n]) => `| ${name} | ${n.toLocaleString('en')} |`),
  ]
  return [
    '# Reliability',
    '',
    'Written by `npm run chaos -- --record`, from [reliability.json](reliability.json); never by hand. Every run is in it, those that found',
    'something too; what they found is mended, and named in [CHANGELOG.md](../CHANGELOG.md).',
    '',
    'The platform runs as separate processes on one data folder: `up` with its parts, or each stage, server and broker by itself; the stream',
    'embedded, or on a Kafka broker. Devices send over HTTP and MQTT and straight to the stream until they are answered. Meanwhile processes',
    'are killed and what else is named below is done to them. After some twenty kills all is mended, drained with `stages --once`, and',
    'compared: every acknowledged reading stands once in `silver.readings`, `verify` (Silver and Gold equal to their rebuild, the accounting',
    'closes) and `lake check` find nothing.',
    '',
    `**${sum(kills)} kills, ${sum((run) => run.acknowledged)} readings acknowledged: ${sum((run) => run.lost)} lost, ${sum((run) => run.twice)} twice**, in ` +
      `${sum((run) => run.rounds)} rounds of ${runs.length} runs, ${runs.filter((run) => run.problems.length > 0).length} of which found something.`,
    ...table('killed (SIGKILL)', added(runs.map(({ killed }) => killed))),
    ...table('besides', added(runs.map(({ faults }) => faults))),
    '',
    '| began | seed | stream | kills | rounds | acknowledged | lost | twice | commit | took | found |',
    '| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | --- |',
    ...runs.map(
      (run) =>
        `| ${[run.began.slice(0, 16) + 'Z', run.seed, run.streams.join(', '), kills(run), run.rounds, run.acknowledged, run.lost, run.twice, run.commit, `${run.took_s} s`, run.problems.map((text) => text.split('\n')[0]!.slice(0, 160).replaceAll('|', '/')).join('; ') || 'nothing'].join(' | ')} |`,
    ),
    '',
  ].join('\n')
}
