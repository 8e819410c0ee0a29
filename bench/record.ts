/** What runs of the benchmarks leave behind: a JSON document, and the page that is written from it. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { EXPLAINED } from './explained.ts'
import { budgetText, ratioText, rounded, type Row, verdict } from './rows.ts'

export interface Machine {
  system: string
  cpu: string
  cores: number
  memory_gb: number
  /** Processes that wanted a core in the minute before the run, on average: above 0.5 others were working, too. */
  load_before: number
}

/** One run of one benchmark. */
export interface BenchRun {
  measures: string
  began: string
  took_s: number
  machine: Machine
  versions: Record<string, string>
  commit: string
  rows: Row[]
  /** Why there are no more rows: it failed or took too long. */
  fault?: string
  /** Cases whose rows are of runs of their own, later than this one. */
  later?: Record<string, Pick<BenchRun, 'began' | 'commit' | 'machine'>>
}

export type Performance = Record<string, BenchRun>

export function machine(): Machine {
  return {
    system: `${process.platform} ${release()} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory_gb: Math.round(totalmem() / 2 ** 30),
    load_before: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  }
}

/** Of the runtime and of what does the work. */
export function versions(root: string): Record<string, string> {
  const installed = (name: string): string =>
    (
      JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
        version: string
      }
    ).version
  return {
    node: process.versions.node,
    sqlite: process.versions['sqlite'] ?? 'unknown',
    ...Object.fromEntries(
      ['@duckdb/node-api', '@platformatic/kafka', 'aedes', 'fastify'].map((name) => [name, installed(name)]),
    ),
  }
}

export function commit(root: string): string {
  try {
    const git = (...words: string[]): string =>
      execFileSync('git', words, { cwd: root, encoding: 'utf8' }).trim()
    return (
      git('rev-parse', '--short', 'HEAD') +
      (git('status', '--porcelain', '--', 'src', 'bench', 'test') === '' ? '' : ' with changes')
    )
  } catch {
    return 'unknown'
  }
}

export function readRecord(file: string): Performance {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Performance) : {}
}

/** What a row of a layer's benchmark begins with: the layer and its case. */
const caseOf = ({ what }: Row): string => what.split(':')[0]!

/** A run with the rows of some of its cases replaced by those of a later one; these cases say of when they are. */
export function withCases(run: BenchRun | undefined, cases: BenchRun): BenchRun {
  if (run === undefined || cases.fault !== undefined) return cases
  const { began, commit: of, machine: on } = cases
  const names = [...new Set(cases.rows.map(caseOf))]
  const rows = run.rows.flatMap((row, index) => {
    const name = caseOf(row)
    if (!names.includes(name)) return [row]
    const isFirst = run.rows.findIndex((one) => caseOf(one) === name) === index
    return isFirst ? cases.rows.filter((one) => caseOf(one) === name) : []
  })
  rows.push(...cases.rows.filter((row) => !rows.includes(row)))
  const later = Object.fromEntries(names.map((name) => [name, { began, commit: of, machine: on }]))
  return { ...run, rows, later: { ...run.later, ...later } }
}

export function page(record: Performance): string {
  return [
    '# Performance',
    '',
    'Written by `npm run bench -- --record`, from [performance.json](performance.json); never by hand. Each figure stands beside its limit: what',
    'DuckDB, SQLite, the file system or the bare client alone showed on the same data in the same run. The ratio is figure / limit: of a',
    'rate, the share of what is possible; of a time or a size, how many times as much.',
    ...Object.entries(record).flatMap(([name, run]) => section(name, run)),
    '',
  ].join('\n')
}

function section(name: string, run: BenchRun): string[] {
  const { machine: on, versions: of } = run
  return [
    '',
    `## ${name}`,
    '',
    `${run.measures}`,
    '',
    ...(run.rows.some(({ at }) => at !== undefined) ? sizesTable(run.rows) : rowsTable(run.rows)),
    ...(run.fault === undefined ? [] : ['', `**Not finished:** ${run.fault}`]),
    ...(EXPLAINED[name] ?? []).flatMap((paragraph) => ['', paragraph]),
    '',
    `${run.began}, ${rounded(run.took_s)} s, commit ${run.commit}; ${on.cpu}, ${on.cores} cores, ${on.memory_gb} GB, ${on.system}, load before ` +
      `${on.load_before}; ${Object.entries(of)
        .map(([what, version]) => `${what} ${version}`)
        .join(', ')}.`,
    ...Object.entries(run.later ?? {}).flatMap(([what, { began, commit: by, machine: then }]) => [
      '',
      `${what}: ${began}, commit ${by}, load before ${then.load_before}.`,
    ]),
  ]
}

function rowsTable(rows: readonly Row[]): string[] {
  return [
    '| what | figure | unit | limit | ratio | budget | |',
    '| --- | ---: | --- | --- | ---: | ---: | --- |',
    ...rows.map((row) =>
      line([
        row.what.trim() + (row.data ? ` (${row.data})` : ''),
        rounded(row.figure),
        row.unit,
        row.limit ? `${rounded(row.limit.figure)}: ${row.limit.of}` : '',
        ratioText(row),
        budgetText(row),
        verdict(row),
      ]),
    ),
  ]
}

/** What was measured at several sizes: a line for each measure, a column for each size. */
function sizesTable(rows: readonly Row[]): string[] {
  const sizes = [...new Set(rows.map(({ at }) => at ?? ''))]
  const measures = [...new Map(rows.map(({ what, unit }) => [what, unit]))]
  const figure = (what: string, size: string): string => {
    const found = rows.find((row) => row.what === what && row.at === size)
    return found ? rounded(found.figure) : ''
  }
  return [
    line(['what', 'unit', ...sizes]),
    line(['---', '---', ...sizes.map(() => '---:')]),
    ...measures.map(([what, unit]) => line([what, unit, ...sizes.map((size) => figure(what, size))])),
  ]
}

const line = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
