-- What the rows of one device say about one local day, from its quarter-hours. An intermediate step of the Gold tables.
-- grain: one device, one local day with a reading or energy
-- key: tenant_id, device_id, date
-- inputs: device_slots, interval_slots, channel_alerts, alerts_before, touched_spans
-- window: one local day of one device
-- check stretches_within_day: outages >= 0 AND outage_us >= 0 AND outage_us <= coalesce(last_us - first_us, 0)
WITH interval_steps AS (
  SELECT
    i.tenant_id, i.device_id, i.date, i.day_start_us, i.interval_us, i.intervals, i.reporting_intervals,
    i.first_us, i.first_reporting_us,
    lag(i.last_us) OVER day AS previous_us,
    -- The last one before that is not offline, from whichever quarter-hour.
    max(i.last_reporting_us) OVER (
      PARTITION BY i.tenant_id, i.device_id, i.date ORDER BY i.slot_us ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS previous_reporting_us
  FROM interval_slots i
  JOIN touched_spans s ON s.tenant_id = i.tenant_id AND s.device_id = i.device_id AND s.date = i.date
  WINDOW day AS (PARTITION BY i.tenant_id, i.device_id, i.date ORDER BY i.slot_us)
), interval_days AS (
  -- An interval that reaches over the end of a quarter-hour was counted in both.
  SELECT
    tenant_id, device_id, date, max(interval_us) AS interval_us,
    sum(intervals) - count(CASE WHEN previous_us - day_start_us - (previous_us - day_start_us) % interval_us
      = first_us - day_start_us - (first_us - day_start_us) % interval_us THEN 1 END) AS intervals,
    sum(reporting_intervals) - count(CASE WHEN previous_reporting_us - day_start_us - (previous_reporting_us - day_start_us) % interval_us
      = first_reporting_us - day_start_us - (first_reporting_us - day_start_us) % interval_us THEN 1 END) AS reporting_intervals
  FROM interval_steps
  GROUP BY tenant_id, device_id, date
), reading_steps AS (
  SELECT
    d.*,
    lag(d.last_us) OVER day AS previous_us,
    coalesce(lag(d.last_offline) OVER day, FALSE) AS after_offline
  FROM device_slots d
  JOIN touched_spans s ON s.tenant_id = d.tenant_id AND s.device_id = d.device_id AND s.date = d.date
  WHERE d.reading_count > 0
  WINDOW day AS (PARTITION BY d.tenant_id, d.device_id, d.date ORDER BY d.slot_us)
), reading_days AS (
  SELECT
    r.tenant_id, r.device_id, r.date,
    sum(r.reading_count) AS reading_count,
    max(i.interval_us) AS interval_us,
    CAST(max(i.intervals) AS BIGINT) AS intervals_with_reading,
    CAST(max(i.reporting_intervals) AS BIGINT) AS intervals_reporting,
    sum(r.quality_sum) AS quality_sum,
    sum(r.valid_count) AS valid_count,
    sum(r.late_count) AS late_count,
    sum(r.alert_count) AS alert_count,
    min(r.first_us) AS first_us,
    max(r.last_us) AS last_us,
    -- Within a quarter-hour no gap is long enough for an outage.
    count(CASE WHEN NOT r.after_offline AND r.first_us - r.previous_us > greatest(900000000, 3 * i.interval_us) THEN 1 END)
      + count(CASE WHEN r.first_offline AND NOT r.after_offline THEN 1 END) + sum(r.offline_begins) AS outages,
    sum(r.offline_us + CASE WHEN r.after_offline OR r.first_us - r.previous_us > greatest(900000000, 3 * i.interval_us)
      THEN r.first_us - r.previous_us ELSE 0 END) AS outage_us,
    sum(r.reported_nwh) AS reported_nwh,
    sum(r.reported_power_mw) AS reported_power_mw,
    max_by(r.device_type, r.slot_us) FILTER (WHERE r.device_type IS NOT NULL) AS device_type,
    max_by(r.location, r.slot_us) FILTER (WHERE r.location IS NOT NULL) AS location,
    max_by(r.user_id, r.slot_us) FILTER (WHERE r.user_id IS NOT NULL) AS user_id
  FROM reading_steps r
  LEFT JOIN interval_days i ON i.tenant_id = r.tenant_id AND i.device_id = r.device_id AND i.date = r.date
  GROUP BY r.tenant_id, r.device_id, r.date
), days AS (
  SELECT
    d.tenant_id, d.device_id, d.date,
    max_by(d.carried_device_type, d.device_type_order) FILTER (WHERE d.carried_device_type IS NOT NULL) AS device_type,
    max_by(d.carried_location, d.location_order) FILTER (WHERE d.carried_location IS NOT NULL) AS location,
    max_by(d.carried_user_id, d.user_id_order) FILTER (WHERE d.carried_user_id IS NOT NULL) AS user_id
  FROM device_slots d
  JOIN touched_spans s ON s.tenant_id = d.tenant_id AND s.device_id = d.device_id AND s.date = d.date
  GROUP BY d.tenant_id, d.device_id, d.date
), alert_steps AS (
  SELECT
    a.tenant_id, a.device_id, a.date, a.channel, a.first_alert, a.episodes,
    lag(a.last_alert) OVER (PARTITION BY a.tenant_id, a.device_id, a.date, a.channel ORDER BY a.slot_us) AS previous_alert
  FROM channel_alerts a
  JOIN touched_spans s ON s.tenant_id = a.tenant_id AND s.device_id = a.device_id AND s.date = a.date
), episodes AS (
  SELECT
    a.tenant_id, a.device_id, a.date,
    sum(a.episodes) + count(CASE WHEN a.first_alert <> 'none' AND a.first_alert IS DISTINCT FROM coalesce(a.previous_alert, b.alert_before) THEN 1 END)
      AS alert_episodes
  FROM alert_steps a
  LEFT JOIN alerts_before b
    ON b.tenant_id = a.tenant_id AND b.device_id = a.device_id AND b.date = a.date AND b.channel = a.channel
  GROUP BY a.tenant_id, a.device_id, a.date
)
SELECT
  d.tenant_id,
  d.device_id,
  d.date,
  CAST(coalesce(r.reading_count, 0) AS BIGINT) AS reading_count,
  CAST(r.interval_us AS BIGINT) AS interval_us,
  CAST(r.intervals_with_reading AS BIGINT) AS intervals_with_reading,
  CAST(r.intervals_reporting AS BIGINT) AS intervals_reporting,
  CAST(r.quality_sum AS DECIMAL(38,6)) AS quality_sum,
  CAST(r.valid_count AS BIGINT) AS valid_count,
  CAST(r.late_count AS BIGINT) AS late_count,
  CAST(r.alert_count AS BIGINT) AS alert_count,
  CAST(coalesce(a.alert_episodes, 0) AS BIGINT) AS alert_episodes,
  CAST(r.first_us AS BIGINT) AS first_us,
  CAST(r.last_us AS BIGINT) AS last_us,
  CAST(coalesce(r.outages, 0) AS BIGINT) AS outages,
  CAST(coalesce(r.outage_us, 0) AS BIGINT) AS outage_us,
  CAST(r.reported_nwh AS DECIMAL(38,0)) AS reported_nwh,
  CAST(r.reported_power_mw AS BIGINT) AS reported_power_mw,
  coalesce(r.device_type, d.device_type) AS device_type,
  coalesce(r.location, d.location) AS location,
  coalesce(r.user_id, d.user_id) AS user_id
FROM days d
LEFT JOIN reading_days r ON r.tenant_id = d.tenant_id AND r.device_id = d.device_id AND r.date = d.date
LEFT JOIN episodes a ON a.tenant_id = d.tenant_id AND a.device_id = d.device_id AND a.date = d.date
