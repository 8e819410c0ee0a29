-- Expected intervals with a reading in one quarter-hour. An interval that reaches over its end counts in both, which
-- the day corrects by the first and last times. An intermediate step of the Gold tables.
-- grain: one device, one quarter-hour with a reading
-- key: tenant_id, device_id, date, slot_us
-- inputs: day_times, expected_intervals
-- window: one quarter-hour of one device
-- check reporting_within: reporting_intervals IS NULL OR reporting_intervals <= intervals
WITH timed AS (
  SELECT
    t.tenant_id, t.device_id, t.date, t.slot_us, t.t_us, t.offline, t.day_start_us, i.interval_us,
    -- Rows come in order of time, so an interval is new where the row before lies in an earlier one.
    t.device_previous_us IS NULL OR t.device_previous_us < t.slot_us
      OR t.device_previous_us - t.day_start_us < t.t_us - t.day_start_us - (t.t_us - t.day_start_us) % i.interval_us AS is_new
  FROM day_times t
  LEFT JOIN expected_intervals i ON i.tenant_id = t.tenant_id AND i.device_id = t.device_id AND i.date = t.date
), offline_slots AS (
  SELECT DISTINCT tenant_id, device_id, date, slot_us FROM timed WHERE offline
), reporting AS (
  -- Most quarter-hours have no offline reading and skip this.
  SELECT t.tenant_id, t.device_id, t.date, t.slot_us,
    count(DISTINCT t.t_us - t.day_start_us - (t.t_us - t.day_start_us) % t.interval_us) AS intervals
  FROM timed t
  JOIN offline_slots o ON o.tenant_id = t.tenant_id AND o.device_id = t.device_id AND o.date = t.date AND o.slot_us = t.slot_us
  WHERE NOT t.offline
  GROUP BY t.tenant_id, t.device_id, t.date, t.slot_us
), slots AS (
  SELECT
    tenant_id, device_id, date, slot_us,
    max(day_start_us) AS day_start_us,
    max(interval_us) AS interval_us,
    count(CASE WHEN is_new THEN 1 END) AS intervals,
    count(CASE WHEN offline THEN 1 END) AS offline_count,
    min(t_us) AS first_us,
    max(t_us) AS last_us,
    min(t_us) FILTER (WHERE NOT offline) AS first_reporting_us,
    max(t_us) FILTER (WHERE NOT offline) AS last_reporting_us
  FROM timed
  GROUP BY tenant_id, device_id, date, slot_us
)
SELECT
  s.tenant_id, s.device_id, s.date, s.slot_us, s.day_start_us, s.interval_us,
  CASE WHEN s.interval_us IS NOT NULL THEN s.intervals END AS intervals,
  CASE WHEN s.interval_us IS NOT NULL THEN
    CASE WHEN s.offline_count = 0 THEN s.intervals ELSE coalesce(r.intervals, 0) END END AS reporting_intervals,
  s.first_us, s.last_us, s.first_reporting_us, s.last_reporting_us
FROM slots s
LEFT JOIN reporting r ON r.tenant_id = s.tenant_id AND r.device_id = s.device_id AND r.date = s.date AND r.slot_us = s.slot_us
