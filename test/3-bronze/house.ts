/** A lake and a stream in a temporary folder, with the stage that lands the one in the other. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '../../src/2-stream/embedded.ts'
import type { StreamLog } from '../../src/2-stream/log.ts'
import { createBronzeStage, type BronzeOptions } from '../../src/3-bronze/land.ts'
import { BRONZE_TELEMETRY } from '../../src/3-bronze/tables.ts'
import { openDuckDb, openLake, type Engine, type Lake } from '../../src/lake/index.ts'
import type { Stage } from '../../src/stage.ts'

export interface House {
  dir: string
  log: StreamLog
  lake: Lake
  engine: Engine
  stage: Stage
  /** Steps until nothing is left; returns how many rows were landed. */
  landAll(): Promise<number>
  /** All of Bronze, in the order of arrival. */
  rows(): Promise<Record<string, unknown>[]>
  close(): Promise<void>
  /** Closes it and removes its folder. */
  remove(): Promise<void>
}

export async function openHouse(
  dir = mkdtempSync(join(tmpdir(), 'smarthouse-bronze-')),
  options: Partial<BronzeOptions> = {},
): Promise<House> {
  const log = options.log ?? (await openEmbeddedLog({ dir: join(dir, 'stream') }))
  const engine = await openDuckDb({ threads: 1 })
  const lake = await openLake({ root: join(dir, 'lake'), engine })
  const stage = await createBronzeStage({ lake, engine, log, ...options })
  const house: House = {
    dir,
    log,
    lake,
    engine,
    stage,
    async landAll() {
      let rows = 0
      for (;;) {
        const report = await stage.step({ final: true })
        rows += report.rows
        if (!report.more) return rows
      }
    },
    async rows() {
      const { name } = BRONZE_TELEMETRY
      const { files } = await lake.snapshot(name)
      const session = await engine.session()
      const rows = await session.rows(
        `SELECT * FROM ${lake.scan(name, files)} ORDER BY stream_offset, stream_index`,
      )
      await session.close()
      return rows
    },
    async close() {
      await stage.close()
      await lake.close()
      await engine.close()
      await log.close()
    },
    async remove() {
      await house.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
  return house
}
