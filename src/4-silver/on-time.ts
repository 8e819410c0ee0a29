/** Arrivals of some Bronze versions: rejects and what is on time become rows at once, the rest is left pending. */
import type { Session } from '../lake/types.ts'
import { checkAccounting, materialise, materialiseIf, view } from './model.ts'
import { computeEnergy, computeReadings, resolveIdentities } from './models.ts'
import { pendingOf } from './tail.ts'

/** Arrivals that did not become a row of `readings`. */
export interface Outcome {
  rejects: number
  duplicates: number
  /** Of the arrivals that wait for the late pass. */
  waiting: number
}

/**
 * Makes `rejects`, `duplicates`, `readings` of `arrivals`, and `waiting` (devices with arrivals for the late pass, as
 * `pending`), this one only where there are any. The outcome depends on nothing but the arrivals, the tail and the reference
 * tables. The devices that `heldSql` names are left to the late pass whole.
 */
export async function refineOnTime(
  session: Session,
  heldSql = 'SELECT CAST(NULL AS INTEGER) AS device_no WHERE false',
): Promise<Outcome> {
  await materialise(session, 'checked')
  await session.run(`CREATE OR REPLACE TEMP TABLE held AS ${heldSql}`)
  if (await resolveOnTime(session)) {
    await session.run('INSERT INTO held SELECT * FROM judged_again')
    await resolveOnTime(session)
  }
  await computeReadings(session)
  const outcome = await outcomeOf(session)
  await materialiseIf(session, outcome.rejects > 0, 'rejects')
  await materialiseIf(session, outcome.duplicates > 0, 'duplicates')
  if (outcome.waiting > 0)
    await session.run(
      `CREATE OR REPLACE TEMP TABLE waiting AS
     ${pendingOf('SELECT c.device_no, c.t_us FROM checked c ANTI JOIN candidates o ON o.seq = c.seq WHERE c.reject_reason IS NULL')}`,
    )
  await checkAccounting(session, outcome)
  return outcome
}

async function outcomeOf(session: Session): Promise<Outcome> {
  const [row] = await session.rows<{
    rejected: number
    kept: number
    conflicts: number
    duplicates: number
    tried: number
  }>(
    `SELECT count_if(reject_reason IS NOT NULL) AS rejected, count_if(reject_reason IS NULL) AS kept,
       (SELECT count(*) FROM resolved WHERE outcome = 'conflict') AS conflicts,
       (SELECT count(*) FROM resolved WHERE outcome = 'duplicate') AS duplicates,
       (SELECT count(*) FROM candidates) AS tried
     FROM checked`,
  )
  if (row === undefined) throw new TypeError('A count has one row.')
  return {
    rejects: row.rejected + row.conflicts,
    duplicates: row.duplicates,
    waiting: row.kept - row.tried,
  }
}

/** Whether `judged_again` has a device: one that is not on time after all. */
async function resolveOnTime(session: Session): Promise<boolean> {
  await view(session, 'on_time')
  await session.run(
    `CREATE OR REPLACE TEMP VIEW candidates AS SELECT * FROM on_time;
     CREATE OR REPLACE TEMP TABLE carried AS
     SELECT s.* FROM channel_states s JOIN channels h USING (channel_no) SEMI JOIN on_time c ON c.device_no = h.device_no;
     CREATE OR REPLACE TEMP TABLE hour_devices AS
     SELECT device_no, min(t_us) - any_value(k.window_us) AS after_us FROM on_time, constants k GROUP BY ALL;
     CREATE OR REPLACE TEMP VIEW hour_before AS
     SELECT h.* FROM tail_hour h JOIN hour_devices d USING (device_no) WHERE h.t_us > d.after_us`,
  )
  await resolveIdentities(session)
  await computeEnergy(session)
  // Only a counter, or a row that may end a method, is ever judged again.
  const [judged] = await session.rows(
    'SELECT 1 FROM carried WHERE c_us IS NOT NULL OR lower_c_us IS NOT NULL OR lower_r_us IS NOT NULL LIMIT 1',
  )
  if (!judged) return false
  await materialise(session, 'judged_again')
  const [again] = await session.rows('SELECT 1 FROM judged_again LIMIT 1')
  return again !== undefined
}
