import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { openLake } from '../../src/lake/index.ts'
import { NUMBERS, numbersFrom, world } from './temporary.ts'

const DYING = fileURLToPath(new URL('./dying.ts', import.meta.url))

test('a process killed before any call to the file system that a commit makes: it is there whole or not at all, and said again it is there once', async (t) => {
  const { root, lake, engine, session, append } = await world(t)
  await append(numbersFrom(0, 1))
  const dies = async (step: number) => {
    const child = spawn(process.execPath, [DYING, root, String(step)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [said, [, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')])
    return { said: said.trim(), signal: signal as string | null }
  }
  const rows = async () => {
    const cold = await openLake({ root, engine })
    const { files, version, damage, txns } = await cold.snapshot(NUMBERS.name)
    assert.equal(damage, undefined)
    const [row] = await session.rows<{ sum: number }>(
      `SELECT sum(n)::BIGINT AS sum FROM ${cold.scan(NUMBERS.name, files)}`,
    )
    return { sum: row!.sum, version, txn: txns.get('kill') ?? 0 }
  }
  let kills = 0
  let visible = 0
  for (let step = 1; ; step += 1) {
    const before = await rows()
    // Two files of one commit: the sum grows by 3 (1 + 2) or not at all.
    const add = [
      ...(await lake.write(session, NUMBERS.name, numbersFrom(1, 1))),
      ...(await lake.write(session, NUMBERS.name, numbersFrom(2, 1))),
    ]
    const request = { operation: 'WRITE', add, txns: { kill: step } }
    await writeFile(path.join(root, 'request.json'), JSON.stringify(request))
    const { said, signal } = await dies(step)
    const after = await rows()
    const there = after.version - before.version
    assert.deepEqual(after, {
      sum: before.sum + 3 * there,
      version: before.version + there,
      txn: there === 1 ? step : before.txn,
    })
    if (signal === null) {
      assert.deepEqual([said.split(' ')[0], there], ['true', 1])
      break
    }
    kills += 1
    visible += there
    assert.deepEqual(await lake.commit(NUMBERS.name, request), {
      applied: there === 0,
      version: before.version + 1,
    })
    assert.equal((await rows()).sum, before.sum + 3)
  }
  // Before the link nothing is to be seen, after it (the folder not yet synced, the temporary file still there) all is.
  assert.ok(kills >= 8 && visible >= 2 && visible < kills, `${kills} kills, ${visible} seen`)
})
