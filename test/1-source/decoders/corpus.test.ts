/**
 * Messages of real devices, where the collection lies beside the project: none crashes, and of each protocol at least so many say
 * something, and what it must say by its protocol's documentation (`claims.ts`). What measures nothing (settings, answers to commands) is no failure; the floors are what was read and looked at.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isKept } from '../../../src/1-source/decoders/decoder.ts'
import { decode } from '../../../src/1-source/decoders/index.ts'
import { LessonBook } from '../../../src/1-source/decoders/lessons.ts'
import { openZone } from '../../../src/1-source/import/times.ts'
import { claimsOf, unmet } from './claims.ts'
import { checkReading } from './reading-shape.ts'

const here = dirname(fileURLToPath(import.meta.url))
const corpus = join(here, '..', '..', '..', '..', 'shared', 'data', 'payloads', 'corpus_dev.jsonl')

/** Protocol → how many say something at least: readings, or of discovery what is announced. */
const FLOORS: Readonly<Record<string, number>> = {
  tasmota: 157,
  'homeassistant-discovery': 193,
  'openmqttgateway-ble': 120,
  'shelly-gen2-http': 56,
  'openzwave-mqtt': 21,
  zigbee2mqtt: 42,
  smartthings: 42,
  'shelly-gen1': 28,
  homie3: 6,
  emon: 22,
  'shelly-gen1-http': 22,
  homewizard: 15,
  'shelly-http': 11,
  homie5: 1,
  'tasmota-http': 4,
  'emon-http': 2,
  esphome: 2,
  espurna: 2,
  'zwave-js-ui': 1,
  'shelly-gen2': 1,
  'tuya-http': 1,
}

interface Row {
  id: string
  protocol: string
  topic: string
  payload: unknown
}

test('the collection of real messages: none crashes, and of each protocol so many say what they must', (t) => {
  if (!existsSync(corpus)) {
    t.skip('the collection of real messages is not beside the project (../shared)')
    return
  }
  const zone = openZone('UTC')
  const said: Record<string, number> = {}
  for (const line of readFileSync(corpus, 'utf8').split('\n')) {
    if (line === '') continue
    const { id, protocol, topic, payload } = JSON.parse(line) as Row
    const bytes = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
    const outcome = decode(topic, bytes, {
      receivedMs: Date.UTC(2026, 0, 1),
      zone,
      lessons: new LessonBook(),
      ...(topic.startsWith('GET ') && { device: 'polled' }),
    })
    assert.ok(!isKept(outcome) || outcome.why !== 'decoder_failed', `${id} failed`)
    assert.deepEqual(unmet(claimsOf(protocol, topic, payload), outcome), [], id)
    if (isKept(outcome)) continue
    said[protocol] = (said[protocol] ?? 0) + 1
    for (const reading of outcome.readings) checkReading(reading, id)
  }
  for (const [protocol, floor] of Object.entries(FLOORS))
    assert.ok((said[protocol] ?? 0) >= floor, `${protocol}: ${said[protocol] ?? 0} of at least ${floor}`)
})
