-- silver.readings: the accepted rows with quality, one-hour windows and energy.
-- grain:  one row per accepted row
-- key:    stream_topic, stream_partition, stream_offset, stream_index
-- inputs: accepted, arrivals, windows, energy, constants
-- window: none of its own
-- checks: not null quality_score, energy_method; quality_score between 0 and 1
WITH judged AS (
  SELECT
    a.*,
    a.location IS NULL AS unknown_location,
    a.manufacturer IS NULL AS unknown_manufacturer,
    a.model IS NULL AS unknown_model,
    coalesce(a.temperature NOT BETWEEN k.usual_temperature_min_c AND k.usual_temperature_max_c, false) AS temperature_unusual,
    coalesce(a.power_usage > k.usual_power_max_w OR a.power_usage > a.rated_power_w, false) AS power_high,
    (unix_micros(a.ingestion_time) - a.t_us) AS delay_us
  FROM accepted a
  CROSS JOIN constants k
),
scored AS (
  SELECT
    j.*,
    greatest(0, 100
      - CASE WHEN unknown_location THEN k.points_unknown ELSE 0 END
      - CASE WHEN unknown_manufacturer THEN k.points_unknown ELSE 0 END
      - CASE WHEN unknown_model THEN k.points_unknown ELSE 0 END
      - CASE WHEN temperature_unusual THEN k.points_temperature ELSE 0 END
      - CASE WHEN power_high THEN k.points_power ELSE 0 END) AS points
  FROM judged j
  CROSS JOIN constants k
)
SELECT
  s.ingestion_time, s.stream_topic, s.stream_partition, s.stream_offset, s.stream_index,
  s.tenant_id, s.device_id, s.channel, s.timestamp, s.event_id, s.device_type, s.user_id,
  s.temperature, s.power_usage, s.energy_consumption_wh, s.energy_total_wh, s.status, s.alert,
  s.location, s.manufacturer, s.model, CASE WHEN s.keeps_metrics THEN a.metrics END AS metrics, s.ingest_kind, a.protocol, a.source_topic, a.raw, a.faults,
  CAST(CAST(s.points AS DECIMAL(9, 6)) * CAST(0.01 AS DECIMAL(3, 2)) AS DECIMAL(9, 6)) AS quality_score,
  -- most rows have no reason; there the empty list is a constant
  CASE
    WHEN s.points = 100 AND s.null_reasons = '' AND e.energy_reasons = '' THEN array_remove(split('', ' '), '')
    ELSE array_remove(split(concat_ws(' ',
      s.null_reasons,
      CASE WHEN s.unknown_location THEN 'unknown_location' END,
      CASE WHEN s.unknown_manufacturer THEN 'unknown_manufacturer' END,
      CASE WHEN s.unknown_model THEN 'unknown_model' END,
      CASE WHEN s.temperature_unusual THEN 'temperature_unusual' END,
      CASE WHEN s.power_high THEN 'power_high' END,
      e.energy_reasons), ' '), '')
  END AS quality_reasons,
  s.points >= k.valid_points AS is_valid,
  CAST(s.delay_us AS DOUBLE) / 3.6e9 AS processing_delay_hours,
  s.ingest_kind = 'live' AND s.delay_us > k.late_watermark_us AS is_late_event,
  CAST(floor(s.t_us / 86400e6) - floor(unix_micros(CAST(s.installation_date AS TIMESTAMP_LTZ)) / 86400e6) AS INT) AS device_age_days,
  CAST(w.temperature_sum_mc AS DOUBLE) / NULLIF(w.temperature_count, 0) / 1e3 AS temp_1h_avg,
  CAST(w.power_sum_mw AS DOUBLE) / NULLIF(w.power_count, 0) / 1e3 AS power_1h_avg,
  w.alerts AS alert_frequency_1h,
  CASE WHEN s.power_usage > 0 THEN s.energy_consumption_wh / s.power_usage END AS energy_efficiency,
  CAST(CAST(e.energy_nwh AS DECIMAL(18, 0)) * CAST(0.000000001 AS DECIMAL(9, 9)) AS DECIMAL(18, 9)) AS energy_wh,
  timestamp_micros(e.from_us) AS energy_from,
  timestamp_micros(e.to_us) AS energy_to,
  e.method AS energy_method,
  CAST(s.timestamp AS DATE) AS event_date
FROM scored s
JOIN arrivals a
  ON a.stream_offset = s.stream_offset AND a.stream_index = s.stream_index
  AND a.stream_partition = s.stream_partition AND a.stream_topic = s.stream_topic
JOIN windows w ON w.seq = s.seq
JOIN energy e ON e.seq = s.seq
CROSS JOIN constants k
