import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyHouse } from './house.ts'
import { memoryLog, until } from './memory-log.ts'

test('a server that cannot be built leaves nothing running: its process could not end otherwise', async (t) => {
  const house = await emptyHouse()
  t.after(() => house.close())
  const log = memoryLog()
  let reading = 0
  const watched = {
    ...log,
    read: async (...words: Parameters<typeof log.read>) => {
      reading += 1
      return await log.read(...words).finally(() => (reading -= 1))
    },
  }
  const fails = async () => {
    await until(() => reading === 1, 'the fork at the stream')
    throw new Error('the disk is full')
  }
  await assert.rejects(house.app({ log: watched, ingestion: fails }), /the disk is full/)
  assert.equal(reading, 0)
})
