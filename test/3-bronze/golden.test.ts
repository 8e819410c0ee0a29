/** Every folder in `golden/` is a condition: the messages given (`.jsonl`: one a line; `.bin`: the file is one) and the rows expected. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, before, describe, test } from 'node:test'
import { openHouse, type House } from './house.ts'

const GOLDEN = fileURLToPath(new URL('golden', import.meta.url))

/** A row that is expected: the number of its message, and whatever is neither null nor a default. */
type ExpectedRow = { message: number; index?: number } & Record<string, unknown>

const DEFAULTS = { index: 0, tenant_id: 'home', channel: '', ingest_kind: 'live' }

function messagesOf(folder: string): Buffer[] {
  const binary = join(folder, 'given.bin')
  if (existsSync(binary)) return [readFileSync(binary)]
  const lines = readFileSync(join(folder, 'given.jsonl'), 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => Buffer.from(line))
}

describe('typing of messages', () => {
  let house: House
  before(async () => {
    house = await openHouse()
  })
  after(() => house.remove())

  for (const condition of readdirSync(GOLDEN)) {
    test(condition, async () => {
      const folder = join(GOLDEN, condition)
      const messages = messagesOf(folder)
      const [bounds] = await house.log.bounds()
      await house.log.append(messages.map((value) => ({ key: null, value })))
      await house.landAll()
      const found = (await house.rows()).filter((row) => Number(row.stream_offset) >= bounds!.end)
      const actual = found.map((row) => {
        const {
          stream_offset,
          stream_index,
          ingestion_time,
          ingestion_date,
          stream_topic,
          stream_partition,
          ...fields
        } = row
        assert.equal(stream_topic, 'smart_home.telemetry')
        assert.equal(stream_partition, 0)
        assert.equal(ingestion_date, String(ingestion_time).slice(0, 10))
        const present = Object.entries(fields).filter(([, value]) => value !== null)
        return {
          message: Number(stream_offset) - bounds!.end,
          index: stream_index,
          ...Object.fromEntries(present),
        }
      })
      const expected = JSON.parse(readFileSync(join(folder, 'expect.json'), 'utf8')) as ExpectedRow[]
      assert.deepEqual(
        actual,
        expected.map((row) => ({ ...DEFAULTS, ...row })),
      )
      assert.equal(new Set(actual.map((row) => row.message)).size, messages.length, 'a row for every message')
    })
  }
})
