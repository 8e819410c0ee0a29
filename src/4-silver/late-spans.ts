/**
 * Which spans of which devices the late pass refines again: `dirty`.
 *
 * A span begins where what is pending may change a row, and ends where it cannot any more: where, more than an hour after
 * the last pending arrival, what the device's channels carry is what they carried when the stored rows were made. The rows from
 * there on are made of the same arrivals, the same hour before them and the same state, so that they are as they are.
 * Where that is, is tried with windows that grow; where none does, there is no row after it, or are few at all, the span has no end.
 */
import { loadBefore } from './history.ts'
import { lateParts, rowsFromThere, type LateWork } from './late-arrivals.ts'
import { materialise } from './model.ts'
import { acceptArrivals, computeEnergy } from './models.ts'
import { CONSTANTS } from './rules.ts'
import { OPEN_US } from './tail.ts'

const HOUR_US = 3_600_000_000
const DAY_US = 24 * HOUR_US

/** How far after the last pending arrival the first and each next trial looks. */
const WINDOWS_US = [2 * HOUR_US, 2 * DAY_US, 14 * DAY_US]
/** Pending arrivals of a device that lie further apart are refined one after the other: no window of the one reaches the other. */
const APART_US = 15 * DAY_US

/** The columns of a channel's state, as texts of one statement compare them. */
const STATE = `channel_no, p_us, p_mw, held_until_us, coalesce(hold_dropped, false) AS hold_dropped, c_first_us, c_us, c_uwh,
  c_plausible_mw, c_before_us, c_before_uwh, lower_c_us, r_us, lower_r_us`
const SOMETHING = 'p_us IS NOT NULL OR c_us IS NOT NULL OR r_us IS NOT NULL'

/**
 * `dirty`: of each pending device its first span. device_no, tenant_id, device_id; from_us: the first event time that is
 * refined again (0: all of the device); last_us: the last pending one; to_us: the first one that is left as it is; until_us: up
 * to where arrivals are looked at; anew: its rejects too; horizon_us: see `horizonUs`. And `seen`, which channels have ever measured what.
 */
export async function findDirty(work: LateWork, horizonUs: number): Promise<void> {
  await findFirst(work, horizonUs)
  const windows = (await rowsFromThere(work)) > work.fewRows ? WINDOWS_US : []
  for (const windowUs of windows) {
    await work.session.run(
      `UPDATE dirty SET until_us = last_us + ${windowUs} WHERE to_us IS NULL;
       UPDATE dirty SET to_us = ${OPEN_US} WHERE to_us IS NULL AND NOT EXISTS (
         SELECT 1 FROM newest n WHERE n.device_no = dirty.device_no AND n.newest_us >= dirty.until_us)`,
    )
    for await (const _ of lateParts(work, 'to_us IS NULL')) await settle(work)
  }
  await work.session.run(
    `UPDATE dirty SET to_us = ${OPEN_US} WHERE to_us IS NULL;
     UPDATE dirty SET until_us = ${OPEN_US} WHERE to_us = ${OPEN_US}`,
  )
}

/**
 * Where Bronze has given up dates, something that has changed besides readings is worked in from there on only: the rows from
 * then on all have their arrival. It has no end, and takes what is pending of its device with it.
 */
async function findFirst({ lake, session, readings, fewRows }: LateWork, horizonUs: number): Promise<void> {
  const wholeUs = horizonUs === 0 ? 0 : horizonUs + CONSTANTS.ahead_limit_us
  await session.run(
    `CREATE TEMP TABLE IF NOT EXISTS changed_devices (device_no INTEGER, from_us BIGINT);
     CREATE OR REPLACE TEMP TABLE seen AS
     SELECT channel_no, p_us IS NOT NULL AS has_p, c_us IS NOT NULL AS has_c, r_us IS NOT NULL AS has_r FROM channel_states;
     CREATE OR REPLACE TEMP TABLE first_us AS
     WITH placed AS (
       SELECT device_no, CASE WHEN arrivals = 0 THEN greatest(from_us, ${wholeUs}) ELSE from_us END AS from_us, to_us FROM pending
     ),
     after AS (
       SELECT *, from_us > max(to_us) OVER (
         PARTITION BY device_no ORDER BY from_us, to_us ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
       ) + ${APART_US} AS is_apart FROM placed
     ),
     numbered AS (
       SELECT *, count(*) FILTER (WHERE is_apart) OVER (PARTITION BY device_no ORDER BY from_us, to_us ROWS UNBOUNDED PRECEDING) AS span_no,
         max(to_us) OVER (PARTITION BY device_no) = ${OPEN_US} AS is_open FROM after
     )
     SELECT device_no, min(from_us) AS from_us, max(to_us) AS last_us
     FROM numbered WHERE span_no = 0 OR is_open GROUP BY device_no;
     CREATE OR REPLACE TEMP TABLE before_us AS SELECT device_no, from_us AS to_us FROM first_us WHERE from_us > 0`,
  )
  await loadBefore(lake, session, readings, fewRows)
  await materialise(session, 'unsettled')
  await session.run(
    `CREATE OR REPLACE TEMP TABLE dirty AS
     SELECT f.device_no, n.tenant_id, n.device_id, coalesce(u.from_us, 0) AS from_us, f.last_us,
       CASE WHEN f.from_us = 0 OR f.last_us = ${OPEN_US} THEN ${OPEN_US} END AS to_us, CAST(${OPEN_US} AS BIGINT) AS until_us,
       f.device_no IN (SELECT device_no FROM changed_devices) AS anew, CAST(${horizonUs} AS BIGINT) AS horizon_us
     FROM first_us f LEFT JOIN unsettled u USING (device_no)
     JOIN (SELECT DISTINCT device_no, tenant_id, device_id FROM numbers) n USING (device_no)`,
  )
}

/** Ends the spans of those devices of a part whose channels carry, at the end of the window, what they carry there by the stored rows. */
async function settle({ lake, session, readings, fewRows }: LateWork): Promise<void> {
  await acceptArrivals(session)
  // Rows at the end of the window may be judged otherwise by what lies behind it: it is cut before these.
  await session.run(
    `CREATE OR REPLACE TEMP TABLE carried_in AS SELECT * FROM carried;
     CREATE OR REPLACE TEMP TABLE carried AS SELECT * FROM channel_state;
     CREATE OR REPLACE TEMP TABLE before_us AS SELECT device_no, until_us AS to_us FROM dirty_part`,
  )
  await materialise(session, 'unsettled')
  await session.run(
    `CREATE OR REPLACE TEMP TABLE cuts AS
     SELECT u.device_no, u.from_us AS to_us FROM unsettled u JOIN dirty_part d USING (device_no)
     WHERE u.from_us > d.last_us + ${HOUR_US};
     CREATE OR REPLACE TEMP TABLE carried AS SELECT * FROM carried_in;
     CREATE OR REPLACE TEMP TABLE accepted AS
     SELECT a.* FROM accepted a JOIN cuts c USING (device_no) WHERE a.t_us < c.to_us`,
  )
  await computeEnergy(session)
  await session.run(
    `CREATE OR REPLACE TEMP TABLE state_anew AS SELECT * FROM channel_state;
     CREATE OR REPLACE TEMP TABLE before_us AS SELECT * FROM cuts`,
  )
  await loadBefore(lake, session, readings, fewRows)
  const anew = `SELECT ${STATE} FROM state_anew SEMI JOIN (channels JOIN cuts USING (device_no)) USING (channel_no) WHERE ${SOMETHING}`
  const stored = `SELECT ${STATE} FROM carried WHERE ${SOMETHING}`
  await session.run(
    `CREATE OR REPLACE TEMP TABLE differing AS
     SELECT DISTINCT device_no FROM ((${anew} EXCEPT ${stored}) UNION ALL (${stored} EXCEPT ${anew})) JOIN channels USING (channel_no);
     UPDATE dirty SET to_us = c.to_us FROM cuts c
     WHERE c.device_no = dirty.device_no AND c.device_no NOT IN (SELECT device_no FROM differing)`,
  )
}
