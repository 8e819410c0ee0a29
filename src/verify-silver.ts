/** Builds Silver beside the lake for verify: all of it, or what the looked-at days need. */
import { join } from 'node:path'
import { BRONZE_TELEMETRY } from './3-bronze/tables.ts'
import { begunLake, findBeginnings, unsettledIn, type Beginnings } from './4-silver/beginnings.ts'
import { rebuildSilver } from './4-silver/rebuild.ts'
import { SILVER_READINGS } from './4-silver/tables.ts'
import { openLake } from './lake/index.ts'
import type { Engine, Lake } from './lake/types.ts'

export interface SilverBuild {
  /** The inputs, at the versions that stored Silver is made of. */
  lake: Lake
  engine: Engine
  /** Folder of the lake beside. */
  root: string
  /** Only rows from this UTC date on have to be right. */
  since?: string | undefined
  onProgress?: ((text: string) => void) | undefined
}

/** Returns the lake beside. What an interrupted call has built there, it goes on with. */
export async function buildSilver(build: SilverBuild): Promise<Lake> {
  const { engine, root, since } = build
  const target = await openLake({ root, engine })
  if (since === undefined) {
    await buildInto(target, build.lake, build)
    return target
  }
  const session = await engine.session()
  try {
    const beginnings = await findBeginnings(build.lake, session, Date.parse(since) * 1000)
    await buildInto(target, await begunLake(build.lake, session, beginnings), build)
    const readings = await target.snapshot(SILVER_READINGS.name)
    const unsettled = await unsettledIn(target, session, readings, beginnings)
    if (unsettled.length === 0) return target
    build.onProgress?.(`${unsettled.length} devices have to be built from their first reading on: once more`)
    const further: Beginnings = {
      ...beginnings,
      earlier: new Map([
        ...beginnings.earlier,
        ...unsettled.map((device) => [device, Number.NEGATIVE_INFINITY] as const),
      ]),
    }
    const again = await openLake({ root: join(root, 'again'), engine })
    await buildInto(again, await begunLake(build.lake, session, further), build)
    return again
  } finally {
    await session.close()
  }
}

async function buildInto(target: Lake, lake: Lake, { engine, onProgress }: SilverBuild): Promise<void> {
  const bronze = await lake.snapshot(BRONZE_TELEMETRY.name)
  await target.define(SILVER_READINGS)
  // Readings are committed last.
  const built = (await target.snapshot(SILVER_READINGS.name)).txns.get(BRONZE_TELEMETRY.name) ?? -1
  if (built !== bronze.version || bronze.version < 0)
    await rebuildSilver({ lake, engine, target, ...(onProgress && { onProgress }) })
}
