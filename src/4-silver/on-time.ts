/** Arrivals of some Bronze versions: rejects and what is on time become rows at once, the rest is left pending. */
import type { Session } from '../lake/types.ts'
import { materialise } from './model.ts'
import { computeEnergy, computeReadings, resolveIdentities, takeArrivals } from './models.ts'

/**
 * Makes `rejects`, `duplicates`, `readings` of some rows of Bronze, and `waiting` (devices with arrivals for the late
 * pass, as `pending`). The outcome depends on nothing but the rows, the tail and the reference tables. The devices that `heldSql` names are
 * left to the late pass whole.
 */
export async function refineOnTime(
  session: Session,
  arrivalsSql: string,
  heldSql = 'SELECT CAST(NULL AS INTEGER) AS device_no WHERE false',
): Promise<void> {
  await takeArrivals(session, arrivalsSql)
  await materialise(session, 'checked')
  await session.run(`CREATE OR REPLACE TEMP TABLE held AS ${heldSql}`)
  await resolveOnTime(session)
  const [again] = await session.rows<{ n: number }>('SELECT count(*) AS n FROM judged_again')
  if (again !== undefined && again.n > 0) {
    await session.run('INSERT INTO held SELECT * FROM judged_again')
    await resolveOnTime(session)
  }
  await computeReadings(session)
  await materialise(session, 'rejects')
  await materialise(session, 'duplicates')
  await session.run(
    `CREATE OR REPLACE TEMP TABLE waiting AS
     SELECT c.device_no, min(c.t_us) AS from_us, count(*) AS arrivals
     FROM checked c ANTI JOIN candidates o ON o.seq = c.seq
     WHERE c.reject_reason IS NULL GROUP BY ALL`,
  )
}

async function resolveOnTime(session: Session): Promise<void> {
  await materialise(session, 'on_time')
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
  await materialise(session, 'judged_again')
}
