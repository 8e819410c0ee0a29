/**
 * The whole platform as a user has it: ten simulated devices at one reading a second. Start to first figure (first start, with a week of
 * history, and a later one), resident memory, and how fresh the live view, Silver and Gold are. The limit of a start is what a process of the
 * runtime alone takes to begin and end.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freshness, freshnessRows, probeLive } from './freshness.ts'
import { firstFigure, type House, residentMb, startHouse } from './house.ts'
import { percentile, printRows, type Row } from './rows.ts'

const WATCH_MS = 60_000
/** Until a restart has calmed down: what was open is worked off, files are merged. */
const SETTLE_MS = 15_000
const data = mkdtempSync(join(tmpdir(), 'smarthouse-bench-platform-'))

function emptyProcessS(): number {
  const taken = Array.from({ length: 5 }, () => {
    const beganMs = performance.now()
    spawnSync(process.execPath, ['-e', ''])
    return (performance.now() - beganMs) / 1000
  })
  return percentile(taken, 0.5)
}

async function starts(name: string, house: House, limitS: number, budget?: Row['budget']): Promise<void> {
  const limit = { figure: limitS, of: 'a process of the runtime that does nothing' }
  const rows: Row[] = [{ what: `${name}: the dashboard answers`, figure: house.answeredS, unit: 's', limit }]
  for (const which of ['power', 'energy'] as const)
    rows.push({
      what: `${name}: first ${which}`,
      figure: await firstFigure(house, which),
      unit: 's',
      limit,
      ...(budget && which === 'power' ? { budget } : {}),
    })
  printRows(rows)
}

async function memory(name: string, house: House, seconds: number, budget?: Row['budget']): Promise<void> {
  let most = 0
  for (let second = 0; second < seconds; second++) {
    most = Math.max(most, residentMb(house.pid) ?? 0)
    await sleep(1000)
  }
  if (most > 0)
    printRows([
      { what: `${name}: most resident memory`, figure: most, unit: 'MB', ...(budget ? { budget } : {}) },
    ])
}

try {
  const limitS = emptyProcessS()
  const first = await startHouse(data, [])
  try {
    await starts('first start', first, limitS, { atMost: 5 })
    await memory('first start, a week of history', first, 20)
  } finally {
    await first.stop()
  }
  const house = await startHouse(data, [])
  try {
    await starts('start', house, limitS, { atMost: 5 })
    await sleep(SETTLE_MS)
    const fromMs = Date.now()
    const [liveMs] = await Promise.all([
      probeLive(house.url, WATCH_MS),
      memory('ten devices', house, WATCH_MS / 1000, { atMost: 400 }),
    ])
    // What came last has had no time to reach Gold.
    const fresh = await freshness(data, fromMs, Date.now() - 20_000)
    if (fresh.missing > 0) throw new Error(`${fresh.missing} readings of 20 s ago have not reached Gold`)
    printRows(freshnessRows('10 readings/s', liveMs, fresh))
  } finally {
    await house.stop()
  }
} finally {
  rmSync(data, { recursive: true, force: true })
}
