import type { Lake, Session } from '../lake/types.ts'
import { REFERENCE_CATALOGUE, REFERENCE_SETTINGS } from '../reference/tables.ts'
import { numberChannels, watermarkOf, type ReferenceVersions } from './models.ts'
import type { Covered } from './tail.ts'

/**
 * Puts every device whose rows would come out otherwise by the catalogue or the settings of now into `pending`, from
 * its beginning on (from_us 0). Returns whether there is one. Silver's first rows are made with what holds now.
 */
export async function insertChangedDevices(
  lake: Lake,
  session: Session,
  covered: Covered,
  { catalogue, settings, lateWatermarkHours }: ReferenceVersions,
): Promise<boolean> {
  if (covered.bronze < 0) return false
  const found: string[] = []
  if (catalogue.version > covered.catalogue) {
    const before =
      covered.catalogue < 0 ? [] : (await lake.snapshot(REFERENCE_CATALOGUE.name, covered.catalogue)).files
    const old = `SELECT * FROM ${lake.scan(REFERENCE_CATALOGUE.name, before)}`
    await session.run(
      `CREATE OR REPLACE TEMP TABLE changed AS
       WITH differing AS ((${old} EXCEPT SELECT * FROM catalogue) UNION ALL (SELECT * FROM catalogue EXCEPT ${old}))
       SELECT tenant_id, device_id, '' AS channel FROM differing
       UNION SELECT tenant_id, merged_into, '' FROM differing WHERE merged_into IS NOT NULL`,
    )
    // One that takes over another's rows, or gets its own back, may have none yet.
    await numberChannels(session, 'SELECT * FROM changed')
    found.push('SELECT tenant_id, device_id FROM changed')
  }
  if (settings.version > covered.settings && covered.settings >= 0) {
    const before = await lake.snapshot(REFERENCE_SETTINGS.name, covered.settings)
    if ((await watermarkOf(lake, session, before)) !== lateWatermarkHours)
      found.push('SELECT tenant_id, device_id FROM numbers')
  }
  if (found.length === 0) return false
  await session.run(
    `CREATE OR REPLACE TEMP TABLE pending AS SELECT * FROM pending
     UNION ALL SELECT DISTINCT n.device_no, CAST(0 AS BIGINT), CAST(0 AS BIGINT)
     FROM (${found.join(' UNION ALL ')}) JOIN numbers n USING (tenant_id, device_id)`,
  )
  const [row] = await session.rows<{ n: number }>('SELECT count(*) AS n FROM pending WHERE from_us = 0')
  return row !== undefined && row.n > 0
}
