import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { once } from 'node:events'
import { QUARTER_S } from './climate.ts'
import { MAX_SKEW_S, type FaultName } from './faults.ts'

/** What one device really used in one quarter-hour, over the readings that were made (arrived or not). */
export interface TruthRow {
  deviceId: string
  /** Start, UTC, seconds since 1970. */
  quarterS: number
  energyNwh: number
  /** What destroyed information of this slot, sorted; empty: what arrived adds up to the truth. */
  faults: readonly FaultName[]
}

interface Slot {
  energyNwh: number
  faults: Set<FaultName>
}

/** Collects the truth and gives out the quarter-hours that nothing can change any more, oldest first. */
export interface Ledger {
  add(deviceId: string, quarterS: number, energyNwh: number): void
  fault(deviceId: string, quarterS: number, fault: FaultName): void
  /** Rows of quarter-hours that no reading at or after this time can touch; each is given out once. */
  take(nowS: number): TruthRow[]
}

export function createLedger(): Ledger {
  const quarters = new Map<number, Map<string, Slot>>()
  function slot(deviceId: string, quarterS: number): Slot {
    let devices = quarters.get(quarterS)
    if (!devices) quarters.set(quarterS, (devices = new Map()))
    let found = devices.get(deviceId)
    if (!found) devices.set(deviceId, (found = { energyNwh: 0, faults: new Set() }))
    return found
  }
  return {
    add(deviceId, quarterS, energyNwh) {
      slot(deviceId, quarterS).energyNwh += energyNwh
    },
    fault(deviceId, quarterS, fault) {
      slot(deviceId, quarterS).faults.add(fault)
    },
    take(nowS) {
      const settled = [...quarters.keys()].filter((start) => start + QUARTER_S + MAX_SKEW_S < nowS)
      return settled
        .toSorted((a, b) => a - b)
        .flatMap((quarterS) => {
          const devices = quarters.get(quarterS)!
          quarters.delete(quarterS)
          return [...devices].map(([deviceId, { energyNwh, faults }]) => ({
            deviceId,
            quarterS,
            energyNwh,
            faults: [...faults].toSorted(),
          }))
        })
    },
  }
}

export const TRUTH_HEADER = 'device_id,quarter_hour,energy_wh,faults'

/** One line of the CSV: energy in Wh with nine decimals, exactly. */
export function truthLine(row: TruthRow): string {
  const whole = Math.floor(row.energyNwh / 1e9)
  const rest = String(row.energyNwh - whole * 1e9).padStart(9, '0')
  const start = new Date(row.quarterS * 1000).toISOString().replace('.000', '')
  return `${row.deviceId},${start},${whole}.${rest},${row.faults.join(';')}`
}

export interface TruthFile {
  write(rows: readonly TruthRow[]): Promise<void>
  /** The file appears under its name only now, whole. */
  close(): Promise<void>
  /** Nothing is left of it. */
  discard(): Promise<void>
}

export async function createTruthFile(path: string): Promise<TruthFile> {
  const partial = `${path}.partial`
  const stream = createWriteStream(partial)
  await once(stream, 'open')
  const put = (text: string): Promise<void> =>
    new Promise((resolve, reject) => stream.write(text, (error) => (error ? reject(error) : resolve())))
  await put(`${TRUTH_HEADER}\n`)
  return {
    async write(rows) {
      if (rows.length > 0) await put(rows.map((row) => `${truthLine(row)}\n`).join(''))
    },
    async close() {
      stream.end()
      await once(stream, 'close')
      await rename(partial, path)
    },
    async discard() {
      stream.destroy()
      if (!stream.closed) await once(stream, 'close')
      await rm(partial, { force: true })
    },
  }
}
