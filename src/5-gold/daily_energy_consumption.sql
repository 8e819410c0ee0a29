-- Energy, cost, power, temperature and completeness of one device on one local day.
-- grain: one device, one local day with a reading, energy or cover
-- key: tenant_id, device_id, date
-- inputs: quarter_hourly_energy, device_days, calendar, touched_days, catalogue
-- window: one local day of one device
-- check coverage_is_share: coverage_ratio BETWEEN 0 AND 1
-- check completeness_is_share: data_completeness IS NULL OR data_completeness BETWEEN 0 AND 1
WITH local_days AS (
  SELECT date, max(month) AS month, CAST(max(day_s) AS BIGINT) AS day_s
  FROM calendar
  GROUP BY date
), sums AS (
  SELECT
    q.tenant_id, q.device_id, q.date,
    sum(q.energy_wh) AS energy_wh,
    count(q.energy_wh) AS energy_slots,
    max(q.energy_wh) AS max_energy_wh,
    CASE WHEN min(q.energy_method) = max(q.energy_method) THEN min(q.energy_method)
      WHEN count(q.energy_method) > 0 THEN 'mixed' END AS energy_method,
    CAST(sum(q.covered_s) AS BIGINT) AS covered_s,
    CAST(sum(q.readings) AS BIGINT) AS readings,
    CAST(sum(q.power_sum_mw) AS BIGINT) AS power_sum_mw,
    CAST(sum(q.power_count) AS BIGINT) AS power_count,
    max(q.power_max_w) AS power_max_w,
    CAST(sum(q.temperature_sum_mc) AS BIGINT) AS temperature_sum_mc,
    CAST(sum(q.temperature_count) AS BIGINT) AS temperature_count,
    min(q.temperature_min_c) AS temperature_min_c,
    max(q.temperature_max_c) AS temperature_max_c,
    sum(q.cost) AS cost
  FROM quarter_hourly_energy q
  JOIN touched_days d ON d.tenant_id = q.tenant_id AND d.device_id = q.device_id AND d.date = q.date
  GROUP BY q.tenant_id, q.device_id, q.date
), known_intervals AS (
  -- A day with energy but without a reading has an expected interval too, where the catalogue gives one.
  SELECT tenant_id, device_id, greatest(CAST(round(expected_interval_s * 1000000) AS BIGINT), 1000000) AS interval_us
  FROM catalogue
  WHERE expected_interval_s IS NOT NULL
), expected AS (
  SELECT
    s.tenant_id, s.device_id, s.date,
    coalesce(x.interval_us, k.interval_us) AS interval_us,
    coalesce(x.intervals_with_reading, 0) AS intervals_with_reading
  FROM sums s
  LEFT JOIN device_days x ON x.tenant_id = s.tenant_id AND x.device_id = s.device_id AND x.date = s.date
  LEFT JOIN known_intervals k ON k.tenant_id = s.tenant_id AND k.device_id = s.device_id
)
SELECT
  s.tenant_id,
  s.device_id,
  s.date,
  CAST(s.energy_wh AS DECIMAL(38,9)) AS total_energy_wh,
  CAST(s.energy_wh AS DOUBLE) / NULLIF(s.energy_slots, 0) AS mean_energy_wh,
  CAST(s.max_energy_wh AS DECIMAL(38,9)) AS max_energy_wh,
  s.readings AS reading_count,
  CAST(s.power_sum_mw AS DOUBLE) / NULLIF(1000 * s.power_count, 0) AS mean_power_w,
  CAST(s.power_max_w AS DOUBLE) AS max_power_w,
  CAST(s.temperature_sum_mc AS DOUBLE) / NULLIF(1000 * s.temperature_count, 0) AS mean_temperature_c,
  CAST(s.temperature_min_c AS DOUBLE) AS min_temperature_c,
  CAST(s.temperature_max_c AS DOUBLE) AS max_temperature_c,
  CAST(s.cost AS DECIMAL(38,9)) AS cost,
  CAST(x.reported_nwh AS DOUBLE) / NULLIF(CAST(x.reported_power_mw AS DOUBLE) * 1000000, 0) AS energy_efficiency,
  -- Intervals with a reading / ceil(day / interval), at most 1, rounded half up.
  CASE WHEN e.interval_us IS NOT NULL THEN CAST(CAST(least(
    int_div(
      2000000 * e.intervals_with_reading + int_div(1000000 * l.day_s + e.interval_us - 1, e.interval_us),
      2 * int_div(1000000 * l.day_s + e.interval_us - 1, e.interval_us)
    ), 1000000) AS DECIMAL(10,0)) * CAST(0.000001 AS DECIMAL(7,6)) AS DECIMAL(9,6)) END AS data_completeness,
  CAST(CAST(int_div(2000000 * s.covered_s + l.day_s, 2 * l.day_s) AS DECIMAL(10,0))
    * CAST(0.000001 AS DECIMAL(7,6)) AS DECIMAL(9,6)) AS coverage_ratio,
  CAST(x.device_type AS STRING) AS device_type,
  CAST(x.location AS STRING) AS location,
  CAST(x.user_id AS STRING) AS user_id,
  CAST(s.energy_method AS STRING) AS energy_method,
  s.covered_s,
  l.month
FROM sums s
JOIN local_days l ON l.date = s.date
LEFT JOIN device_days x ON x.tenant_id = s.tenant_id AND x.device_id = s.device_id AND x.date = s.date
JOIN expected e ON e.tenant_id = s.tenant_id AND e.device_id = s.device_id AND e.date = s.date
