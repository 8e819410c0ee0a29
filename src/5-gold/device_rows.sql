-- Silver rows in row order, each with what comes before it. An intermediate step of the Gold tables.
-- grain: one Silver row
-- key: tenant_id, device_id, row_order
-- inputs: readings, catalogue, calendar, touched_spans
-- window: one device, in row order
-- `readings` holds the rows of the spans to compute, those after them that carry energy or coverage into them, and
-- for each channel the last earlier row and alert where it matters; the runner gives each a number of its own, `row_id`. `date` is null outside the spans.
WITH placed AS (
  -- Only what decides on the order is sorted; the other columns are many.
  SELECT
    row_id, tenant_id, device_id, channel, unix_micros(timestamp) AS t_us,
    row_number() OVER device AS row_order,
    lag(unix_micros(timestamp)) OVER device AS device_previous_us
  FROM readings
  WINDOW device AS (
    PARTITION BY tenant_id, device_id
    ORDER BY timestamp, ingestion_time, stream_topic, stream_partition, stream_offset, stream_index
  )
), gaps AS (
  SELECT
    tenant_id, device_id,
    CAST(greatest(900000000, 3 * CAST(round(expected_interval_s * 1000000) AS BIGINT)) AS BIGINT) AS max_gap_us
  FROM catalogue
  WHERE expected_interval_s IS NOT NULL
), ordered AS (
  SELECT
    row_id, t_us, row_order, device_previous_us,
    lag(t_us) OVER (PARTITION BY tenant_id, device_id, channel ORDER BY row_order) AS channel_previous_us
  FROM placed
)
SELECT
  p.tenant_id, p.device_id, p.channel, p.device_type, p.user_id, p.location, o.t_us,
  o.t_us - o.t_us % 900000000 AS slot_us,
  s.date, s.day_start_us,
  p.temperature, p.power_usage, p.energy_consumption_wh, p.alert, coalesce(p.status, '') = 'offline' AS offline,
  p.quality_score, p.is_valid, p.is_late_event,
  -- Below 2^50 nWh a double is exact, and far cheaper than 128 bits.
  CASE
    WHEN p.energy_wh BETWEEN -1000000 AND 1000000 THEN CAST(round(CAST(p.energy_wh AS DOUBLE) * 1e9) AS BIGINT)
    ELSE CAST(CAST(p.energy_wh AS DECIMAL(28,9)) * 1000000000 AS BIGINT)
  END AS energy_nwh,
  unix_micros(p.energy_from) AS from_us, unix_micros(p.energy_to) AS to_us, p.energy_method,
  o.row_order, o.device_previous_us, o.channel_previous_us,
  coalesce(g.max_gap_us, 900000000) AS max_gap_us
FROM readings p
JOIN ordered o ON o.row_id = p.row_id
LEFT JOIN gaps g ON g.tenant_id = p.tenant_id AND g.device_id = p.device_id
LEFT JOIN calendar c ON c.quarter_hour = timestamp_micros(o.t_us - o.t_us % 900000000)
LEFT JOIN touched_spans s
  ON s.tenant_id = p.tenant_id AND s.device_id = p.device_id AND s.date = c.date
  AND o.t_us >= s.from_us AND o.t_us < s.to_us
