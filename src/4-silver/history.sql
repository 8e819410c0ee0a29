-- Rows of silver.readings in the form of `accepted`, as far as windows and energy look at it.
-- grain:  one row per row of past
-- key:    seq
-- inputs: past (rows of silver.readings with their channel_no), channels, type_limits
-- window: none; seq numbers the rows in row order
-- check placed: seq > 0 AND t_us IS NOT NULL AND plausible_mw > 0
SELECT
  row_number() OVER (
    ORDER BY s.device_no, s.timestamp, s.ingestion_time, s.stream_topic, s.stream_partition, s.stream_offset, s.stream_index
  ) AS seq,
  s.channel_no, s.device_no, unix_micros(s.timestamp) AS t_us,
  CAST(round(s.temperature * 1e3) AS BIGINT) AS temperature_mc,
  CAST(round(s.power_usage * 1e3) AS BIGINT) AS power_mw,
  CAST(round(s.energy_consumption_wh * 1e9) AS BIGINT) AS reported_nwh,
  CAST(round(s.energy_total_wh * 1e6) AS BIGINT) AS counter_uwh,
  coalesce(s.alert <> 'none', false) AS has_alert,
  coalesce(s.status = 'offline', false) AS offline,
  CAST(round(coalesce(h.rated_power_w, coalesce(l.plausible_w, d.plausible_w)) * 1000) AS BIGINT) AS plausible_mw
FROM past s
JOIN channels h ON h.channel_no = s.channel_no
CROSS JOIN (SELECT * FROM type_limits WHERE device_type = '*') d
LEFT JOIN type_limits l ON l.device_type = s.device_type
