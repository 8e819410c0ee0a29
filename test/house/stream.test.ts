/** `smarthouse stream` as a person uses it, over the embedded log. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TELEMETRY_TOPIC } from '../../src/reading.ts'
import { dataFolder, smarthouse } from './run-cli.ts'

const SENT = [
  '--devices',
  '2',
  '--for',
  '1m',
  '--from',
  '2026-01-15T10:00:00Z',
  '--seed',
  '7',
  '--tenant',
  'home',
]

test('topics, groups and messages are told; what was landed is no lag; a mistyped word names the right one', (t) => {
  const data = dataFolder(t)
  const told = <T>(...words: string[]): T => {
    const { status, stdout, stderr } = smarthouse('stream', ...words, '--json', '--data', data)
    assert.equal(status, 0, stderr)
    return JSON.parse(stdout) as T
  }
  const lag = (): number[] =>
    told<{ partitions: { lag: number }[] }[]>('groups').flatMap(({ partitions }) =>
      partitions.map((one) => one.lag),
    )
  assert.equal(smarthouse('simulate', ...SENT, '--data', data).status, 0)
  const [topic] = told<{ topic: string; partitions: { start: number; end: number }[] }[]>('topics')
  // Two devices, a reading a second for a minute.
  assert.deepEqual(
    [topic!.topic, topic!.partitions[0]!.end - topic!.partitions[0]!.start],
    [TELEMETRY_TOPIC, 120],
  )
  assert.equal(smarthouse('bronze', '--once', '--data', data).status, 0)
  assert.deepEqual(lag(), [0])

  const tail = smarthouse('stream', 'tail', '--limit', '3', '--json', '--data', data)
  const lines = tail.stdout.trim().split('\n')
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { offset: number }).offset),
    // Offsets begin with 1.
    [118, 119, 120],
  )

  const wrong = smarthouse('stream', 'tial', '--data', data)
  assert.notEqual(wrong.status, 0)
  assert.match(wrong.stderr, /Did you mean tail\?/)
  const none = smarthouse('stream', 'replay', '--data', data)
  assert.notEqual(none.status, 0)
  assert.match(none.stderr, /which dead letter/)
})
