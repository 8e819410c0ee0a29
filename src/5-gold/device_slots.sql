-- What the rows of one device say about one quarter-hour, so that a day is a sum. An intermediate step of the Gold
-- tables. `carried_…` are the texts of the rows that carry energy into it, each with the order of its row.
-- grain: one device, one quarter-hour with a reading or energy
-- key: tenant_id, device_id, date, slot_us
-- inputs: device_rows, energy_parts, calendar, touched_spans
-- window: one quarter-hour of one device
-- check offline_within_slot: offline_us >= 0 AND offline_us <= coalesce(last_us - first_us, 0)
WITH offline_slots AS (
  SELECT DISTINCT tenant_id, device_id, slot_us FROM device_rows WHERE offline AND date IS NOT NULL
), stretches AS (
  -- Most quarter-hours have no offline reading and skip this.
  SELECT
    r.tenant_id, r.device_id, r.slot_us, r.t_us, r.offline, r.row_order,
    lag(r.offline) OVER slot AS after_offline,
    lag(r.t_us) OVER slot AS previous_us
  FROM device_rows r
  JOIN offline_slots o ON o.tenant_id = r.tenant_id AND o.device_id = r.device_id AND o.slot_us = r.slot_us
  WHERE r.date IS NOT NULL
  WINDOW slot AS (PARTITION BY r.tenant_id, r.device_id, r.slot_us ORDER BY r.row_order)
), offline AS (
  SELECT
    tenant_id, device_id, slot_us,
    min_by(offline, row_order) AS first_offline,
    max_by(offline, row_order) AS last_offline,
    count(CASE WHEN offline AND NOT after_offline THEN 1 END) AS offline_begins,
    coalesce(sum(CASE WHEN after_offline THEN t_us - previous_us END), 0) AS offline_us
  FROM stretches
  GROUP BY tenant_id, device_id, slot_us
), reading_slots AS (
  SELECT
    tenant_id, device_id, date, slot_us,
    count(*) AS reading_count,
    sum(CAST(quality_score AS DECIMAL(18,6))) AS quality_sum,
    count(CASE WHEN is_valid THEN 1 END) AS valid_count,
    count(CASE WHEN is_late_event THEN 1 END) AS late_count,
    count(CASE WHEN alert IS NOT NULL AND alert <> 'none' THEN 1 END) AS alert_count,
    min(t_us) AS first_us,
    max(t_us) AS last_us,
    sum(CAST(CASE WHEN power_usage > 0 THEN round(energy_consumption_wh * 1000000000) END AS DECIMAL(18,0))) AS reported_nwh,
    sum(CASE WHEN power_usage > 0 AND energy_consumption_wh IS NOT NULL THEN CAST(round(power_usage * 1000) AS BIGINT) END) AS reported_power_mw,
    max_by(device_type, row_order) FILTER (WHERE device_type IS NOT NULL) AS device_type,
    max_by(location, row_order) FILTER (WHERE location IS NOT NULL) AS location,
    max_by(user_id, row_order) FILTER (WHERE user_id IS NOT NULL) AS user_id
  FROM device_rows
  WHERE date IS NOT NULL
  GROUP BY tenant_id, device_id, date, slot_us
), carried AS (
  SELECT
    p.tenant_id, p.device_id, s.date, p.slot_us,
    max_by(p.device_type, p.row_order) FILTER (WHERE p.device_type IS NOT NULL) AS carried_device_type,
    max(p.row_order) FILTER (WHERE p.device_type IS NOT NULL) AS device_type_order,
    max_by(p.location, p.row_order) FILTER (WHERE p.location IS NOT NULL) AS carried_location,
    max(p.row_order) FILTER (WHERE p.location IS NOT NULL) AS location_order,
    max_by(p.user_id, p.row_order) FILTER (WHERE p.user_id IS NOT NULL) AS carried_user_id,
    max(p.row_order) FILTER (WHERE p.user_id IS NOT NULL) AS user_id_order
  FROM energy_parts p
  JOIN calendar c ON c.quarter_hour = timestamp_micros(p.slot_us)
  JOIN touched_spans s
    ON s.tenant_id = p.tenant_id AND s.device_id = p.device_id AND s.date = c.date
    AND p.slot_us >= s.from_us AND p.slot_us < s.to_us
  WHERE p.energy_nwh IS NOT NULL
  GROUP BY p.tenant_id, p.device_id, s.date, p.slot_us
)
SELECT
  CAST(coalesce(r.tenant_id, e.tenant_id) AS STRING) AS tenant_id,
  CAST(coalesce(r.device_id, e.device_id) AS STRING) AS device_id,
  coalesce(r.date, e.date) AS date,
  coalesce(r.slot_us, e.slot_us) AS slot_us,
  CAST(coalesce(r.reading_count, 0) AS BIGINT) AS reading_count,
  CAST(r.quality_sum AS DECIMAL(38,6)) AS quality_sum,
  CAST(r.valid_count AS BIGINT) AS valid_count,
  CAST(r.late_count AS BIGINT) AS late_count,
  CAST(r.alert_count AS BIGINT) AS alert_count,
  CAST(r.first_us AS BIGINT) AS first_us,
  CAST(r.last_us AS BIGINT) AS last_us,
  coalesce(o.first_offline, FALSE) AS first_offline,
  coalesce(o.last_offline, FALSE) AS last_offline,
  CAST(coalesce(o.offline_begins, 0) AS BIGINT) AS offline_begins,
  CAST(coalesce(o.offline_us, 0) AS BIGINT) AS offline_us,
  CAST(r.reported_nwh AS DECIMAL(38,0)) AS reported_nwh,
  CAST(r.reported_power_mw AS BIGINT) AS reported_power_mw,
  CAST(r.device_type AS STRING) AS device_type,
  CAST(r.location AS STRING) AS location,
  CAST(r.user_id AS STRING) AS user_id,
  CAST(e.carried_device_type AS STRING) AS carried_device_type, e.device_type_order,
  CAST(e.carried_location AS STRING) AS carried_location, e.location_order,
  CAST(e.carried_user_id AS STRING) AS carried_user_id, e.user_id_order
FROM reading_slots r
FULL JOIN carried e ON e.tenant_id = r.tenant_id AND e.device_id = r.device_id AND e.slot_us = r.slot_us
LEFT JOIN offline o ON o.tenant_id = r.tenant_id AND o.device_id = r.device_id AND o.slot_us = r.slot_us
