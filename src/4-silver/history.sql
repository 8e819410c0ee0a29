-- Rows of silver.readings in the form of `accepted`, as far as windows and energy look at it.
-- grain:  one row per row of past
-- key:    seq
-- inputs: past (rows of silver.readings), catalogue, type_limits, constants
-- window: none; seq numbers the rows in the order of their positions
-- checks: not null seq, t_us, max_gap_us, plausible_mw
SELECT
  row_number() OVER (
    ORDER BY s.ingestion_time, s.stream_topic, s.stream_partition, s.stream_offset, s.stream_index
  ) AS seq,
  s.tenant_id, s.device_id, s.channel, unix_micros(s.timestamp) AS t_us,
  CAST(round(s.temperature * 1e3) AS BIGINT) AS temperature_mc,
  CAST(round(s.power_usage * 1e3) AS BIGINT) AS power_mw,
  CAST(round(s.energy_consumption_wh * 1e9) AS BIGINT) AS reported_nwh,
  CAST(round(s.energy_total_wh * 1e6) AS BIGINT) AS counter_uwh,
  s.status,
  coalesce(s.alert <> 'none', false) AS has_alert,
  c.energy_source,
  CAST(round(coalesce(c.rated_power_w, greatest(coalesce(l.power_max_w, d.power_max_w), k.plausible_floor_w)) * 1000) AS BIGINT) AS plausible_mw,
  CAST(greatest(k.gap_floor_us, k.gap_intervals * coalesce(CAST(round(c.expected_interval_s * 1e6) AS BIGINT), 0)) AS BIGINT) AS max_gap_us
FROM past s
LEFT JOIN catalogue c ON c.device_id = s.device_id AND c.tenant_id = s.tenant_id
CROSS JOIN (SELECT * FROM type_limits WHERE device_type = '*') d
LEFT JOIN type_limits l ON l.device_type = s.device_type
CROSS JOIN constants k
