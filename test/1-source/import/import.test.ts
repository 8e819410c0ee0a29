import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { StreamLog } from '../../../src/2-stream/log.ts'
import { isPlatformError } from '../../../src/errors.ts'
import { readAll } from '../../2-stream/log.contract.ts'
import { openImportHouse, type ImportHouse } from './house.ts'

const withCode = (code: string) => (error: unknown) => isPlatformError(error) && error.code === code

describe('import', () => {
  let house: ImportHouse
  beforeEach(async () => {
    house = await openImportHouse()
  })
  afterEach(() => house.remove())

  test('a CSV whose header names fields, of the device that the file is named after', async () => {
    const path = house.file(
      'fridge.csv',
      '\uFEFFTimestamp,power_usage,note,temperature\r\n2024-01-15T10:30:00Z,120.5,"a, b",4\r\n\r\n2024-01-15T10:31:00Z,?,x,\r\n2024-01-15T10:32:00Z,,x,-1e1\r\n',
    )
    const report = await house.import(path)
    const common = {
      protocol: 'import',
      source_topic: 'fridge.csv',
      device_id: 'fridge',
      ingest_kind: 'backfill',
    }
    assert.deepEqual(await house.readings(), [
      { ...common, timestamp: '2024-01-15T10:30:00Z', power_usage: 120.5, temperature: 4 },
      { ...common, timestamp: '2024-01-15T10:32:00Z', temperature: -10 },
    ])
    assert.deepEqual(report, {
      rows: 3,
      taken: 2,
      readings: 2,
      appended: 2,
      unreadable: { no_value: { count: 1, examples: [{ path, line: 4, text: '' }] } },
      refused: [],
      cells: 0,
      notes: [],
      tenants: ['home'],
      files: [{ path, device: 'fridge', rows: 3, taken: 2, readings: 2, appended: 2 }],
    })
  })

  test('columns by number, local times, decimal commas, units, device and type from the path, a tenant', async () => {
    house.file(
      'Lamp/dev_D331DA_2012.01.15.csv',
      '15/01/2012 00:00:05;0,25;1.234,5\n16/01/2012 00:00:13;1,5;1234\n',
    )
    await house.import(join(house.dir, 'files'), {
      header: false,
      map: { timestamp: '1', energy_total_wh: '2', 'metrics.voltage_v': '3' },
      units: ['kWh'],
      device: '(dev_[0-9A-F]+)',
      type: '([^/]+)/[^/]+$',
      tenant: 'flat-2',
    })
    const [first, second] = await house.readings()
    assert.deepEqual(first, {
      protocol: 'import',
      source_topic: 'dev_D331DA_2012.01.15.csv',
      energy_total_wh: 250, // 0.25 kWh
      metrics: { voltage_v: 1234.5 },
      device_id: 'dev_D331DA',
      device_type: 'Lamp',
      timestamp: '2012-01-14T23:00:05Z',
      tenant_id: 'flat-2',
      ingest_kind: 'backfill',
    })
    assert.equal(second!.energy_total_wh, 1500)
    assert.deepEqual(
      (await readAll(house.log)).map((record) => record.key),
      ['flat-2/dev_D331DA', 'flat-2/dev_D331DA'],
    )
  })

  test('JSON lines keep their fields; a field may be mapped from another name', async () => {
    const path = house.file(
      'own.jsonl',
      '{"device_id":"a","timestamp":"2024-01-15T10:30:00Z","power_usage":5,"event_id":"e1","ingest_kind":"live","rssi":-60}\n' +
        'oops\n{"device_id":"a","timestamp":"soon","power_usage":5}\n{"timestamp":"2024-01-15T10:30:00Z","power_usage":5}\n',
    )
    const report = await house.import(path)
    assert.deepEqual(await house.readings(), [
      {
        protocol: 'import',
        source_topic: 'own.jsonl',
        device_id: 'a',
        power_usage: 5,
        event_id: 'e1',
        ingest_kind: 'backfill',
        rssi: -60,
        timestamp: '2024-01-15T10:30:00Z',
      },
    ])
    const reasons = Object.entries(report.unreadable).map(([reason, { examples }]) => [
      reason,
      examples[0]!.line,
    ])
    assert.deepEqual(reasons, [
      ['not_json', 2],
      ['no_time', 3],
      ['no_device', 4],
    ])

    const mapped = house.file('watts.jsonl', '{"t":1705314600,"watts":"7.5","device_id":"b"}\n')
    await house.import(mapped, { map: { timestamp: 't', power_usage: 'watts' } })
    assert.deepEqual((await house.readings()).at(-1), {
      protocol: 'import',
      source_topic: 'watts.jsonl',
      device_id: 'b',
      power_usage: 7.5,
      timestamp: '2024-01-15T10:30:00Z',
      ingest_kind: 'backfill',
    })
  })

  test('the same content again, packed or renamed with the device named, appends nothing; more rows are more content', async () => {
    const rows = Array.from({ length: 5_000 }, (_, n) => `${1_705_314_600 + n},${n}`)
    const csv = `timestamp,power_usage\n${rows.join('\n')}\n`
    const first = await house.import(house.file('a.csv', csv), { device: 'a' })
    assert.equal(first.appended, 5_000)
    const again = await house.import([house.file('a.csv', csv), house.file('packed.csv.gz', gzipSync(csv))], {
      device: 'a',
    })
    assert.deepEqual([again.rows, again.taken, again.appended], [10_000, 10_000, 0])
    assert.equal((await house.readings()).length, 5_000)
    // The stream is trimmed when Bronze has landed it: what was imported must not depend on it.
    const [bounds] = await house.log.bounds()
    await house.log.trim(0, bounds!.end)
    assert.equal((await house.import(house.file('a.csv', csv), { device: 'a' })).appended, 0)
    // The same numbers of another device are other readings.
    assert.equal((await house.import(house.file('b.csv', csv), { device: 'b' })).appended, 5_000)
  })

  test('a stop between two batches is gone on from', async () => {
    const rows = Array.from({ length: 9_000 }, (_, n) => `${1_705_314_600 + n},${n}`)
    const path = house.file('a.csv', `timestamp,power_usage\n${rows.join('\n')}\n`)
    const stop = new AbortController()
    const onProgress = ({ phase }: { phase: string }): void => {
      if (phase === 'append') stop.abort()
    }
    const stopped = await house.import(path, { signal: stop.signal, onProgress })
    assert.ok(stopped.appended > 0 && stopped.appended < 9_000)
    assert.equal((await house.import(path)).appended, 9_000 - stopped.appended)
    assert.deepEqual(
      (await house.readings()).map((reading) => reading.power_usage),
      rows.map((_, n) => n),
    )
  })

  test('an append that fails, or whose answer is lost, or that is done in part, is made whole by the next import', async () => {
    const rows = Array.from({ length: 6_500 }, (_, n) => `${1_705_314_600 + n},${n}`)
    const path = house.file('a.csv', `timestamp,power_usage\n${rows.join('\n')}\n`)
    let appends = 0
    const unlucky = (append: StreamLog['append']): StreamLog => ({
      ...({ topic: house.log.topic } as StreamLog),
      bounds: () => house.log.bounds(),
      read: (options) => house.log.read(options),
      append,
    })
    const failures: StreamLog['append'][] = [
      // the second batch is lost
      async (messages) => {
        if (++appends === 2) throw new Error('lost')
        await house.log.append(messages)
      },
      // appended, but the answer is lost
      async (messages) => {
        await house.log.append(messages)
        throw new Error('no answer')
      },
      // appended in part
      async (messages) => {
        await house.log.append(messages.filter((_, n) => n % 3 > 0))
        throw new Error('in part')
      },
    ]
    for (const append of failures) await assert.rejects(house.import(path, { log: unlucky(append) }))
    await house.import(path)
    const values = (await house.readings()).map((reading) => Number(reading.power_usage))
    assert.equal(values.length, 6_500)
    assert.equal(new Set(values).size, 6_500)
    assert.equal((await house.import(path)).appended, 0)
  })

  test('SIGKILL while importing, again and again: every row once', async () => {
    const rows = Array.from({ length: 20_000 }, (_, n) => `${1_705_314_600 + n},${n}`)
    const path = house.file('a.csv', `timestamp,power_usage\n${rows.join('\n')}\n`)
    const child = fileURLToPath(new URL('killed.ts', import.meta.url))
    let kills = 0
    for (let done = false; !done;) {
      const importing = spawn(process.execPath, [child, join(house.dir, 'stream'), path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let batches = 0
      for await (const line of createInterface({ input: importing.stdout })) {
        if (line.startsWith('done')) done = true
        if (line.startsWith('append') && ++batches === 2 && kills < 4) {
          kills++
          // At once, or in the middle of what follows.
          setTimeout(() => importing.kill('SIGKILL'), kills * 2)
        }
      }
    }
    const values = (await house.readings()).map((reading) => Number(reading.power_usage))
    assert.deepEqual(
      values,
      rows.map((_, n) => n),
    )
    assert.ok(kills >= 3)
  })

  test('bad rows never stop an import', async () => {
    const path = house.file(
      'a.csv',
      'timestamp,power_usage\n2024-01-15T10:30:00Z,1\nnever,2\n2024-01-15T10:31:00Z,much\n2024-01-15T10:31:00Z\n2024-01-15T10:32:00Z,4,5,6\n"2024-01-15T10:33:00Z,5\n',
    )
    const { rows, taken, unreadable } = await house.import(path)
    assert.deepEqual([rows, taken], [6, 2])
    const lines = Object.entries(unreadable).map(([reason, { count, examples }]) => [
      reason,
      count,
      examples[0]!.line,
    ])
    assert.deepEqual(lines, [
      ['no_time', 1, 3],
      ['bad_number', 1, 4],
      ['no_value', 1, 5],
      ['quote_not_closed', 1, 7],
    ])
  })

  test('what is no telemetry is refused with a cure, before anything of any file is appended', async () => {
    const good = house.file('good.csv', 'timestamp,power_usage\n2024-01-15T10:30:00Z,1\n')
    const cases: [name: string, content: string | Uint8Array, code: string][] = [
      ['empty.csv', '', 'file_not_telemetry'],
      ['header.csv', 'timestamp,power_usage\n', 'file_not_telemetry'],
      ['prose.csv', 'Dear reader,\nthis is a letter\nwithout a reading.\n', 'file_not_telemetry'],
      ['no-time.csv', 'when,power_usage\nearly,1\n', 'file_not_telemetry'],
      [
        'two-times.csv',
        'sent,got,power_usage\n2024-01-15T10:30Z,2024-01-15T10:31Z,1\n',
        'file_not_telemetry',
      ],
      ['no-value.csv', 'timestamp,colour\n2024-01-15T10:30:00Z,red\n', 'file_not_telemetry'],
      ['bad-time.csv', 'timestamp,power_usage\nMonday,1\nTuesday,2\n', 'file_not_telemetry'],
      ['unclear.csv', 'timestamp,power_usage\n01/02/2012 10:00,1\n', 'file_not_telemetry'],
      ['array.json', '[{"device_id":"a"}]', 'file_not_telemetry'],
      ['picture.csv', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 0]), 'file_not_telemetry'],
      [
        'cut-off.csv.gz',
        gzipSync('timestamp,power_usage\n2024-01-15T10:30:00Z,1\n'.repeat(50)).subarray(0, -12),
        'file_truncated',
      ],
    ]
    for (const [name, content, code] of cases) {
      await assert.rejects(house.import([good, house.file(name, content)]), withCode(code), name)
    }
    await assert.rejects(house.import([good, join(house.dir, 'absent.csv')]), withCode('file_missing'))
    await assert.rejects(house.import(good, { timeZone: 'Mars/Olympus' }), withCode('usage'))
    await assert.rejects(house.import(good, { map: { powr_usage: '2' } }), withCode('usage'))
    await assert.rejects(house.import(good, { map: { power_usage: '2' }, units: ['kWh'] }), withCode('usage'))
    await assert.rejects(house.import(good, { device: '(dev_.*)' }), withCode('usage'))
    await assert.rejects(
      house.import(good, { map: { power_usage: 'watts' } }),
      withCode('file_not_telemetry'),
    )
    assert.deepEqual(await house.readings(), [])
  })

  test('traces of real plugs (tracebase): every row of every file is taken, and none a second time', async (t) => {
    const traces = fileURLToPath(
      new URL('../../../../shared/data/timeseries/tracebase/complete/', import.meta.url),
    )
    if (!existsSync(traces)) return t.skip('the traces are not there: ../shared/data/timeseries/tracebase')
    const folders = readdirSync(traces).filter((name) => ['Lamp', 'Coffeemaker'].includes(name))
    const options = {
      header: false,
      map: { timestamp: '1', power_usage: '2' },
      dateOrder: 'dmy' as const,
      device: '(dev_[0-9A-F]+)',
    }
    const paths = folders.map((folder) => join(traces, folder))
    const report = await house.import(paths, options)
    assert.deepEqual(report.unreadable, {})
    assert.equal(report.appended, report.rows)
    const lamp = report.files.find((file) => file.path.includes('Lamp'))
    // zcat Lamp/*.gz | wc -l, and its first row: 15/01/2012 00:00:05;0;0 in Berlin's winter.
    assert.equal(lamp?.rows, 11_540)
    const first = (await house.readings()).find((reading) => reading.device_id === lamp?.device)
    assert.equal(first?.timestamp, '2012-01-14T23:00:05Z')
    assert.equal((await house.import(paths, options)).appended, 0)
    return undefined
  })
})
