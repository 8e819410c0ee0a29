import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { CheckOptions } from '../../../src/1-source/import/check.ts'
import type { ImportOptions } from '../../../src/1-source/import/import.ts'
import { previewFiles } from '../../../src/1-source/import/preview.ts'
import { isPlatformError } from '../../../src/errors.ts'
import { openDuckDb } from '../../../src/lake/index.ts'
import { openImportHouse, type ImportHouse } from './house.ts'
import { importsInto, type Imported, type Refused } from './imported.ts'

let house: ImportHouse
let imported: Imported
let refused: Refused
before(async () => {
  house = await openImportHouse()
  ;({ imported, refused } = importsInto(house))
})
after(() => house.remove())
let seen = 0
beforeEach(async () => {
  seen = (await house.readings()).length
})

const power = (device_id: string, timestamp: string, power_usage: number) => ({
  device_id,
  timestamp,
  power_usage,
})
const used = (device_id: string, timestamp: string, energy_consumption_wh: number) => ({
  device_id,
  timestamp,
  energy_consumption_wh,
})

describe('wide files', () => {
  test('each numeric column is a device; the meter is of type mains, the others lie behind it; a bad cell costs itself', async () => {
    const words: unknown[] = []
    const path = house.file(
      'wide.csv',
      'Time,Aggregate,Kettle,Room\n2024-01-15 10:00,300.5,0,hall\n2024-01-15 10:01,Kettle,2000,hall\n2024-01-15 10:02,,?,hall\n',
    )
    const report = await house.import(path, {
      wide: true,
      parent: 'aggregate',
      timeZone: 'UTC',
      onDevices: async (devices) => void words.push(...devices),
    })
    const { rows, taken, readings, cells, unreadable } = report
    assert.deepEqual(
      { rows, taken, readings, cells, no_value: unreadable.no_value?.count },
      {
        rows: 3,
        taken: 2,
        readings: 3,
        cells: 1,
        no_value: 1,
      },
    )
    const found = (await house.readings()).slice(seen)
    assert.deepEqual(
      found.map(({ device_id, device_type, power_usage }) => [device_id, device_type, power_usage]),
      [
        ['Aggregate', 'mains', 300.5],
        ['Kettle', undefined, 0],
        ['Kettle', undefined, 2000],
      ],
    )
    assert.deepEqual(words, [{ tenant_id: 'home', device_id: 'Kettle', parent_device_id: 'Aggregate' }])
    const again = await house.import(path, { wide: true, parent: 'aggregate', timeZone: 'UTC' })
    assert.deepEqual([again.readings, again.appended], [3, 0])
  })

  test('units by column, pattern and header say what a column holds', async () => {
    const text =
      'time,T1,RH_1,fridge,Oven (kW),Light Wh\n2024-01-15T10:00Z,50,40,1.5,2,3\n2024-01-15T11:00Z,41,41,2.5,0,4\n'
    const readings = await imported(text, {
      wide: true,
      units: ['T?=F', 'RH_*=%', 'fridge=kWh'],
      device: 'flat-{column}',
    })
    assert.deepEqual(readings.slice(0, 5), [
      { device_id: 'flat-T1', timestamp: '2024-01-15T10:00:00Z', temperature: 10 },
      { device_id: 'flat-RH_1', timestamp: '2024-01-15T10:00:00Z', metrics: { rh_1_pct: 40 } },
      used('flat-fridge', '2024-01-15T10:00:00Z', 1500),
      power('flat-Oven (kW)', '2024-01-15T10:00:00Z', 2000),
      used('flat-Light Wh', '2024-01-15T10:00:00Z', 3),
    ])
  })

  test('a counter that nobody calls one is refused; called one it is taken', async () => {
    const rows = Array.from({ length: 12 }, (_, n) => `2024-01-15T${String(n + 10)}:00Z,${100 + n * 2}`)
    const text = `time,meter\n${rows.join('\n')}\n`
    await refused(text, { wide: true, units: ['kWh'] }, /never falls.*--cumulative/)
    const [first] = await imported(text, { wide: true, units: ['kWh'], cumulative: true })
    assert.deepEqual(first, {
      device_id: 'meter',
      timestamp: '2024-01-15T10:00:00Z',
      energy_total_wh: 100_000,
    })
  })
})

describe('values', () => {
  test('units in the header and in the cell, groups of thousands, marks of a missing value', async () => {
    const text = [
      'timestamp;Consumption kWh',
      '2024-01-15T10:00Z;0,5',
      '2024-01-15T11:00Z;1.234,5',
      '2024-01-15T12:00Z;#N/A',
      '2024-01-15T13:00Z;-9999',
      '2024-01-15T14:00Z;250 Wh',
      '2024-01-15T15:00Z;2 °C',
      '',
    ].join('\n')
    const map = { energy_consumption_wh: 'Consumption kWh' }
    assert.deepEqual(await imported(text, { map, device: 'm', missing: ['-9999'] }), [
      used('m', '2024-01-15T10:00:00Z', 500),
      used('m', '2024-01-15T11:00:00Z', 1_234_500),
      used('m', '2024-01-15T14:00:00Z', 250),
    ])
  })

  test('a comma is a fraction or thousands by the other cells of its column, and refused where nothing tells', async () => {
    const rows = (...cells: string[]) =>
      `timestamp,power_usage\n${cells.map((cell, n) => `2024-01-15T10:0${n}Z,"${cell}"`).join('\n')}\n`
    const watts = async (text: string, options: Partial<CheckOptions & ImportOptions> = {}) =>
      (await imported(text, options)).map(({ power_usage }) => power_usage)
    assert.deepEqual(await watts(rows('1,234', '0,5')), [1.234, 0.5])
    assert.deepEqual(await watts(rows('1,234', '0.5')), [1234, 0.5])
    assert.deepEqual(await watts(rows('1.234', '12,5')), [1234, 12.5])
    assert.deepEqual(await watts(rows("1'234.5", '1 234,5')), [1234.5, 1234.5])
    await refused(rows('1,234', '2,345'), {}, /1,234 in column power_usage.*--decimal/)
    assert.deepEqual(await watts(rows('1,234', '2,345'), { decimal: 'point' }), [1234, 2345])
  })

  test('what a lone value column measures is asked, and said with --field', async () => {
    const text = 'timestamp,value\n2024-01-15 10:00:00,50\n'
    await refused(text, {}, /what value measures is not clear.*--field/)
    await refused('timestamp,Use [kWh]\n2024-01-15 10:00,1\n', {}, /each interval or a counter/)
    assert.deepEqual(await imported(text, { field: 'temperature', units: ['F'], device: 'm' }), [
      { device_id: 'm', timestamp: '2024-01-15T10:00:00Z', temperature: 10 },
    ])
    assert.deepEqual(await imported('timestamp,Power (kW)\n2024-01-15 10:00,2\n', { device: 'p' }), [
      power('p', '2024-01-15T10:00:00Z', 2000),
    ])
  })
})

describe('times', () => {
  test('a column for the date and one for the clock; a meter of the electricity board in kilowatts', async () => {
    const text =
      'Date;Time;Global_active_power\n16/12/2006;17:24:00;4.216\n16/12/2006;17:25:00;?\n17/12/2006;00:00:00;5\n17/12/2006;00:0'
    const options = {
      map: { power_usage: 'Global_active_power' },
      units: ['kW'],
      device: 'm',
      timeZone: 'Europe/Paris',
    }
    const report = await house.import(house.file('board.txt', text), options)
    assert.deepEqual(
      (await house.readings()).slice(seen).map(({ timestamp, power_usage }) => [timestamp, power_usage]),
      [
        ['2006-12-16T16:24:00Z', 4216],
        ['2006-12-16T23:00:00Z', 5000],
      ],
    )
    assert.deepEqual(Object.keys(report.unreadable), ['no_value', 'cut_off'])
  })

  test('no header, a preamble, columns parted by space', async () => {
    assert.deepEqual(
      await imported('1705314600 220.5\n1705314606 221\n', { map: { power_usage: '2' }, device: 'a' }),
      [power('a', '2024-01-15T10:30:00Z', 220.5), power('a', '2024-01-15T10:30:06Z', 221)],
    )
    const text = 'Export of plug 7\n\nTime;W\n15.01.2024 10:30;5\n'
    assert.deepEqual(await imported(text, { map: { power_usage: 'w' }, device: 'b' }), [
      power('b', '2024-01-15T10:30:00Z', 5),
    ])
  })

  test('hour-ending labels: midnight with the date of the day that it ends, and the spring that has no second hour', async () => {
    const text = [
      'DateTime,kWh',
      '03/10/2012 22:00:00,1',
      '03/10/2012 23:00:00,2',
      '03/10/2012 00:00:00,3',
      '03/11/2012 01:00:00,4',
      '03/11/2012 03:00:00,5',
      '03/13/2012 01:00:00,6',
      '',
    ].join('\n')
    const readings = await imported(text, {
      field: 'energy_consumption_wh',
      units: ['kWh'],
      device: 'm',
      timeZone: 'America/Toronto',
    })
    // Toronto is 5 hours behind UTC, from 2012-03-11 02:00 on 4.
    assert.deepEqual(readings, [
      used('m', '2012-03-11T03:00:00Z', 1000),
      used('m', '2012-03-11T04:00:00Z', 2000),
      used('m', '2012-03-11T05:00:00Z', 3000),
      used('m', '2012-03-11T06:00:00Z', 4000),
      used('m', '2012-03-11T07:00:00Z', 5000),
      used('m', '2012-03-13T05:00:00Z', 6000),
    ])
  })

  test('labels that name the start: the energy counts at the end, the power from the start; a date is the whole day', async () => {
    const text = 'start,energy_consumption_wh,power_usage\n2024-01-15 00:00,5,20\n2024-01-15 00:15,6,24\n'
    assert.deepEqual(await imported(text, { device: 'm' }), [
      power('m', '2024-01-15T00:00:00Z', 20),
      used('m', '2024-01-15T00:15:00Z', 5),
      power('m', '2024-01-15T00:15:00Z', 24),
      used('m', '2024-01-15T00:30:00Z', 6),
    ])
    // The day of the change to summer time in Berlin ends at 22:00 UTC, 23 hours after it began.
    const days = 'date,energy_consumption_wh\n2024-03-30,5\n2024-03-31,6\n'
    assert.deepEqual(await imported(days, { device: 'd', timeZone: 'Europe/Berlin' }), [
      used('d', '2024-03-30T23:00:00Z', 5),
      used('d', '2024-03-31T22:00:00Z', 6),
    ])
  })

  test('rows in the hour that spring leaves out keep beside those an hour later, and the report says so', async () => {
    const path = house.file(
      'spring.csv',
      'timestamp,energy_consumption_wh\n2016-03-27 01:30,1\n2016-03-27 02:30,2\n2016-03-27 03:30,3\n',
    )
    const { notes } = await house.import(path, { timeZone: 'Europe/Brussels' })
    assert.match(notes[0]!, /1 rows have times that no clock of Europe\/Brussels has shown.*--tz \+01:00/)
    const readings = (await house.readings()).slice(seen)
    assert.deepEqual(
      readings.map(({ timestamp, event_id }) => [timestamp, event_id]),
      [
        ['2016-03-27T00:30:00Z', undefined],
        ['2016-03-27T01:30:00Z', '2016-03-27 02:30'],
        ['2016-03-27T01:30:00Z', undefined],
      ],
    )
    const fixed = 'timestamp,power_usage\n2016-03-27 02:30,2\n2016-03-27 03:30,3\n'
    assert.deepEqual(await imported(fixed, { device: 'x', timeZone: '+01:00' }), [
      power('x', '2016-03-27T01:30:00Z', 2),
      power('x', '2016-03-27T02:30:00Z', 3),
    ])
  })

  test('dates whose order is not clear, or that contradict each other, are refused and can be said', async () => {
    const mixed = 'timestamp,power_usage\n13/02/2012 10:00,1\n02/13/2012 10:00,2\n'
    await refused(mixed, {}, /some of its times.*--date-order/)
    assert.deepEqual(await imported(mixed, { dateOrder: 'dmy', device: 'm' }), [
      power('m', '2012-02-13T10:00:00Z', 1),
    ])
    await refused('timestamp,power_usage\n01/02/2012 10:00,1\n', {}, /whether day or month.*--date-order/)
  })
})

test('Parquet: times with and without a zone, floats of four bytes, decimals, a wide table', async () => {
  const path = join(house.dir, 'plugs.parquet')
  const engine = await openDuckDb()
  const session = await engine.session()
  await session.run(
    `COPY (SELECT TIMESTAMP '2024-07-15 10:00:00' + INTERVAL 1 MINUTE * i AS at, CAST(0.1 + i AS FLOAT) AS kettle,
       CAST(2.25 AS DECIMAL(9, 2)) AS lamp, 'text' AS room, [1] AS list FROM range(2) t(i)) TO '${path}' (FORMAT parquet)`,
  )
  const zoned = join(house.dir, 'zoned.parquet')
  await session.run(
    `COPY (SELECT TIMESTAMPTZ '2024-07-15 10:00:00.5+02' AS timestamp, 7.5 AS power_usage, 'plug' AS device_id) TO '${zoned}' (FORMAT parquet)`,
  )
  await engine.close()
  const report = await house.import(path, { wide: true, timeZone: 'Europe/Berlin' })
  await house.import(zoned)
  const readings = (await house.readings()).slice(seen)
  assert.deepEqual(
    readings.map(({ device_id, timestamp, power_usage }) =>
      power(String(device_id), String(timestamp), Number(power_usage)),
    ),
    [
      power('kettle', '2024-07-15T08:00:00Z', 0.1),
      power('lamp', '2024-07-15T08:00:00Z', 2.25),
      power('kettle', '2024-07-15T08:01:00Z', 1.1),
      power('lamp', '2024-07-15T08:01:00Z', 2.25),
      power('plug', '2024-07-15T08:00:00.5Z', 7.5),
    ],
  )
  assert.deepEqual([report.rows, report.readings], [2, 4])
  assert.equal((await house.import(path, { wide: true, timeZone: 'Europe/Berlin' })).appended, 0)
  const broken = house.file('broken.parquet', 'PAR1 and no more')
  await assert.rejects(
    house.import(broken),
    (error) => isPlatformError(error) && error.code === 'file_not_telemetry',
  )
})

test('--dry-run: columns, units and the first rows as readings, and nothing is taken', async () => {
  const path = house.file('dry.csv', 'Time;Power (kW)\n15/01/2024 10:00;1,5\n15/01/2024 11:00;?\n')
  const { files } = await previewFiles({ paths: [path], timeZone: 'Europe/Berlin', device: 'oven' })
  const [preview] = files
  assert.deepEqual(preview!.description, [
    'CSV, columns parted by ";", header in line 1',
    'time: column 1 (clock of Europe/Berlin; order dmy; every 3600 s)',
    '"Power (kW)" → power_usage (in kW, decimal comma), device oven',
  ])
  assert.deepEqual(preview!.devices, [{ tenant_id: 'home', device_id: 'oven', expected_interval_s: 3600 }])
  const [first, second] = preview!.rows
  assert.equal(first!.readings[0]!.power_usage, 1500)
  assert.deepEqual(second, { line: 3, readings: [], fault: 'no_value' })
  assert.equal((await house.readings()).length, seen)
})
