import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DESTROYING_FAULTS, HARMLESS_FAULTS, parseFaults } from '../../../src/1-source/simulator/faults.ts'
import type { SimulatedMessage } from '../../../src/1-source/simulator/simulate.ts'
import { isPlatformError } from '../../../src/errors.ts'
import { WINTER_S, produce, readingOf, secondOf, slotStart, textOf, type Produced } from './fixtures.ts'

type Fields = Record<string, unknown>
const MEASURED = ['temperature', 'power_usage', 'energy_consumption_wh', 'status', 'alert'] as const

/**
 * What the platform makes of the messages, by the rules for readings and energy, as plainly as they can be
 * written: reject, identity, and a reported value counted whole in the quarter-hour (start, end] of its event time.
 */
function naiveEnergy(messages: readonly SimulatedMessage[], ingestedAtMs: (m: SimulatedMessage) => number) {
  const owned = new Map<string, Fields>()
  const sums = new Map<string, bigint>()
  const outcomes = { rows: 0, rejects: 0, duplicates: 0 }
  for (const message of messages) {
    const fields = acceptable(textOf(message), ingestedAtMs(message))
    if (fields === undefined) {
      outcomes.rejects += 1
      continue
    }
    const identity = `${String(fields['device_id'])} ${String(fields['timestamp'])}`
    const owners = owned.get(identity) ?? {}
    owned.set(identity, owners)
    const brought = [...MEASURED, 'metrics'].filter((name) => name in fields)
    if (MEASURED.some((name) => name in fields && name in owners && fields[name] !== owners[name])) {
      outcomes.rejects += 1
      continue
    }
    const added = brought.filter((name) => !(name in owners))
    if (added.length === 0 && Object.keys(owners).length > 0) {
      outcomes.duplicates += 1
      continue
    }
    outcomes.rows += 1
    for (const name of added) owners[name] = fields[name]
    if (!added.includes('energy_consumption_wh')) continue
    const slot = `${String(fields['device_id'])} ${slotStart(Date.parse(String(fields['timestamp'])) / 1000)}`
    const nwh = BigInt(Math.round((fields['energy_consumption_wh'] as number) * 1e9))
    sums.set(slot, (sums.get(slot) ?? 0n) + nwh)
  }
  return { sums, outcomes }
}

/** The fields that count, of the right type; undefined where the reading is rejected. */
function acceptable(text: string, ingestedMs: number): Fields | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const all = parsed as Fields
  const timeMs = Date.parse(String(all['timestamp']))
  if (typeof all['device_id'] !== 'string' || Number.isNaN(timeMs)) return undefined
  if (timeMs > ingestedMs + 600_000) return undefined
  const fields: Fields = { device_id: all['device_id'], timestamp: all['timestamp'] }
  for (const name of ['temperature', 'power_usage', 'energy_consumption_wh'])
    if (typeof all[name] === 'number') fields[name] = all[name]
  for (const name of ['status', 'alert']) if (typeof all[name] === 'string') fields[name] = all[name]
  if (all['metrics'] !== undefined) fields['metrics'] = all['metrics']
  if (Object.keys(fields).length === 2) return undefined
  const { temperature, power_usage: power, energy_consumption_wh: energy } = fields as Record<string, number>
  if (temperature !== undefined && (temperature < -50 || temperature > 100)) return undefined
  if (power !== undefined && (power < 0 || power > 10_000)) return undefined
  if (energy !== undefined && energy < 0) return undefined
  return fields
}

/** Slots without a fault in which the energy differs from the truth, or whose truth is missing. */
function wrongSlots({ truth }: Produced, sums: ReadonlyMap<string, bigint>): string[] {
  const told = new Map(truth.map((row) => [`${row.deviceId} ${row.quarterS}`, row]))
  const wrong = [...sums.keys()].filter((slot) => !told.has(slot))
  for (const [slot, row] of told)
    if (row.faults.length === 0 && (sums.get(slot) ?? 0n) !== BigInt(row.energyNwh)) wrong.push(slot)
  return wrong
}

const WHILE_IT_HAPPENS = (message: SimulatedMessage): number => message.atMs
const LONG_AFTER = (): number => (WINTER_S + 100 * 86_400) * 1000

test('harmless faults lose nothing: the distinct messages are those of a run without faults', () => {
  const wanted = { rate: '1/10s', forS: 6 * 3600 }
  const clean = produce(wanted)
  const faulty = produce({ ...wanted, faults: 'harmless' })
  assert.deepEqual([...new Set(faulty.texts)].toSorted(), clean.texts.toSorted())
  // 10 devices × 2,160 readings × 0.3 % = 65 duplicates, as many out of order, 22 late
  for (const [fault, expected] of [
    ['duplicate', 65],
    ['out_of_order', 65],
    ['late', 22],
  ] as const)
    assert.ok(
      Math.abs(faulty.faults[fault]! - expected) < expected * 0.7,
      `${fault}: ${faulty.faults[fault]}`,
    )
  assert.equal(faulty.texts.length, clean.texts.length + faulty.faults['duplicate']!)
  assert.deepEqual(faulty.truth, clean.truth)
  const { sums, outcomes } = naiveEnergy(faulty.messages, WHILE_IT_HAPPENS)
  assert.deepEqual(wrongSlots(faulty, sums), [])
  assert.deepEqual(outcomes, { rows: clean.texts.length, rejects: 0, duplicates: faulty.faults['duplicate'] })
})

test('late and out-of-order readings do arrive behind newer ones of their device', () => {
  for (const fault of ['late', 'out_of_order']) {
    const { messages, faults } = produce({ rate: '1/7s', forS: 6 * 3600, faults: fault })
    const newest = new Map<string, number>()
    let behind = 0
    for (const reading of messages.map(readingOf)) {
      const timeS = secondOf(reading)
      if (timeS < (newest.get(reading.device_id) ?? 0)) behind += 1
      else newest.set(reading.device_id, timeS)
    }
    // one that is delayed past the end of the run is still behind nothing newer only if it was the very last
    assert.ok(behind > 0 && behind >= faults[fault]! - 10, `${fault}: ${behind} of ${faults[fault]}`)
  }
})

test('sending times never decrease', () => {
  const { messages } = produce({ rate: '1/min', forS: 86_400, faults: 'default' })
  for (let i = 1; i < messages.length; i += 1) assert.ok(messages[i]!.atMs >= messages[i - 1]!.atMs)
})

test('default faults: what arrived adds up to the truth in every quarter-hour without a fault', () => {
  const produced = produce({ rate: '1/min', forS: 3 * 86_400, faults: 'default' })
  for (const name of [...HARMLESS_FAULTS, ...DESTROYING_FAULTS]) assert.ok(produced.faults[name]! > 0, name)
  for (const ingestedAt of [WHILE_IT_HAPPENS, LONG_AFTER]) {
    const { sums, outcomes } = naiveEnergy(produced.messages, ingestedAt)
    assert.deepEqual(wrongSlots(produced, sums), [])
    assert.ok(outcomes.rejects > 0)
  }
  const slots = produced.truth.length
  const destroyed = produced.truth.filter((row) => row.faults.length > 0)
  // about five events a day and device in 96 quarter-hours, some of them several long: a tenth, not all
  assert.ok(
    destroyed.length > slots * 0.02 && destroyed.length < slots * 0.25,
    `${destroyed.length} of ${slots}`,
  )
})

test('each destroying fault alone is told by its name, and by no other', () => {
  for (const fault of DESTROYING_FAULTS) {
    const produced = produce({ devices: 5, rate: '1/300s', forS: 5 * 86_400, faults: fault })
    assert.deepEqual([...new Set(produced.truth.flatMap((row) => row.faults))], [fault])
    const { sums } = naiveEnergy(produced.messages, WHILE_IT_HAPPENS)
    assert.deepEqual(wrongSlots(produced, sums), [])
    const lost = produced.truth.filter(
      (row) => (sums.get(`${row.deviceId} ${row.quarterS}`) ?? 0n) !== BigInt(row.energyNwh),
    )
    assert.ok(lost.length > 0, `${fault} destroys something`)
  }
})

test('a clock that is off says times more than ten minutes ahead as well as behind', () => {
  const { messages } = produce({ devices: 5, rate: '1/300s', forS: 20 * 86_400, faults: 'clock_skew' })
  const aheadS = messages.map((message) => secondOf(readingOf(message)) - message.atMs / 1000)
  assert.ok(aheadS.some((s) => s > 600))
  assert.ok(aheadS.some((s) => s > 0 && s <= 600))
  assert.ok(aheadS.some((s) => s < 0))
})

test('whatever the options: no slot without a fault differs from the truth', () => {
  fc.assert(
    fc.property(
      fc.record({
        devices: fc.integer({ min: 1, max: 12 }),
        seed: fc.integer(),
        rate: fc.constantFrom('1/min', '1/45s', '4/h', '1/7s', '3/min'),
        fromS: fc.integer({ min: 0, max: 400 * 86_400 }).map((s) => WINTER_S + s),
        forS: fc.integer({ min: 1, max: 9000 }),
        faults: fc
          .subarray([...HARMLESS_FAULTS, ...DESTROYING_FAULTS])
          .map((names) => names.join(',') || 'none'),
        timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'America/St_Johns'),
      }),
      (wanted) => {
        const produced = produce(wanted)
        const { sums } = naiveEnergy(produced.messages, WHILE_IT_HAPPENS)
        assert.deepEqual(wrongSlots(produced, sums), [])
      },
    ),
    { numRuns: 60 },
  )
})

test('fault lists: names, none, harmless, default; anything else is refused with the nearest name', () => {
  assert.deepEqual(parseFaults('none'), [])
  assert.deepEqual(parseFaults('harmless'), ['duplicate', 'out_of_order', 'late'])
  assert.equal(parseFaults('default').length, 8)
  assert.deepEqual(parseFaults('late, duplicate'), ['duplicate', 'late'])
  assert.throws(
    () => parseFaults('spikes'),
    (error) => isPlatformError(error) && error.code === 'usage' && error.message.includes('mean spike?'),
  )
  for (const text of ['', 'none,late', ',']) assert.throws(() => parseFaults(text), isPlatformError, text)
})
