/** What the kill runs ask of the lake while others write to it. */
import { BRONZE_TELEMETRY } from '../../src/3-bronze/tables.ts'
import { openDuckDb, openLake } from '../../src/lake/index.ts'

export interface ReadOnlyLake {
  /** Per partition of the stream: the next offset that Bronze reads. */
  landed(streamId: string): Promise<Map<number, number>>
  /** How often each `event_id` stands in Bronze. */
  countReadings(): Promise<Map<string, number>>
  close(): Promise<void>
}

export async function openReadOnly(root: string): Promise<ReadOnlyLake> {
  const engine = await openDuckDb({ threads: 1 })
  const lake = await openLake({ root, engine })
  return {
    async landed(streamId) {
      const { txns } = await lake.snapshot(BRONZE_TELEMETRY.name)
      const own = [...txns].flatMap(([app, next]) => {
        const prefix = `stream:${streamId}/`
        return app.startsWith(prefix) ? [[Number(app.slice(prefix.length)), next] as const] : []
      })
      return new Map(own)
    },
    async countReadings() {
      const { name } = BRONZE_TELEMETRY
      const { files } = await lake.snapshot(name)
      const session = await engine.session()
      const rows = await session.rows(
        `SELECT event_id, count(*)::INTEGER AS n FROM ${lake.scan(name, files)} GROUP BY event_id`,
      )
      await session.close()
      return new Map(rows.map((row) => [String(row.event_id), Number(row.n)]))
    },
    async close() {
      await lake.close()
      await engine.close()
    },
  }
}
