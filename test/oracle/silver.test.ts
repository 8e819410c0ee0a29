import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arrivals, catalogued, house } from './arrivals.ts'
import { oracle } from './oracle.ts'
import type { BronzeRow, Row } from './types.ts'

const T = (time: string): string => `2024-06-03T${time}Z`
const readingsOf = (bronze: BronzeRow[], of = house()): Row[] => oracle(bronze, of)['silver.readings']
const column = (rows: Row[], name: string): unknown[] => rows.map((row) => row[name])

test('the first arrival of an identity owns its fields: a partial is a row, a repeat a duplicate, another value a conflict', () => {
  const timestamp = T('10:00:00')
  const tables = oracle(
    arrivals(
      { timestamp, power_usage: 5 },
      { timestamp, power_usage: 5, temperature: 20 },
      { timestamp, power_usage: 5 },
      { timestamp, power_usage: 6, status: 'online' },
      { timestamp, status: 'offline' },
      { timestamp, power_usage: 5, event_id: 'other' },
    ),
    house(),
  )
  assert.deepEqual(
    tables['silver.readings'].map((r) => [
      r['stream_offset'],
      r['power_usage'],
      r['temperature'],
      r['status'],
    ]),
    [
      [0, 5, null, null],
      [1, null, 20, null],
      [4, null, null, 'offline'],
      [5, 5, null, null],
    ],
  )
  assert.deepEqual(
    tables['silver.rejects'].map((r) => [r['stream_offset'], r['reject_reason']]),
    [[3, 'conflict']],
  )
  assert.deepEqual(
    tables['silver.duplicates'].map((r) => [r['stream_offset'], r['of_stream_offset']]),
    [[2, 0]],
  )
})

test('sentinels null the field and stay; out of range, future, past and empty are rejected', () => {
  const tables = oracle(
    arrivals(
      { timestamp: T('10:00:00'), temperature: -127 },
      { timestamp: T('10:00:01'), temperature: 85, metrics: { uptime_s: 60 } },
      { timestamp: T('10:00:02'), temperature: 85, metrics: { uptime_s: 61 } },
      { timestamp: T('10:00:03'), temperature: 100.1 },
      { timestamp: T('10:00:04'), power_usage: 10_000.5 },
      { timestamp: T('10:00:05'), power_usage: -3, device_type: 'solar' },
      { timestamp: T('10:00:06'), energy_consumption_wh: -0.1 },
      { timestamp: T('10:00:07') },
      { timestamp: '1999-12-31T23:59:59.999999Z', power_usage: 1 },
      { timestamp: T('10:10:01'), power_usage: 1, ingestion_time: T('10:00:01') },
      { timestamp: T('10:10:01.000001'), power_usage: 1, ingestion_time: T('10:00:01') },
      { timestamp: null, power_usage: 1 },
      { timestamp: T('10:00:09'), power_usage: 1, device_id: ' ' },
      { timestamp: null, device_id: null, faults: ['not_json'] },
      { timestamp: T('10:00:10'), faults: ['temperature'] },
      { timestamp: T('10:00:11'), energy_total_wh: 9e12 },
    ),
    house(),
  )
  const accepted = tables['silver.readings'].toSorted(
    (a, b) => Number(a['stream_offset']) - Number(b['stream_offset']),
  )
  assert.deepEqual(
    accepted.map((r) => [r['stream_offset'], r['quality_reasons']]),
    [
      [0, ['sentinel:temperature']],
      [1, ['power_up:temperature']],
      [2, ['temperature_unusual']],
      [5, []],
      [9, []],
      [14, ['not_a_number:temperature']],
      [15, ['too_large:energy_total_wh']],
    ],
  )
  assert.deepEqual(
    tables['silver.rejects']
      .map((r) => [r['stream_offset'], r['reject_reason']])
      .toSorted((a, b) => Number(a[0]) - Number(b[0])),
    [
      [3, 'temperature_out_of_range'],
      [4, 'power_out_of_range'],
      [6, 'negative_energy'],
      [7, 'empty'],
      [8, 'before_2000'],
      [10, 'in_future'],
      [11, 'missing_timestamp'],
      [12, 'missing_device_id'],
      [13, 'not_json'],
    ],
  )
})

test('quality: ten points for each unknown, twenty for an unusual temperature or power', () => {
  const rows = readingsOf(
    arrivals({
      timestamp: T('10:00:00'),
      temperature: -1,
      power_usage: 300,
      device_type: 'smart_bulb',
      location: ' ',
      model: null,
    }),
    house({ catalogue: [catalogued({ model: 'y' })] }),
  )
  // 100 − 10 (location) − 20 (below 0 °C) − 20 (above the 250 W of a bulb) = 50; the catalogue knows the model.
  assert.equal(rows[0]?.['quality_score'], '0.500000')
  assert.equal(rows[0]?.['is_valid'], true)
  assert.deepEqual(rows[0]?.['quality_reasons'], ['unknown_location', 'temperature_unusual', 'power_high'])
})

test('one-hour windows reach over (t − 1 h, t] of the channel; alerts over the device', () => {
  const rows = readingsOf(
    arrivals(
      { timestamp: T('09:00:00'), temperature: 10, alert: 'smoke' },
      { timestamp: T('09:00:00.000001'), temperature: 20, channel: '', alert: 'none' },
      { timestamp: T('09:30:00'), temperature: 99, channel: 'b', alert: 'smoke' },
      { timestamp: T('10:00:00'), temperature: 30.5 },
    ),
  )
  const last = rows.find((row) => row['stream_offset'] === 3)
  assert.equal(last?.['temp_1h_avg'], 25.25) // (20 + 30.5) / 2: the one exactly an hour before is out
  assert.equal(last?.['alert_frequency_1h'], 1)
})

test('late is live and beyond the watermark; age counts dates', () => {
  const rows = readingsOf(
    arrivals(
      { timestamp: T('00:00:00'), power_usage: 1, ingestion_time: '2024-06-05T00:00:00Z' },
      { timestamp: T('00:00:01'), power_usage: 1, ingestion_time: '2024-06-05T00:00:01.000001Z' },
      {
        timestamp: T('00:00:02'),
        power_usage: 1,
        ingestion_time: '2024-06-06T00:00:00Z',
        ingest_kind: 'backfill',
      },
    ),
    house({ catalogue: [catalogued({ installation_date: '2024-05-31' })] }),
  )
  assert.deepEqual(column(rows, 'is_late_event'), [false, true, false])
  assert.deepEqual(column(rows, 'device_age_days'), [3, 3, 3])
  assert.equal(rows[0]?.['processing_delay_hours'], 48)
})
