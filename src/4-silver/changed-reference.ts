/** What rows depend on besides readings has changed: which devices that concerns, from when on, and why. */
import type { Lake, Session, Snapshot } from '../lake/types.ts'
import {
  REFERENCE_CATALOGUE,
  REFERENCE_CORRECTIONS,
  REFERENCE_PERIODS,
  REFERENCE_RULES,
  REFERENCE_SETTINGS,
} from '../reference/tables.ts'
import {
  DUPLICATES,
  numberChannels,
  READINGS,
  REJECTS,
  ruleChanges,
  snapshotIn,
  TENANT,
  watermarkOf,
  type ReferenceVersions,
} from './models.ts'
import { typesThatDiffer } from './rules-in-force.ts'
import { OPEN_US, type Covered } from './tail.ts'

interface Change {
  /** Why, as a person is told. */
  because: string
  /** SELECT tenant_id, device_id, from_us (0: all of the device). */
  sql: string
}

/** Columns of the catalogue that rows depend on whatever the time; those that periods replace come after them. */
const ALWAYS = 'tenant_id, device_id, rated_power_w, expected_interval_s, energy_source, merged_into'
const BY_PERIOD = 'device_type, user_id, location, installation_date, manufacturer, model'

/**
 * Puts every device whose rows would come out otherwise by what holds now into `pending`, from the first event time on
 * that is concerned, and into `changed_devices`. Returns sentences on what is done again; none: nothing. Silver's first rows are made with what holds now.
 * `readings` is what that table covers, `tables` what each does: a crash may have left some ahead of it.
 */
export async function insertChangedDevices(
  lake: Lake,
  session: Session,
  tables: readonly Covered[],
  readings: Covered,
  reference: ReferenceVersions,
): Promise<string[]> {
  await session.run('CREATE OR REPLACE TEMP TABLE changed_devices (device_no INTEGER, from_us BIGINT)')
  const told = new Set<string>()
  if (readings.bronze >= 0) await insertChanges(lake, session, readings, reference, told)
  const isAhead = (covered: Covered): boolean =>
    Object.entries(covered.reference).some(([name, version]) => version > (readings.reference[name] ?? -1))
  for (const covered of tables.filter(isAhead)) await insertChanges(lake, session, covered, reference, told)
  await session.run(
    `CREATE OR REPLACE TEMP TABLE pending AS SELECT * FROM pending
     UNION ALL SELECT device_no, min(from_us), CAST(${OPEN_US} AS BIGINT), CAST(0 AS BIGINT) FROM changed_devices GROUP BY device_no`,
  )
  return [...told]
}

async function insertChanges(
  lake: Lake,
  session: Session,
  covered: Covered,
  reference: ReferenceVersions,
  told: Set<string>,
): Promise<void> {
  const changes: Change[] = []
  for (const find of [changedCatalogue, changedPeriods, changedSettings, changedRules, changedCorrections])
    changes.push(...(await find(lake, session, covered, reference)))
  for (const { because, sql } of changes) {
    // One that takes over another's rows, or gets its own back, may have none yet.
    await numberChannels(session, `SELECT tenant_id, device_id, '' AS channel FROM (${sql})`)
    const [found] = await session.rows<{ devices: number }>(
      `SELECT count(DISTINCT n.device_no) AS devices FROM (${sql}) JOIN numbers n USING (tenant_id, device_id)`,
    )
    await session.run(
      `INSERT INTO changed_devices
       SELECT n.device_no, min(c.from_us) FROM (${sql}) c JOIN numbers n USING (tenant_id, device_id) GROUP BY ALL`,
    )
    if (found !== undefined && found.devices > 0)
      told.add(
        `${because}: ${found.devices} ${found.devices === 1 ? 'device is' : 'devices are'} refined again`,
      )
  }
}

type Find = (
  lake: Lake,
  session: Session,
  covered: Covered,
  reference: ReferenceVersions,
) => Promise<Change[]>

/** The table now and as rows were made with it; undefined where it is the same, or rows were made without it. */
async function changed(
  lake: Lake,
  name: string,
  covered: Covered,
  { tables }: ReferenceVersions,
): Promise<{ now: Snapshot; before: Snapshot; empty: boolean } | undefined> {
  const now = snapshotIn(tables, name)
  const version = covered.reference[name] ?? -1
  if (now.version <= version) return undefined
  const before = version < 0 ? { ...now, files: [] } : await lake.snapshot(name, version)
  return { now, before, empty: version < 0 }
}

const symmetric = (a: string, b: string): string => `((${a} EXCEPT ${b}) UNION ALL (${b} EXCEPT ${a}))`

const changedCatalogue: Find = async (lake, session, covered, reference) => {
  const { name } = REFERENCE_CATALOGUE
  const change = await changed(lake, name, covered, reference)
  if (change === undefined) return []
  const select = ({ files }: Snapshot, columns: string): string =>
    `SELECT ${columns} FROM ${lake.scan(name, files)}`
  const differing = (columns: string): string =>
    symmetric(select(change.now, columns), select(change.before, columns))
  await session.run(
    `CREATE OR REPLACE TEMP TABLE catalogue_changed AS
     SELECT tenant_id, device_id, merged_into FROM ${differing(ALWAYS)}
     UNION SELECT d.tenant_id, d.device_id, NULL FROM ${differing(`tenant_id, device_id, ${BY_PERIOD}`)} d
     ANTI JOIN periods p ON p.tenant_id = d.tenant_id AND p.device_id = d.device_id`,
  )
  return [
    {
      because: 'the catalogue has changed',
      sql: `SELECT tenant_id, device_id, CAST(0 AS BIGINT) AS from_us FROM catalogue_changed
        UNION SELECT tenant_id, merged_into, CAST(0 AS BIGINT) FROM catalogue_changed WHERE merged_into IS NOT NULL`,
    },
  ]
}

/** From the earliest period that is another one; a device that gets its first, or loses its last, from the beginning. */
const changedPeriods: Find = async (lake, session, covered, reference) => {
  const { name } = REFERENCE_PERIODS
  const change = await changed(lake, name, covered, reference)
  if (change === undefined) return []
  const select = ({ files }: Snapshot): string =>
    `SELECT tenant_id, device_id, valid_from, valid_to, ${BY_PERIOD} FROM ${lake.scan(name, files)}`
  const [now, before] = [select(change.now), select(change.before)]
  await session.run(
    `CREATE OR REPLACE TEMP TABLE periods_changed AS
     SELECT x.tenant_id, x.device_id,
       CASE WHEN bool_and(a.device_id IS NOT NULL AND b.device_id IS NOT NULL) THEN greatest(min(epoch_us(x.valid_from)), 0) ELSE 0 END AS from_us
     FROM ${symmetric(now, before)} x
     LEFT JOIN (SELECT DISTINCT tenant_id, device_id FROM (${now})) a ON a.tenant_id = x.tenant_id AND a.device_id = x.device_id
     LEFT JOIN (SELECT DISTINCT tenant_id, device_id FROM (${before})) b ON b.tenant_id = x.tenant_id AND b.device_id = x.device_id
     GROUP BY x.tenant_id, x.device_id`,
  )
  return [
    {
      because: 'what the catalogue says from when to when has changed',
      sql: 'SELECT * FROM periods_changed',
    },
  ]
}

const changedSettings: Find = async (lake, session, covered, reference) => {
  const change = await changed(lake, REFERENCE_SETTINGS.name, covered, reference)
  if (change === undefined || change.empty) return []
  if ((await watermarkOf(lake, session, change.before)) === reference.lateWatermarkHours) return []
  return [
    {
      because: 'the late watermark has changed',
      sql: 'SELECT DISTINCT tenant_id, device_id, CAST(0 AS BIGINT) AS from_us FROM numbers',
    },
  ]
}

/** Devices that a reading, a reject or the catalogue may call by a type whose rules differ; what pends, or repeats, may be of any type. */
const changedRules: Find = async (lake, session, covered, reference) => {
  const change = await changed(lake, REFERENCE_RULES.name, covered, reference)
  if (change === undefined) return []
  const [before, now] = [
    await ruleChanges(lake, session, change.before),
    await ruleChanges(lake, session, change.now),
  ]
  const types = typesThatDiffer(before, now)
  if (types.length === 0) return []
  const listed = types.map((type) => `'${type.replaceAll("'", "''")}'`).join(', ')
  const where = types.includes('*') ? 'device_id IS NOT NULL' : `device_type IN (${listed})`
  const sources = await Promise.all(
    [READINGS, REJECTS].map(
      async (table) =>
        `SELECT ${TENANT('x')} AS tenant_id, device_id FROM ${lake.scan(table, (await lake.snapshot(table)).files)} x WHERE ${where}`,
    ),
  )
  sources.push(
    `SELECT tenant_id, device_id FROM catalogue WHERE ${where}`,
    `SELECT tenant_id, device_id FROM periods WHERE ${where}`,
    'SELECT tenant_id, device_id FROM pending JOIN numbers USING (device_no)',
    `SELECT ${TENANT('x')} AS tenant_id, device_id FROM ${lake.scan(DUPLICATES, (await lake.snapshot(DUPLICATES)).files)} x`,
  )
  await session.run(`CREATE OR REPLACE TEMP TABLE rules_changed AS ${sources.join(' UNION ')}`)
  return [
    {
      because: `the rules of ${types.includes('*') ? 'all types' : types.join(', ')} have changed`,
      sql: 'SELECT tenant_id, device_id, CAST(0 AS BIGINT) AS from_us FROM rules_changed',
    },
  ]
}

/** Corrections are only added to, and one that takes another back carries its device and times. */
const changedCorrections: Find = async (lake, session, covered, reference) => {
  const { name } = REFERENCE_CORRECTIONS
  const change = await changed(lake, name, covered, reference)
  if (change === undefined) return []
  await session.run(
    `CREATE OR REPLACE TEMP TABLE corrections_changed AS
     SELECT tenant_id, device_id, greatest(min(epoch_us(from_time)), 0) AS from_us FROM corrections c
     ANTI JOIN ${lake.scan(name, change.before.files)} b ON b.correction_id = c.correction_id GROUP BY tenant_id, device_id`,
  )
  return [{ because: 'a correction was recorded', sql: 'SELECT * FROM corrections_changed' }]
}
