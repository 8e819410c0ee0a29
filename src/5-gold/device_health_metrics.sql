-- Health of one device on one local day. The failure probability is a rule-based risk.
-- grain: one device, one local day with a reading, or with a reject that names the device
-- key: tenant_id, device_id, date
-- inputs: device_days, rejects, calendar, touched_days
-- window: one local day of one device
-- check shares: mean_quality_score BETWEEN 0 AND 1 AND valid_share BETWEEN 0 AND 1 AND late_share BETWEEN 0 AND 1
-- check scores: health_score IS NULL OR (health_score BETWEEN 0 AND 1 AND failure_probability BETWEEN 0 AND 1 AND data_reliability BETWEEN 0 AND 1)
-- check uptime: uptime_percentage IS NULL OR uptime_percentage BETWEEN 0 AND 100
-- Shares and scores are computed in whole millionths, each rounded half up once: trunc((2n + d) / 2d).
WITH local_days AS (
  SELECT date, max(month) AS month, CAST(max(day_s) AS BIGINT) AS day_s
  FROM calendar
  GROUP BY date
), placed_rejects AS (
  -- A reject counts on its event time, or on its ingestion time where the event time is absent or the reason.
  SELECT
    coalesce(tenant_id, 'home') AS tenant_id,
    device_id,
    unix_micros(CASE
      WHEN timestamp IS NULL OR reject_reason IN ('missing_timestamp', 'before_2000', 'in_future') THEN ingestion_time
      ELSE timestamp
    END) AS t_us
  FROM rejects
  WHERE device_id IS NOT NULL AND trim(device_id) <> ''
), reject_days AS (
  SELECT r.tenant_id, r.device_id, c.date, CAST(count(*) AS BIGINT) AS rejected
  FROM placed_rejects r
  JOIN calendar c ON c.quarter_hour = timestamp_micros(r.t_us - r.t_us % 900000000)
  JOIN touched_days d ON d.tenant_id = r.tenant_id AND d.device_id = r.device_id AND d.date = c.date
  GROUP BY r.tenant_id, r.device_id, c.date
), reading_days AS (
  SELECT x.*
  FROM device_days x
  JOIN touched_days d ON d.tenant_id = x.tenant_id AND d.device_id = x.device_id AND d.date = x.date
  WHERE x.reading_count > 0
), days AS (
  SELECT
    coalesce(x.tenant_id, r.tenant_id) AS tenant_id,
    coalesce(x.device_id, r.device_id) AS device_id,
    coalesce(x.date, r.date) AS date,
    x.reading_count, x.quality_sum, x.alert_count, x.interval_us, x.intervals_reporting,
    CASE WHEN x.reading_count IS NOT NULL THEN x.alert_episodes END AS alert_episodes,
    CASE WHEN x.interval_us IS NOT NULL AND x.outages > 0 THEN x.outages END AS outages,
    x.last_us - x.first_us - x.outage_us AS reporting_us,
    coalesce(int_div(2 * CAST(CAST(x.quality_sum AS DECIMAL(28,6)) * 1000000 AS BIGINT) + x.reading_count, 2 * x.reading_count), 0) AS quality,
    coalesce(int_div(2000000 * x.valid_count + x.reading_count + coalesce(r.rejected, 0), 2 * (x.reading_count + coalesce(r.rejected, 0))), 0) AS valid,
    coalesce(int_div(2000000 * x.late_count + x.reading_count, 2 * x.reading_count), 0) AS late
  FROM reading_days x
  FULL JOIN reject_days r ON r.tenant_id = x.tenant_id AND r.device_id = x.device_id AND r.date = x.date
), scored AS (
  SELECT
    d.*, l.month, l.day_s,
    -- 0.4 q + 0.3 v + 0.2 (1 − l) + 0.1 (1 − min(episodes × 3600 / day_s / 10, 1)), over 10 × day_s.
    CASE WHEN d.reading_count IS NOT NULL THEN int_div(
      2 * ((4 * d.quality + 3 * d.valid + 2 * (1000000 - d.late) + 1000000) * l.day_s
        - least(d.alert_episodes * 360000000, 1000000 * l.day_s)) + 10 * l.day_s, 20 * l.day_s) END AS health
  FROM days d
  JOIN local_days l ON l.date = d.date
), risked AS (
  SELECT
    *,
    -- 0.7 (1 − health) + episodes × 3600 / day_s / 20 + 0.3 l, at most 1.
    CASE WHEN reading_count IS NOT NULL THEN least(int_div(
      2 * ((7 * (1000000 - health) + 3 * late) * day_s + alert_episodes * 1800000000) + 10 * day_s, 20 * day_s), 1000000) END AS risk,
    CASE WHEN reading_count IS NOT NULL THEN int_div(2 * (6 * valid + 4 * (1000000 - late)) + 10, 20) END AS reliability,
    int_div(1000000 * day_s + interval_us - 1, interval_us) AS expected_intervals
  FROM scored
)
SELECT
  tenant_id,
  device_id,
  date,
  CAST(CAST(health AS DECIMAL(10,0)) * CAST(0.000001 AS DECIMAL(7,6)) AS DECIMAL(9,6)) AS health_score,
  CAST(CAST(risk AS DECIMAL(10,0)) * CAST(0.000001 AS DECIMAL(7,6)) AS DECIMAL(9,6)) AS failure_probability,
  CAST(CAST(reliability AS DECIMAL(10,0)) * CAST(0.000001 AS DECIMAL(7,6)) AS DECIMAL(9,6)) AS data_reliability,
  CAST(CAST(quality AS DECIMAL(10,0)) * CAST(0.000001 AS DECIMAL(7,6)) AS DECIMAL(9,6)) AS mean_quality_score,
  CAST(CAST(valid AS DECIMAL(10,0)) * CAST(0.000001 AS DECIMAL(7,6)) AS DECIMAL(9,6)) AS valid_share,
  CAST(CAST(late AS DECIMAL(10,0)) * CAST(0.000001 AS DECIMAL(7,6)) AS DECIMAL(9,6)) AS late_share,
  CAST(alert_count AS BIGINT) AS alert_count,
  CAST(alert_episodes AS BIGINT) AS alert_episodes,
  -- least() passes over null, so that what is unknown has to be kept null by hand.
  CASE WHEN interval_us IS NOT NULL THEN CAST(CAST(least(int_div(200000000 * intervals_reporting + expected_intervals, 2 * expected_intervals), 100000000) AS DECIMAL(10,0))
    * CAST(0.000001 AS DECIMAL(7,6)) AS DECIMAL(9,6)) END AS uptime_percentage,
  CAST(reporting_us AS DOUBLE) / (CAST(outages AS DOUBLE) * 3600000000) AS mtbf_hours,
  CAST(reading_count AS BIGINT) AS reading_count,
  CAST(quality_sum AS DECIMAL(38,6)) AS quality_sum,
  month
FROM risked
