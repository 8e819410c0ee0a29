-- silver.readings: the accepted rows, enriched, with quality, one-hour windows and energy.
-- grain:  one row per accepted row
-- key:    stream_topic, stream_partition, stream_offset, stream_index
-- inputs: accepted, arrivals, channels, described, corrected, resolved, windows, alarms, energy, type_limits, constants
-- window: none of its own
-- check score_is_share: quality_score BETWEEN 0 AND 1
-- check method_known: energy_method IN ('reported', 'counter', 'integrated', 'none')
-- check energy_has_method: energy_wh IS NULL OR energy_method <> 'none'
-- check interval_ends_by_event: energy_to IS NULL OR (energy_from <= energy_to AND energy_to <= timestamp)
WITH enriched AS (
  SELECT
    a.seq, a.ingestion_time, a.stream_topic, a.stream_partition, a.stream_offset, a.stream_index,
    c.tenant_id, c.device_id, c.channel, a.timestamp,
    filled(a.event_id) AS event_id,
    coalesce(filled(a.device_type), p.device_type, c.device_type) AS device_type,
    coalesce(filled(a.user_id), p.user_id, c.user_id) AS user_id,
    CASE WHEN s.temperature_mc IS NOT NULL THEN CASE WHEN x.temperature_by IS NULL THEN a.temperature ELSE x.temperature END END AS temperature,
    CASE WHEN s.power_mw IS NOT NULL THEN CASE WHEN x.power_by IS NULL THEN a.power_usage ELSE x.power_usage END END AS power_usage,
    CASE WHEN s.reported_nwh IS NOT NULL THEN CASE WHEN x.reported_by IS NULL THEN a.energy_consumption_wh ELSE x.energy_consumption_wh END END AS energy_consumption_wh,
    CASE WHEN s.counter_uwh IS NOT NULL THEN CASE WHEN x.counter_by IS NULL THEN a.energy_total_wh ELSE x.energy_total_wh END END AS energy_total_wh,
    CASE WHEN coalesce(o.keeps_status, true) THEN filled(a.status) END AS status,
    CASE WHEN coalesce(o.keeps_alert, true) THEN filled(a.alert) END AS alert,
    coalesce(filled(a.location), p.location, c.location) AS location,
    coalesce(filled(a.manufacturer), p.manufacturer, c.manufacturer) AS manufacturer,
    coalesce(filled(a.model), p.model, c.model) AS model,
    CASE WHEN cardinality(a.metrics) > 0 AND coalesce(o.keeps_metrics, true) THEN a.metrics END AS metrics,
    coalesce(a.ingest_kind, 'live') AS ingest_kind, a.protocol, a.source_topic, a.raw, a.faults,
    s.t_us, unix_micros(a.ingestion_time) - s.t_us AS delay_us, s.null_reasons, s.power_is_high,
    coalesce(p.installation_date, c.installation_date) AS installation_date
  FROM arrivals a
  JOIN accepted s ON s.seq = a.seq
  JOIN channels c ON c.channel_no = s.channel_no
  LEFT JOIN described p ON p.device_no = s.device_no AND s.t_us >= p.from_us AND s.t_us < p.to_us
  LEFT JOIN corrected x ON x.seq = a.seq
  LEFT JOIN resolved o ON o.seq = a.seq
),
weighted AS (
  SELECT
    e.*,
    coalesce(l.points_location, d.points_location) AS points_location,
    coalesce(l.points_manufacturer, d.points_manufacturer) AS points_manufacturer,
    coalesce(l.points_model, d.points_model) AS points_model,
    coalesce(l.points_temperature, d.points_temperature) AS points_temperature,
    coalesce(l.points_power, d.points_power) AS points_power,
    coalesce(e.temperature > coalesce(l.high_temperature_c, d.high_temperature_c), false) AS temperature_is_high,
    coalesce(e.temperature < coalesce(l.low_temperature_c, d.low_temperature_c), false) AS temperature_is_low,
    coalesce(e.power_usage > coalesce(l.high_power_w, d.high_power_w), false) AS power_alarms
  FROM enriched e
  CROSS JOIN (SELECT * FROM type_limits WHERE device_type = '*') d
  LEFT JOIN type_limits l ON l.device_type = e.device_type
),
-- points below 0: the rule is switched off
judged AS (
  SELECT
    x.*,
    x.location IS NULL AND x.points_location >= 0 AS unknown_location,
    x.manufacturer IS NULL AND x.points_manufacturer >= 0 AS unknown_manufacturer,
    x.model IS NULL AND x.points_model >= 0 AS unknown_model,
    coalesce(x.temperature NOT BETWEEN k.usual_temperature_min_c AND k.usual_temperature_max_c, false)
      AND x.points_temperature >= 0 AS temperature_unusual
  FROM weighted x
  CROSS JOIN constants k
),
scored AS (
  SELECT
    j.*,
    greatest(0, 100
      - CASE WHEN unknown_location THEN points_location ELSE 0 END
      - CASE WHEN unknown_manufacturer THEN points_manufacturer ELSE 0 END
      - CASE WHEN unknown_model THEN points_model ELSE 0 END
      - CASE WHEN temperature_unusual THEN points_temperature ELSE 0 END
      - CASE WHEN power_is_high THEN points_power ELSE 0 END) AS points
  FROM judged j
)
SELECT
  s.ingestion_time, s.stream_topic, s.stream_partition, s.stream_offset, s.stream_index,
  s.tenant_id, s.device_id, s.channel, s.timestamp, s.event_id, s.device_type, s.user_id,
  s.temperature, s.power_usage, s.energy_consumption_wh, s.energy_total_wh, s.status, s.alert,
  s.location, s.manufacturer, s.model, s.metrics, s.ingest_kind, s.protocol, s.source_topic, s.raw, s.faults,
  CAST(CAST(s.points AS DECIMAL(9, 6)) * CAST(0.01 AS DECIMAL(3, 2)) AS DECIMAL(9, 6)) AS quality_score,
  -- most rows have no reason; there the empty list is a constant
  CASE
    WHEN s.null_reasons = '' AND coalesce(e.energy_reasons, '') = '' AND NOT (s.unknown_location OR s.unknown_manufacturer
      OR s.unknown_model OR s.temperature_unusual OR s.power_is_high) THEN array_remove(split('', ' '), '')
    ELSE array_remove(split(concat_ws(' ',
      s.null_reasons,
      CASE WHEN s.unknown_location THEN 'unknown_location' END,
      CASE WHEN s.unknown_manufacturer THEN 'unknown_manufacturer' END,
      CASE WHEN s.unknown_model THEN 'unknown_model' END,
      CASE WHEN s.temperature_unusual THEN 'temperature_unusual' END,
      CASE WHEN s.power_is_high THEN 'power_high' END,
      e.energy_reasons), ' '), '')
  END AS quality_reasons,
  s.points >= k.valid_points AS is_valid,
  CAST(s.delay_us AS DOUBLE) / 3.6e9 AS processing_delay_hours,
  s.ingest_kind = 'live' AND s.delay_us > k.late_watermark_us AS is_late_event,
  CAST(floor(s.t_us / 86400e6) - floor(unix_micros(CAST(s.installation_date AS TIMESTAMP_LTZ)) / 86400e6) AS INT) AS device_age_days,
  CAST(w.temperature_sum_mc AS DOUBLE) / NULLIF(w.temperature_count, 0) / 1e3 AS temp_1h_avg,
  CAST(w.power_sum_mw AS DOUBLE) / NULLIF(w.power_count, 0) / 1e3 AS power_1h_avg,
  coalesce(m.alerts, 0) AS alert_frequency_1h,
  CASE WHEN s.power_usage > 0 THEN s.energy_consumption_wh / s.power_usage END AS energy_efficiency,
  CAST(CAST(e.energy_nwh AS DECIMAL(18, 0)) * CAST(0.000000001 AS DECIMAL(9, 9)) AS DECIMAL(18, 9)) AS energy_wh,
  timestamp_micros(e.from_us) AS energy_from,
  timestamp_micros(e.to_us) AS energy_to,
  coalesce(e.method, 'none') AS energy_method,
  CASE
    WHEN NOT (s.temperature_is_high OR s.temperature_is_low OR s.power_alarms) THEN array_remove(split('', ' '), '')
    ELSE array_remove(split(concat_ws(' ',
      CASE WHEN s.temperature_is_high THEN 'high_temperature' END,
      CASE WHEN s.temperature_is_low THEN 'low_temperature' END,
      CASE WHEN s.power_alarms THEN 'high_power' END), ' '), '')
  END AS threshold_alerts,
  DATE '1970-01-01' + CAST(floor(s.t_us / 86400e6) AS INT) AS event_date
FROM scored s
JOIN windows w ON w.seq = s.seq
LEFT JOIN alarms m ON m.seq = s.seq
LEFT JOIN energy e ON e.seq = s.seq
CROSS JOIN constants k
