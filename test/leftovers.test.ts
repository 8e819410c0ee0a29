import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { removeLeftOf } from '../src/leftovers.ts'

test('what a process that has died was making is removed, and nothing else', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'smarthouse-leftovers-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const dead = spawnSync(process.execPath, ['--version']).pid
  const made = ['made', `made.${process.pid}.1`, 'made.txt', `other.${dead}.1`]
  for (const name of [...made, `made.${dead}.1`]) writeFileSync(join(folder, name), '')
  mkdirSync(join(folder, `made.${dead}.2`, 'half'), { recursive: true })
  removeLeftOf(join(folder, 'made'))
  assert.deepEqual(readdirSync(folder).toSorted(), made.toSorted())
  removeLeftOf(join(folder, 'absent', 'made'))
})
