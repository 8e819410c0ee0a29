/** Figures for Prometheus, text format 0.0.4. Counters of a part begin at 0 with each of its starts. */
import type { DataStatus } from './contract.ts'

export interface ServerFigures {
  /** Open live connections. */
  clients: number
  startedMs: number
  /** Resident, bytes. */
  memoryBytes: number
  /** 99th percentile, ms. */
  eventLoopDelayMs: number
  version: string
}

type Type = 'gauge' | 'counter' | 'summary'
/** `suffix`: what a summary's figure is called. */
type Sample = readonly [labels: Readonly<Record<string, string>>, value: number, suffix?: '_sum' | '_count']

const STAGES = ['bronze', 'silver', 'gold'] as const

export function metricsText(status: DataStatus, server: ServerFigures): string {
  return [...lakeMetrics(status), ...streamMetrics(status), ...stageMetrics(status), ...partMetrics(status)]
    .concat(serverMetrics(server))
    .join('')
}

function lakeMetrics({ layers }: DataStatus): string[] {
  const tables = layers.flatMap((layer) => layer.tables)
  const each = (of: (table: (typeof tables)[number]) => number): Sample[] =>
    tables.map((table) => [{ table: table.name }, of(table)])
  return [
    metric(
      'smarthouse_lake_files',
      'gauge',
      'Data files of a table.',
      each(({ files }) => files),
    ),
    metric(
      'smarthouse_lake_rows',
      'gauge',
      'Rows of a table.',
      each(({ rows }) => rows),
    ),
    metric(
      'smarthouse_lake_bytes',
      'gauge',
      'Bytes of the data files of a table.',
      each(({ bytes }) => bytes),
    ),
    metric(
      'smarthouse_lake_version',
      'gauge',
      'Newest version of a table; -1: it cannot be read.',
      each(({ version }) => version),
    ),
    metric(
      'smarthouse_lake_damaged',
      'gauge',
      '1: the table cannot be read, or its newest entry is torn.',
      each(({ problem }) => (problem === null ? 0 : 1)),
    ),
    metric(
      'smarthouse_layer_lag',
      'gauge',
      'Input that is there and not yet worked off: messages before bronze, commits before the others.',
      layers.flatMap(({ layer, lag }): Sample[] => (lag ? [[{ layer, unit: lag.unit }, lag.value]] : [])),
    ),
  ]
}

function streamMetrics({ stream }: DataStatus): string[] {
  if (!stream) return []
  const each = (of: 'start' | 'end' | 'landed' | 'lag'): Sample[] =>
    stream.partitions.map((partition) => [{ partition: String(partition.partition) }, partition[of]])
  return [
    metric('smarthouse_stream_start_offset', 'gauge', 'Oldest kept offset.', each('start')),
    metric('smarthouse_stream_end_offset', 'gauge', 'Offset of the next message.', each('end')),
    metric('smarthouse_stream_landed_offset', 'gauge', 'Next offset for Bronze.', each('landed')),
    metric('smarthouse_stream_lag_messages', 'gauge', 'Messages not yet in Bronze.', each('lag')),
    metric(
      'smarthouse_stream_dropped_messages_total',
      'counter',
      'Accepted messages lost before Bronze: 0.',
      [[{}, stream.dropped]],
    ),
  ]
}

/** From what the process that runs the stages says of them. */
function stageMetrics({ parts }: DataStatus): string[] {
  const figureOf = (name: string): number | undefined =>
    parts.map(({ figures }) => figures[name]).find((value) => value !== undefined)
  const each = (figure: string, scale = 1): Sample[] =>
    STAGES.flatMap((stage): Sample[] => {
      const value = figureOf(`${stage}_${figure}`)
      return value === undefined ? [] : [[{ stage }, value * scale]]
    })
  const durations = STAGES.flatMap((stage): Sample[] => {
    const [steps, ms] = [figureOf(`${stage}_steps`), figureOf(`${stage}_step_ms`)]
    if (steps === undefined || ms === undefined) return []
    return [
      [{ stage }, ms / 1000, '_sum'],
      [{ stage }, steps, '_count'],
    ]
  })
  return [
    metric('smarthouse_stage_rows_total', 'counter', 'Rows that a stage has taken in.', each('rows')),
    metric(
      'smarthouse_stage_step_seconds',
      'summary',
      'How long the steps of a stage took that found something.',
      durations,
    ),
    metric(
      'smarthouse_stage_last_step_seconds',
      'gauge',
      'How long the last of them took.',
      each('last_step_ms', 0.001),
    ),
    metric(
      'smarthouse_stage_pending_readings',
      'gauge',
      'Arrivals taken note of, not yet in a table.',
      each('pending'),
    ),
  ]
}

function partMetrics({ parts }: DataStatus): string[] {
  const known = (of: (part: DataStatus['parts'][number]) => number | null): Sample[] =>
    parts.flatMap((part): Sample[] => {
      const value = of(part)
      return value === null ? [] : [[{ part: part.name }, value]]
    })
  return [
    metric(
      'smarthouse_part_running',
      'gauge',
      '1: the process runs; 0: it does not.',
      known(({ state }) => (state === 'running' ? 1 : 0)),
    ),
    metric(
      'smarthouse_part_restarts_total',
      'counter',
      'How often the process was started again.',
      known(({ restarts }) => restarts),
    ),
    metric(
      'smarthouse_part_memory_bytes',
      'gauge',
      'Resident memory of the process.',
      known(({ memory_bytes }) => memory_bytes),
    ),
    metric(
      'smarthouse_part_event_loop_delay_seconds',
      'gauge',
      'How late timers fired in the seconds before, 99th percentile.',
      known(({ event_loop_delay_ms: ms }) => (ms === null ? null : ms / 1000)),
    ),
  ]
}

function serverMetrics(server: ServerFigures): string[] {
  return [
    metric('smarthouse_build_info', 'gauge', 'The version that runs.', [[{ version: server.version }, 1]]),
    metric('smarthouse_sse_clients', 'gauge', 'Open live connections.', [[{}, server.clients]]),
    metric('process_start_time_seconds', 'gauge', 'When the server was started, Unix time.', [
      [{}, server.startedMs / 1000],
    ]),
    metric('process_resident_memory_bytes', 'gauge', 'Resident memory of the server.', [
      [{}, server.memoryBytes],
    ]),
    metric(
      'nodejs_eventloop_lag_p99_seconds',
      'gauge',
      'How late timers of the server fired since the last look, 99th percentile.',
      [[{}, server.eventLoopDelayMs / 1000]],
    ),
  ]
}

/** A metric without a sample is left out: its help alone would say nothing. */
function metric(name: string, type: Type, help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return ''
  const lines = samples.map(
    ([labels, value, suffix = '']) => `${name}${suffix}${labelText(labels)} ${value}\n`,
  )
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
