/** What every adapter of the stream promises. An adapter's test hands over how to open it, here and in another process. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { StreamLog, StreamMessage, StreamRecord } from '../../src/2-stream/log.ts'
import { isPlatformError } from '../../src/errors.ts'

/** How another process opens the same log: `(await import(module))[opener](options)`. */
export interface LogOpening {
  module: string
  opener: string
  options: object
}

export interface LogUnderTest {
  name: string
  /** Where a log lies that does not exist yet. */
  fresh(): Promise<LogOpening>
  cleanUp(): Promise<void>
}

const PRODUCER = fileURLToPath(new URL('producer.ts', import.meta.url))

export async function openLog(opening: LogOpening): Promise<StreamLog> {
  const module = (await import(opening.module)) as Record<string, (options: object) => Promise<StreamLog>>
  return module[opening.opener]!(opening.options)
}

export function message(
  text: string,
  key: string | null = 'device',
  headers?: Record<string, string>,
): StreamMessage {
  return { key, value: Buffer.from(text), ...(headers && { headers }) }
}

export function texts(records: readonly StreamRecord[]): string[] {
  return records.map((record) => Buffer.from(record.value).toString())
}

/** Everything that the log keeps, read in small pieces over all partitions. */
export async function readAll(log: StreamLog): Promise<StreamRecord[]> {
  const all: StreamRecord[] = []
  for (const { partition, start, end } of await log.bounds()) {
    let offset = start
    while (offset < end) {
      const records = await log.read({ partition, offset, maxRecords: 1_000 })
      if (records.length === 0) break
      all.push(...records)
      offset = records.at(-1)!.offset + 1
    }
  }
  return all
}

function producer(opening: LogOpening, name: string, count: number): ChildProcess {
  return spawn(process.execPath, [PRODUCER, JSON.stringify(opening), name, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

function numbersOf(records: readonly StreamRecord[], name: string): number[] {
  return records.filter((record) => record.key === name).map((record) => Number(Buffer.from(record.value)))
}

type LogTest = (log: StreamLog, opening: LogOpening) => Promise<void>

function testWithLog(subject: LogUnderTest, name: string, body: LogTest): void {
  test(name, async () => {
    const opening = await subject.fresh()
    const log = await openLog(opening)
    try {
      await body(log, opening)
    } finally {
      await log.close()
    }
  })
}

export function logContract(subject: LogUnderTest): void {
  const withLog = (name: string, body: LogTest): void => testWithLog(subject, name, body)

  describe(`stream contract: ${subject.name}`, () => {
    after(() => subject.cleanUp())

    withLog('an append is there for every reader once it has resolved, in order', async (log, opening) => {
      const other = await openLog(opening)
      const [before] = await log.bounds()
      assert.equal(before!.start, before!.end)
      await log.append([message('a'), message('b')])
      await log.append([message('c')])
      assert.deepEqual(texts(await readAll(other)), ['a', 'b', 'c'])
      const [bounds] = await other.bounds()
      assert.equal(bounds!.end - bounds!.start, 3)
      await other.close()
    })

    withLog(
      'appends that run at the same time keep the order of each key, each message once',
      async (log) => {
        const appends: Promise<void>[] = []
        for (let n = 0; n < 3_000; n += 3) {
          appends.push(log.append([0, 1, 2].map((step) => message(String(n + step), `key-${(n / 3) % 7}`))))
        }
        await Promise.all(appends)
        const records = await readAll(log)
        assert.equal(records.length, 3_000)
        for (let key = 0; key < 7; key++) {
          const numbers = numbersOf(records, `key-${key}`)
          assert.deepEqual(
            numbers,
            numbers.toSorted((a, b) => a - b),
          )
        }
        assert.equal(new Set(texts(records)).size, 3_000)
      },
    )

    withLog('a read begins at the offset asked for and stops at the limits given', async (log) => {
      await log.append(['one', 'two', 'three', 'four', 'five'].map((text) => message(text)))
      const records = await readAll(log)
      const { partition, offset } = records[1]!
      const read = async (limits: { maxRecords: number; maxBytes?: number }): Promise<string[]> =>
        texts(await log.read({ partition, offset, ...limits }))
      assert.deepEqual(await read({ maxRecords: 2 }), ['two', 'three'])
      assert.deepEqual(await read({ maxRecords: 100 }), ['two', 'three', 'four', 'five'])
      // 'two' has 3 bytes, 'three' 5: the limit of 4 is reached within the second.
      assert.deepEqual(await read({ maxRecords: 100, maxBytes: 4 }), ['two', 'three'])
      assert.deepEqual(await read({ maxRecords: 100, maxBytes: 1 }), ['two'])
      const [bounds] = await log.bounds()
      assert.deepEqual(await log.read({ partition, offset: bounds!.end, maxRecords: 10 }), [])
    })

    withLog('every record says where it lies and when it was accepted', async (log) => {
      const before = Date.now() * 1000
      await log.append([message('a'), message('b')])
      await log.append([message('c')])
      const records = await readAll(log)
      for (const [index, record] of records.entries()) {
        assert.equal(record.topic, log.topic)
        assert.ok(Number.isSafeInteger(record.ingestionTimeUs) && record.ingestionTimeUs >= before - 1_000)
        assert.ok(record.ingestionTimeUs <= (Date.now() + 1_000) * 1000)
        if (index === 0) continue
        assert.ok(record.offset > records[index - 1]!.offset)
        assert.ok(record.ingestionTimeUs >= records[index - 1]!.ingestionTimeUs)
      }
    })

    withLog('what was trimmed is said to be gone, what was kept is read', async (log) => {
      await log.append(['a', 'b', 'c', 'd'].map((text) => message(text)))
      const records = await readAll(log)
      const { partition, offset } = records[2]!
      await log.trim(partition, offset)
      assert.deepEqual((await log.bounds()).find((bounds) => bounds.partition === partition)!.start, offset)
      assert.deepEqual(texts(await readAll(log)), ['c', 'd'])
      await assert.rejects(
        log.read({ partition, offset: records[1]!.offset, maxRecords: 10 }),
        (error) => isPlatformError(error) && error.code === 'stream_gap',
      )
    })

    withLog('a log that was emptied goes on above its last offset, reopened too', async (log, opening) => {
      await log.append([message('a'), message('b')])
      const last = (await readAll(log)).at(-1)!
      await log.trim(last.partition, last.offset + 1)
      const emptied = (await log.bounds()).find((bounds) => bounds.partition === last.partition)!
      assert.deepEqual(emptied, { partition: last.partition, start: last.offset + 1, end: last.offset + 1 })
      await log.close()
      const again = await openLog(opening)
      await again.append([message('c')])
      const [record, ...rest] = await readAll(again)
      assert.equal(rest.length, 0)
      assert.ok(record!.offset > last.offset)
      assert.ok(record!.ingestionTimeUs >= last.ingestionTimeUs)
      await again.close()
    })

    withLog('values are bytes: empty, large, and of every kind', async (log) => {
      const large = Buffer.alloc(900_000, 'x')
      const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
      const values = [Buffer.alloc(0), everyByte, large]
      await log.append(values.map((value) => ({ key: null, value })))
      const records = await readAll(log)
      assert.equal(records.length, 3)
      for (const [index, record] of records.entries()) assert.ok(values[index]!.equals(record.value))
    })

    withLog('keys and headers come back as they were given', async (log) => {
      const headers = { import: 'digest/1', 'umläut "quoted"': '€ \u{1F600}', empty: '' }
      await log.append([message('a', null), message('b', 'küche/1', headers), message('c', '')])
      const records = await readAll(log)
      const byText = new Map(records.map((record) => [texts([record])[0], record]))
      assert.equal(byText.get('a')!.key, null)
      assert.deepEqual(byText.get('a')!.headers ?? {}, {})
      assert.equal(byText.get('b')!.key, 'küche/1')
      assert.deepEqual(byText.get('b')!.headers, headers)
      assert.equal(byText.get('c')!.key, '')
    })

    withLog('a waiting read wakes for what another handle appends', async (log, opening) => {
      const other = await openLog(opening)
      const [{ partition, end } = { partition: 0, end: 0 }] = await log.bounds()
      const waiting = log.read({ partition, offset: end, maxRecords: 10, waitMs: 10_000 })
      await sleep(30)
      await other.append([message('news')])
      assert.deepEqual(texts(await waiting), ['news'])
      await other.close()
    })

    withLog('a wait ends empty by its time, by its signal and by close', async (log) => {
      const [{ partition, end } = { partition: 0, end: 0 }] = await log.bounds()
      const options = { partition, offset: end, maxRecords: 10 }
      const began = performance.now()
      assert.deepEqual(await log.read({ ...options, waitMs: 50 }), [])
      assert.ok(performance.now() - began >= 49)

      const stop = new AbortController()
      const aborted = log.read({ ...options, waitMs: 60_000, signal: stop.signal })
      const closed = log.read({ ...options, waitMs: 60_000 })
      setTimeout(() => stop.abort(), 20)
      assert.deepEqual(await aborted, [])
      await log.close()
      assert.deepEqual(await closed, [])
      assert.ok(performance.now() - began < 30_000)
    })

    withLog(
      'a stop makes durable what was handed over before, and takes nothing after',
      async (log, opening) => {
        const appends = Array.from({ length: 200 }, (_, n) => log.append([message(String(n))]))
        await log.close()
        await Promise.all(appends)
        await assert.rejects(log.append([message('too late')]))
        const again = await openLog(opening)
        assert.deepEqual(
          texts(await readAll(again)).map(Number),
          Array.from({ length: 200 }, (_, n) => n),
        )
        await again.close()
      },
    )

    withLog('two other processes append at the same time as this one', async (log, opening) => {
      const exits = ['left', 'right'].map((name) => {
        const child = producer(opening, name, 400)
        child.stdout!.resume()
        return new Promise<number | null>((resolve) => child.on('exit', resolve))
      })
      for (let n = 0; n < 400; n++) await log.append([message(String(n), 'here')])
      assert.deepEqual(await Promise.all(exits), [0, 0])
      const records = await readAll(log)
      const expected = Array.from({ length: 400 }, (_, n) => n)
      for (const name of ['here', 'left', 'right']) assert.deepEqual(numbersOf(records, name), expected)
    })

    withLog(
      'SIGKILL of a producer: every acknowledged message is there, once and in order',
      async (log, opening) => {
        for (const afterAcknowledged of [1, 150, 700]) {
          const name = `killed-${afterAcknowledged}`
          const child = producer(opening, name, 1_000_000)
          let acknowledged = 0
          for await (const line of createInterface({ input: child.stdout! })) {
            acknowledged = Number(line)
            if (acknowledged >= afterAcknowledged) child.kill('SIGKILL')
          }
          const numbers = numbersOf(await readAll(log), name)
          assert.ok(numbers.length >= acknowledged, `${numbers.length} kept of ${acknowledged} acknowledged`)
          assert.deepEqual(
            numbers,
            Array.from({ length: numbers.length }, (_, n) => n),
          )
        }
      },
    )
  })
}
