/** How far readings come: the first stage at which they stop is the one to look at. */
import { BRONZE_TELEMETRY } from '../3-bronze/tables.ts'
import { SILVER_READINGS, SILVER_REJECTS } from '../4-silver/tables.ts'
import { GOLD_SUMMARY } from '../5-gold/tables.ts'
import { rowCount } from '../lake/stats.ts'
import type { Snapshot } from '../lake/types.ts'
import { openDataFolder } from '../data-folder.ts'
import { openLakeAlone, openStreamView, type Settings, type StageName, type Warehouse } from '../main.ts'
import { BRONZE_GROUP, TELEMETRY_TOPIC } from '../reading.ts'
import type { Verdict } from './examine.ts'
import { hasLake } from './folder.ts'
import type { Patient } from './patient.ts'

/** A stage that has input and has not written for so long does not come on. */
const STALLED_MS = 180_000
/** A house that says nothing at all for so long is silent. */
const SILENT_MS = 3_600_000
const DAY_US = 86_400_000_000

/** What stands where, as it was found. */
interface Flow {
  /** Messages that the stream holds, and those of them that Bronze has not landed. */
  held: number
  waiting: number
  tables: Record<StageName, Snapshot>
  rejects: Rejects
}

interface Rejects {
  /** Arrivals of the newest day in Bronze that were accepted, and that were not. */
  accepted: number
  rejected: number
  /** The rule that rejected most. */
  reason: string | null
  devices: string[]
}

export async function dataFlow(patient: Patient): Promise<Verdict[]> {
  const { config, baseDir, root } = patient
  if (!config) return [{ state: 'skipped', what: 'Not looked at: the configuration cannot be read' }]
  if (!hasLake(patient))
    return [{ state: 'skipped', what: 'There is no lake of this version on this data folder yet' }]
  const settings = { config, baseDir, folder: openDataFolder(root, { create: false }) }
  const warehouse = await openLakeAlone(settings)
  try {
    const flow = await flowOf(settings, warehouse)
    return [stopOf(flow, patient, config), ...rejected(flow.rejects)]
  } finally {
    await warehouse.close()
  }
}

async function flowOf(settings: Settings, warehouse: Warehouse): Promise<Flow> {
  const { lake } = warehouse
  const [bronze, silver, gold] = await Promise.all(
    [BRONZE_TELEMETRY, SILVER_READINGS, GOLD_SUMMARY].map(({ name }) => lake.snapshot(name)),
  )
  const tables = { bronze: bronze!, silver: silver!, gold: gold! }
  return { ...(await streamOf(settings, warehouse)), tables, rejects: await rejectsOf(warehouse) }
}

async function streamOf(settings: Settings, { lake }: Warehouse): Promise<Pick<Flow, 'held' | 'waiting'>> {
  const view = await openStreamView(settings, lake)
  try {
    const topic = (await view.topics()).find((one) => one.topic === TELEMETRY_TOPIC)
    const group = (await view.groups()).find((one) => one.group === BRONZE_GROUP)
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
    const landed = group?.partitions.filter((one) => one.topic === TELEMETRY_TOPIC)
    const held = sum((topic?.partitions ?? []).map(({ start, end }) => end - start))
    return {
      held,
      // Bronze that has landed nothing yet has all of it before it.
      waiting: landed && landed.length > 0 ? Math.min(held, sum(landed.map(({ lag }) => lag))) : held,
    }
  } finally {
    await view.close()
  }
}

async function rejectsOf({ lake, engine }: Warehouse): Promise<Rejects> {
  const session = await engine.session()
  try {
    const from = async (table: string) => lake.scan(table, (await lake.snapshot(table)).files)
    const [readings, rejects] = [await from(SILVER_READINGS.name), await from(SILVER_REJECTS.name)]
    // Of the newest day that anything arrived on: an old fault that was mended says nothing about now.
    const since = `(SELECT max(us) - ${DAY_US} FROM (SELECT max(epoch_us(ingestion_time)) AS us FROM ${readings}
      UNION ALL SELECT max(epoch_us(ingestion_time)) FROM ${rejects}))`
    const [count] = await session.rows<{ n: number }>(
      `SELECT count(*)::DOUBLE AS n FROM ${readings} WHERE epoch_us(ingestion_time) > ${since}`,
    )
    const reasons = await session.rows<{ reason: string; n: number; devices: string | null }>(
      `SELECT reject_reason AS reason, count(*)::DOUBLE AS n,
        array_to_string(list_sort(list_distinct(list(device_id)))[1:3], ', ') AS devices
       FROM ${rejects} WHERE epoch_us(ingestion_time) > ${since} GROUP BY ALL ORDER BY n DESC, reason`,
    )
    return {
      accepted: count?.n ?? 0,
      rejected: reasons.reduce((sum, { n }) => sum + n, 0),
      reason: reasons[0]?.reason ?? null,
      devices: (reasons[0]?.devices ?? '').split(', ').filter((name) => name !== ''),
    }
  } finally {
    await session.close()
  }
}

function stopOf(flow: Flow, patient: Patient, config: NonNullable<Patient['config']>): Verdict {
  const { bronze, silver, gold } = flow.tables
  // Where nothing runs, nothing is to move: then it is worth knowing, and no fault.
  const state = patient.running ? 'wrong' : 'note'
  const rows = (snapshot: Snapshot) => rowCount(snapshot.files)
  if (flow.held === 0 && rows(bronze) === 0) return { state, ...nothingArrived(patient, config) }
  const behind = {
    bronze: flow.waiting,
    silver: bronze.version - (silver.txns.get(bronze.table) ?? 0),
    gold: silver.version - (gold.txns.get(silver.table) ?? 0),
  }
  const unit = { bronze: 'messages', silver: 'commits of Bronze', gold: 'commits of Silver' }
  for (const stage of ['bronze', 'silver', 'gold'] as const) {
    const sinceMs = patient.nowMs - flow.tables[stage].timestampMs
    const patienceMs = STALLED_MS + 2 * restMs(stage, config)
    if (behind[stage] <= 0 || (patient.running && sinceMs < patienceMs)) continue
    return { state, ...stopsAt(stage, `${behind[stage]} ${unit[stage]} wait`, patient) }
  }
  const silentMs = patient.nowMs - bronze.timestampMs
  if (patient.running && silentMs > SILENT_MS)
    return {
      state: 'wrong',
      what: `Readings stop at the source: nothing has arrived for ${Math.round(silentMs / 60_000)} min`,
      cure: 'See `smarthouse devices` for who is silent, and whether the devices reach this computer (docs/devices.md).',
    }
  return {
    state: 'ok',
    what: `Readings come through: ${rows(bronze)} in Bronze, ${rows(silver)} in Silver, days in Gold: ${rows(gold)}`,
  }
}

/** How long a stage may rest by the configuration though there is work: by its schedule, and running continuously by its own pace. */
function restMs(
  stage: StageName,
  { schedules, bronze, silver, gold }: NonNullable<Patient['config']>,
): number {
  const paceMs = { bronze: bronze.flush, silver: silver.late_pass, gold: gold.every }[stage]
  return Math.max(schedules[stage].everyMs ?? 0, paceMs)
}

function nothingArrived(patient: Patient, { simulator, sources }: NonNullable<Patient['config']>) {
  const what = 'Readings stop at the source: none has ever arrived'
  if (!patient.running) return { what, cure: 'Start the platform with `smarthouse up` (or `./start`).' }
  const hasSource =
    simulator.enabled || sources.mqtt.enabled || sources.brokers.length > 0 || sources.poll.length > 0
  return {
    what,
    cure: hasSource
      ? 'See what the sources say with `smarthouse logs`; docs/devices.md shows how devices are connected.'
      : 'No source is on: connect devices (docs/devices.md), send readings over HTTP, or `smarthouse import FILE`.',
  }
}

function stopsAt(stage: StageName, waits: string, { running, instance }: Patient) {
  const name = `${stage[0]!.toUpperCase()}${stage.slice(1)}`
  const what = `Readings stop before ${name}: ${waits}`
  if (!running)
    return {
      what: `${what}, and nothing runs`,
      cure: 'Start the platform with `smarthouse up` (or `./start`).',
    }
  const part = instance?.parts.find((one) => one.name === 'stages')
  const why = part?.problem ?? part?.last_error
  return { what: why ? `${what}; ${why}` : what, cure: 'See `smarthouse logs stages`.' }
}

/** Most of what arrived was rejected: said with the rule, and where it is the clock's, as that. */
function rejected({ accepted, rejected: count, reason, devices }: Rejects): Verdict[] {
  if (count === 0 || count < accepted) return []
  const who = devices.length > 0 ? ` (${devices.join(', ')}${devices.length === 3 ? ', …' : ''})` : ''
  const what = `${count} of ${count + accepted} readings of the last day were rejected, most as ${reason}${who}`
  if (reason === 'in_future')
    return [
      {
        state: 'wrong',
        code: 'clock_wrong',
        what: `${what}: their time lies more than 10 min ahead of this computer's clock`,
        cure: "Set this computer's clock; where it is right, that of the devices.",
      },
    ]
  return [
    {
      state: 'wrong',
      what: `Readings stop at Silver: ${what}`,
      cure: `See which and why: \`smarthouse sql "SELECT device_id, reject_detail FROM silver.rejects ORDER BY ingestion_time DESC LIMIT 20"\`.`,
    },
  ]
}
