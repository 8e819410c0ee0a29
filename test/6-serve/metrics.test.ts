import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { DataStatus } from '../../src/6-serve/contract.ts'
import { metricsText } from '../../src/6-serve/metrics.ts'
import { readExposition } from './exposition.ts'

const table = (name: string, problem: string | null = null) => ({
  name,
  files: 3,
  rows: 1_200_000_000_000,
  bytes: 4096,
  version: problem === null ? 7 : -1,
  updated_at: null,
  problem,
})

const layer = (name: string, lag: DataStatus['layers'][number]['lag']): DataStatus['layers'][number] => ({
  layer: name,
  state: 'ok',
  reason: '',
  files: 3,
  rows: 5,
  bytes: 4096,
  updated_at: null,
  lag,
  last_step_ms: null,
  tables: [table(`${name}.one`), table(`${name}.two`, 'torn')],
})

const part = (name: string, more: Partial<DataStatus['parts'][number]>): DataStatus['parts'][number] => ({
  name,
  state: 'running',
  since: '2026-03-10T13:00:00Z',
  restarts: 0,
  pending: null,
  last_error: null,
  memory_bytes: null,
  event_loop_delay_ms: null,
  figures: {},
  ...more,
})

const status: DataStatus = {
  generated_at: '2026-03-10T13:00:00Z',
  state: 'ok',
  reason: '',
  layers: [
    layer('bronze', { unit: 'messages', value: 12 }),
    layer('silver', { unit: 'commits', value: 2 }),
    layer('reference', null),
  ],
  stream: {
    topic: 'smart_home.telemetry',
    partitions: [
      { partition: 0, start: 1, end: 100, landed: 90, lag: 10 },
      { partition: 1, start: 1, end: 50, landed: 48, lag: 2 },
    ],
    dropped: 0,
  },
  parts: [
    part('stages', {
      restarts: 2,
      memory_bytes: 1024,
      event_loop_delay_ms: 12.5,
      figures: {
        bronze_rows: 90,
        bronze_steps: 4,
        bronze_step_ms: 500,
        bronze_last_step_ms: 125,
        bronze_pending: 3,
      },
    }),
    // Whoever names a part so must not be able to end a label.
    part('se"r\\v\ne', { state: 'restarting' }),
  ],
}
const server = {
  clients: 1,
  startedMs: 1_700_000_000_000,
  memoryBytes: 5,
  eventLoopDelayMs: 20,
  version: '0.1.0',
}

test('what is seen from outside: rows, files, lag, drops, stage durations, restarts, memory, event-loop delay, in the format of Prometheus', () => {
  const metrics = readExposition(metricsText(status, server))
  const value = (name: string, series: string): number | undefined => metrics.get(name)?.values.get(series)
  const expected: [name: string, series: string, value: number][] = [
    ['smarthouse_lake_rows', 'smarthouse_lake_rows{table="bronze.one"}', 1.2e12],
    ['smarthouse_lake_damaged', 'smarthouse_lake_damaged{table="bronze.one"}', 0],
    ['smarthouse_lake_damaged', 'smarthouse_lake_damaged{table="silver.two"}', 1],
    ['smarthouse_layer_lag', 'smarthouse_layer_lag{layer="silver",unit="commits"}', 2],
    ['smarthouse_stream_lag_messages', 'smarthouse_stream_lag_messages{partition="1"}', 2],
    ['smarthouse_stream_dropped_messages_total', 'smarthouse_stream_dropped_messages_total', 0],
    ['smarthouse_stage_rows_total', 'smarthouse_stage_rows_total{stage="bronze"}', 90],
    ['smarthouse_stage_step_seconds', 'smarthouse_stage_step_seconds_sum{stage="bronze"}', 0.5],
    ['smarthouse_stage_step_seconds', 'smarthouse_stage_step_seconds_count{stage="bronze"}', 4],
    ['smarthouse_stage_last_step_seconds', 'smarthouse_stage_last_step_seconds{stage="bronze"}', 0.125],
    ['smarthouse_stage_pending_readings', 'smarthouse_stage_pending_readings{stage="bronze"}', 3],
    ['smarthouse_part_restarts_total', 'smarthouse_part_restarts_total{part="stages"}', 2],
    ['smarthouse_part_running', 'smarthouse_part_running{part="stages"}', 1],
    ['smarthouse_part_running', 'smarthouse_part_running{part="se\\"r\\\\v\\ne"}', 0],
    ['smarthouse_part_memory_bytes', 'smarthouse_part_memory_bytes{part="stages"}', 1024],
    [
      'smarthouse_part_event_loop_delay_seconds',
      'smarthouse_part_event_loop_delay_seconds{part="stages"}',
      0.0125,
    ],
    ['nodejs_eventloop_lag_p99_seconds', 'nodejs_eventloop_lag_p99_seconds', 0.02],
    ['process_start_time_seconds', 'process_start_time_seconds', 1_700_000_000],
  ]
  for (const [name, series, figure] of expected) assert.equal(value(name, series), figure, series)
  // What is not known is not said, rather than said to be 0.
  assert.equal(metrics.get('smarthouse_part_memory_bytes')?.values.size, 1)
  assert.equal(
    readExposition(metricsText({ ...status, stream: null, parts: [] }, server)).has(
      'smarthouse_part_running',
    ),
    false,
  )
})

test('every metric stands in the docs, and no other', async () => {
  const docs = await readFile(new URL('../../docs/api.md', import.meta.url), 'utf8')
  const named = docs
    .slice(docs.indexOf('## Metrics'))
    .match(/(?<=`)(?:smarthouse|process|nodejs)_[a-z0-9_]+(?=`)/g)
  const metrics = readExposition(metricsText(status, server))
  assert.deepEqual(new Set(named), new Set(metrics.keys()))
})

test('the reader of the format refuses what a scraper would', () => {
  const good = '# HELP a_total A.\n# TYPE a_total counter\na_total{x="1"} 1\n'
  assert.equal(readExposition(good).size, 1)
  for (const bad of [
    good.slice(0, -1),
    good.replace('# HELP a_total A.\n', ''),
    good.replace('# TYPE a_total counter\n', ''),
    good.replaceAll('a_total', 'a'),
    good.replace('counter', 'gauge'),
    good.replace('} 1', '} one'),
    good.replace('"1"', '"1'),
    good.replace('x="1"', 'x="1",x="2"'),
    good + good,
    good + 'a_total{x="1"} 2\n',
    '# HELP a_total A.\n# TYPE a_total counter\n',
  ])
    assert.throws(() => readExposition(bad), JSON.stringify(bad))
})
