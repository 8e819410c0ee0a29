import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createIntake } from '../../../src/1-source/intake.ts'
import { openRegistry } from '../../../src/1-source/registry/registry.ts'
import { createFleet, FLEETS } from '../../../src/1-source/simulator/fleet.ts'
import { runSimulation } from '../../../src/1-source/simulator/run.ts'
import { parseRate } from '../../../src/1-source/simulator/schedule.ts'
import type { Reading } from '../../../src/reading.ts'

const FROM = Date.UTC(2026, 2, 10)
const HOURS = 6
/** The counters show whole Wh (Shelly thousandths): the first and the last may be off by half a step each. */
const STEP_WH = 1.001

for (const as of FLEETS)
  test(`a fleet of ${as}: every device is discovered by its first messages, and its energy is the truth`, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'smarthouse-fleet-'))
    const registry = openRegistry(dir)
    t.after(() => {
      registry.close()
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
    })
    let nowMs = FROM
    const readings: Reading[] = []
    const sink = {
      append: async (messages: readonly { value: Uint8Array }[]): Promise<void> => {
        for (const { value } of messages)
          readings.push(...[JSON.parse(Buffer.from(value).toString('utf8')) as Reading | Reading[]].flat())
      },
    }
    const timeZone = 'Europe/Berlin'
    const intake = createIntake({ sink, registry, timeZone, mappings: [], clock: () => nowMs })
    let discoveredMs = 0
    const fleet = createFleet({
      as,
      timeZone,
      publish: async ({ topic, payload }, atMs) => {
        nowMs = atMs
        await intake.take({
          topic,
          payload: Buffer.from(payload),
          retained: false,
          redelivered: false,
          tenant: 'home',
        })
        if (discoveredMs === 0 && registry.devices().length >= 10) discoveredMs = atMs
      },
    })
    const truthPath = join(dir, 'truth.csv')
    await runSimulation({
      to: { log: fleet },
      devices: 10,
      rate: parseRate('1/min'),
      seed: 7,
      faults: [],
      tenantId: 'home',
      timeZone,
      fromMs: FROM,
      forMs: HOURS * 3_600_000,
      truthPath,
    })

    assert.ok(
      discoveredMs > 0 && discoveredMs - FROM <= 60_000,
      `all ten after ${(discoveredMs - FROM) / 1000} s`,
    )
    registry.flush()
    assert.equal(registry.unknown().length, 0, 'nothing that it publishes is unknown')

    const truth = new Map<string, number>()
    for (const line of readFileSync(truthPath, 'utf8').trim().split('\n').slice(1)) {
      const [device, , wh] = line.split(',')
      truth.set(device!, (truth.get(device!) ?? 0) + Number(wh))
    }
    const names = new Map(
      registry.devices().map(({ device_id, facts }) => [device_id, facts.name ?? device_id]),
    )
    for (const [device, wh] of truth) {
      const own = readings.filter(
        ({ device_id }) =>
          [device_id, names.get(device_id)].includes(device) || device_id === device.replaceAll('_', '-'),
      )
      const counters = own.flatMap(({ energy_total_wh }) => energy_total_wh ?? [])
      assert.equal(counters.length, HOURS * 60, `${device}: a counter each minute`)
      assert.ok(
        own.some(({ power_usage }) => power_usage !== undefined),
        `${device} has power`,
      )
      // The counter stood at 12,000 Wh before the first reading.
      assert.ok(
        Math.abs(counters.at(-1)! - 12_000 - wh) <= STEP_WH,
        `${device}: ${counters.at(-1)! - 12_000} for ${wh} Wh`,
      )
    }
  })
