-- Silver rows in row order, each with what comes before it. An intermediate step of the Gold tables.
-- grain: one Silver row
-- key: tenant_id, device_id, row_order
-- inputs: readings, catalogue, calendar, touched_spans
-- window: one device, in row order
-- `readings` holds the rows of the spans to compute, those after them that carry energy or coverage into them, and
-- for each channel the last earlier row and alert where it matters. `date` is null outside the spans.
WITH positioned AS (
  SELECT
    tenant_id, device_id, channel, device_type, user_id, location,
    unix_micros(timestamp) AS t_us,
    temperature, power_usage, energy_consumption_wh, alert,
    coalesce(status, '') = 'offline' AS offline,
    quality_score, is_valid, is_late_event,
    energy_wh, unix_micros(energy_from) AS from_us, unix_micros(energy_to) AS to_us, energy_method,
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
), channels AS (
  SELECT tenant_id, device_id, min(channel) < max(channel) AS has_several
  FROM readings
  GROUP BY tenant_id, device_id
), previous AS (
  -- A device with one channel needs no second order: the row before it is the channel's too.
  SELECT p.*, p.device_previous_us AS channel_previous_us
  FROM positioned p
  JOIN channels n ON n.tenant_id = p.tenant_id AND n.device_id = p.device_id AND NOT n.has_several
  UNION ALL
  SELECT p.*, lag(p.t_us) OVER (PARTITION BY p.tenant_id, p.device_id, p.channel ORDER BY p.row_order) AS channel_previous_us
  FROM positioned p
  JOIN channels n ON n.tenant_id = p.tenant_id AND n.device_id = p.device_id AND n.has_several
)
SELECT
  p.tenant_id, p.device_id, p.channel, p.device_type, p.user_id, p.location, p.t_us,
  p.t_us - p.t_us % 900000000 AS slot_us,
  s.date, s.day_start_us,
  p.temperature, p.power_usage, p.energy_consumption_wh, p.alert, p.offline,
  p.quality_score, p.is_valid, p.is_late_event,
  CAST(CAST(p.energy_wh AS DECIMAL(28,9)) * 1000000000 AS BIGINT) AS energy_nwh,
  p.from_us, p.to_us, p.energy_method,
  p.row_order, p.device_previous_us, p.channel_previous_us,
  coalesce(g.max_gap_us, 900000000) AS max_gap_us
FROM previous p
LEFT JOIN gaps g ON g.tenant_id = p.tenant_id AND g.device_id = p.device_id
LEFT JOIN calendar c ON c.quarter_hour = timestamp_micros(p.t_us - p.t_us % 900000000)
LEFT JOIN touched_spans s
  ON s.tenant_id = p.tenant_id AND s.device_id = p.device_id AND s.date = c.date
  AND p.t_us >= s.from_us AND p.t_us < s.to_us
