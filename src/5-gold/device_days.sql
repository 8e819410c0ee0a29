-- What the rows of one device say about one local day. An intermediate step of the Gold tables.
-- grain: one device, one local day with a reading or energy
-- key: tenant_id, device_id, date
-- inputs: device_rows, energy_parts, calendar, catalogue, touched_days
-- check stretches_within_day: outages >= 0 AND outage_us >= 0 AND outage_us <= coalesce(last_us - first_us, 0)
WITH local_days AS (
  SELECT date, min(unix_micros(quarter_hour)) AS start_us
  FROM calendar
  GROUP BY date
), known_intervals AS (
  SELECT tenant_id, device_id FROM catalogue WHERE expected_interval_s IS NOT NULL
), day_rows AS (
  SELECT
    r.*,
    l.start_us,
    r.channel_previous_us >= l.start_us AS has_channel_previous,
    coalesce(r.device_previous_us >= l.start_us, FALSE) AS has_previous,
    k.device_id IS NOT NULL AS interval_known
  FROM device_rows r
  JOIN touched_days d ON d.tenant_id = r.tenant_id AND d.device_id = r.device_id AND d.date = r.date
  JOIN local_days l ON l.date = r.date
  LEFT JOIN known_intervals k ON k.tenant_id = r.tenant_id AND k.device_id = r.device_id
), channel_medians AS (
  -- Differences between consecutive distinct event times: fewer than two, fewer than three times.
  SELECT
    tenant_id, device_id, date, channel,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY t_us - channel_previous_us) AS median_us
  FROM day_rows
  WHERE has_channel_previous AND t_us > channel_previous_us AND NOT interval_known
  GROUP BY tenant_id, device_id, date, channel
  HAVING count(*) >= 2
), measured AS (
  SELECT tenant_id, device_id, date, min(median_us) AS median_us
  FROM channel_medians
  GROUP BY tenant_id, device_id, date
), days AS (
  SELECT DISTINCT tenant_id, device_id, date FROM day_rows
), intervals AS (
  SELECT
    d.tenant_id, d.device_id, d.date,
    greatest(coalesce(CAST(round(c.expected_interval_s * 1000000) AS BIGINT), m.median_us), 1000000) AS interval_us
  FROM days d
  LEFT JOIN catalogue c ON c.tenant_id = d.tenant_id AND c.device_id = d.device_id
  LEFT JOIN measured m ON m.tenant_id = d.tenant_id AND m.device_id = d.device_id AND m.date = d.date
  WHERE c.expected_interval_s IS NOT NULL OR m.median_us IS NOT NULL
), timed AS (
  SELECT
    r.*,
    i.interval_us,
    r.t_us - r.start_us - (r.t_us - r.start_us) % i.interval_us AS interval_start_us,
    -- Rows come in order of time, so an interval is new where the row before lies in an earlier one.
    NOT r.has_previous OR r.device_previous_us - r.start_us < r.t_us - r.start_us - (r.t_us - r.start_us) % i.interval_us
      AS new_interval,
    r.has_previous AND r.previous_offline AS after_offline,
    r.has_previous AND NOT r.previous_offline
      AND r.t_us - r.device_previous_us > greatest(900000000, 3 * i.interval_us) AS after_gap
  FROM day_rows r
  LEFT JOIN intervals i ON i.tenant_id = r.tenant_id AND i.device_id = r.device_id AND i.date = r.date
), reading_days AS (
  SELECT
    tenant_id, device_id, date,
    count(*) AS reading_count,
    max(interval_us) AS interval_us,
    CASE WHEN max(interval_us) IS NOT NULL THEN count_if(new_interval) END AS intervals_with_reading,
    count_if(offline) AS offline_count,
    sum(CAST(quality_score AS DECIMAL(18,6))) AS quality_sum,
    count_if(is_valid) AS valid_count,
    count_if(is_late_event) AS late_count,
    count_if(alert IS NOT NULL AND alert <> 'none') AS alert_count,
    min(t_us) AS first_us,
    max(t_us) AS last_us,
    count_if(after_gap) + count_if(offline AND NOT after_offline) AS outages,
    coalesce(sum(CASE WHEN after_offline OR after_gap THEN t_us - device_previous_us END), 0) AS outage_us,
    sum(CAST(CASE WHEN power_usage > 0 THEN round(energy_consumption_wh * 1000000000) END AS DECIMAL(18,0))) AS reported_nwh,
    sum(CASE WHEN power_usage > 0 AND energy_consumption_wh IS NOT NULL THEN CAST(round(power_usage * 1000) AS BIGINT) END) AS reported_power_mw,
    max_by(device_type, row_order) FILTER (WHERE device_type IS NOT NULL) AS device_type,
    max_by(location, row_order) FILTER (WHERE location IS NOT NULL) AS location,
    max_by(user_id, row_order) FILTER (WHERE user_id IS NOT NULL) AS user_id
  FROM timed
  GROUP BY tenant_id, device_id, date
), offline_days AS (
  -- Intervals without any reading that is not offline; most days have no offline reading and skip this.
  SELECT tenant_id, device_id, date, count(*) AS offline_intervals
  FROM (
    SELECT t.tenant_id, t.device_id, t.date, t.interval_start_us
    FROM timed t
    JOIN reading_days o
      ON o.tenant_id = t.tenant_id AND o.device_id = t.device_id AND o.date = t.date AND o.offline_count > 0
    WHERE t.interval_us IS NOT NULL
    GROUP BY t.tenant_id, t.device_id, t.date, t.interval_start_us
    HAVING min(CASE WHEN t.offline THEN 1 ELSE 0 END) = 1
  ) offline_only
  GROUP BY tenant_id, device_id, date
), alerting AS (
  SELECT DISTINCT tenant_id, device_id, channel FROM device_rows WHERE alert <> 'none'
), alerts AS (
  SELECT
    r.tenant_id, r.device_id, r.date, r.alert,
    lag(r.alert) OVER (PARTITION BY r.tenant_id, r.device_id, r.channel ORDER BY r.row_order) AS previous_alert
  FROM device_rows r
  JOIN alerting a ON a.tenant_id = r.tenant_id AND a.device_id = r.device_id AND a.channel = r.channel
  WHERE r.alert IS NOT NULL
), episodes AS (
  SELECT tenant_id, device_id, date, count(*) AS alert_episodes
  FROM alerts
  WHERE alert <> 'none' AND alert IS DISTINCT FROM previous_alert AND date IS NOT NULL
  GROUP BY tenant_id, device_id, date
), carried AS (
  SELECT
    p.tenant_id, p.device_id, c.date,
    max_by(p.device_type, p.row_order) FILTER (WHERE p.device_type IS NOT NULL) AS device_type,
    max_by(p.location, p.row_order) FILTER (WHERE p.location IS NOT NULL) AS location,
    max_by(p.user_id, p.row_order) FILTER (WHERE p.user_id IS NOT NULL) AS user_id
  FROM energy_parts p
  JOIN calendar c ON c.quarter_hour = timestamp_micros(p.slot_us)
  JOIN touched_days d ON d.tenant_id = p.tenant_id AND d.device_id = p.device_id AND d.date = c.date
  WHERE p.energy_nwh IS NOT NULL
  GROUP BY p.tenant_id, p.device_id, c.date
)
SELECT
  CAST(coalesce(r.tenant_id, e.tenant_id) AS STRING) AS tenant_id,
  CAST(coalesce(r.device_id, e.device_id) AS STRING) AS device_id,
  coalesce(r.date, e.date) AS date,
  CAST(coalesce(r.reading_count, 0) AS BIGINT) AS reading_count,
  CAST(r.interval_us AS BIGINT) AS interval_us,
  CAST(r.intervals_with_reading AS BIGINT) AS intervals_with_reading,
  CAST(r.intervals_with_reading - coalesce(o.offline_intervals, 0) AS BIGINT) AS intervals_reporting,
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
  CAST(coalesce(r.device_type, e.device_type) AS STRING) AS device_type,
  CAST(coalesce(r.location, e.location) AS STRING) AS location,
  CAST(coalesce(r.user_id, e.user_id) AS STRING) AS user_id
FROM reading_days r
FULL JOIN carried e ON e.tenant_id = r.tenant_id AND e.device_id = r.device_id AND e.date = r.date
LEFT JOIN offline_days o ON o.tenant_id = r.tenant_id AND o.device_id = r.device_id AND o.date = r.date
LEFT JOIN episodes a
  ON a.tenant_id = coalesce(r.tenant_id, e.tenant_id) AND a.device_id = coalesce(r.device_id, e.device_id)
  AND a.date = coalesce(r.date, e.date)
