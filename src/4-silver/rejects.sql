-- silver.rejects: every rejected arrival, whole and as Bronze has it, with the first rule that rejected it.
-- grain:  one row per arrival with a reject reason, or in conflict with its identity
-- key:    stream_topic, stream_partition, stream_offset, stream_index
-- inputs: arrivals, checked, resolved
-- window: none
-- checks: not null reject_reason, reject_detail, counted_date
WITH verdicts AS (
  SELECT
    c.stream_topic, c.stream_partition, c.stream_offset, c.stream_index, c.t_us,
    c.temperature, c.power_usage, c.energy_consumption_wh,
    c.temperature_min_c, c.temperature_max_c, c.power_min_w, c.power_max_w,
    coalesce(c.reject_reason, 'conflict') AS reject_reason, r.conflict_field
  FROM checked c
  LEFT JOIN resolved r ON r.seq = c.seq
  WHERE c.reject_reason IS NOT NULL OR r.outcome = 'conflict'
)
SELECT
  a.ingestion_time, a.stream_topic, a.stream_partition, a.stream_offset, a.stream_index,
  a.tenant_id, a.device_id, a.channel, a.timestamp, a.event_id, a.device_type, a.user_id,
  a.temperature, a.power_usage, a.energy_consumption_wh, a.energy_total_wh, a.status, a.alert,
  a.location, a.manufacturer, a.model, a.metrics, a.ingest_kind, a.protocol, a.source_topic, a.raw, a.faults,
  v.reject_reason,
  CASE v.reject_reason
    WHEN 'not_json' THEN 'the message is no JSON object'
    WHEN 'missing_device_id' THEN 'device_id is absent or blank'
    WHEN 'missing_timestamp' THEN 'timestamp is absent, or no instant with a zone'
    WHEN 'before_2000' THEN 'the event time lies before 2000-01-01'
    WHEN 'in_future' THEN 'the event time lies '
      || CAST(CAST(floor((v.t_us - unix_micros(a.ingestion_time)) / 6e7) AS BIGINT) AS STRING)
      || ' min after the ingestion, more than 10 min'
    WHEN 'empty' THEN 'no status, no alert, no number'
    WHEN 'temperature_out_of_range' THEN coalesce(CAST(TRY_CAST(v.temperature AS DECIMAL(18, 3)) AS STRING), 'a value')
      || ' °C is outside ' || CAST(CAST(v.temperature_min_c AS BIGINT) AS STRING) || '…' || CAST(CAST(v.temperature_max_c AS BIGINT) AS STRING) || ' °C'
    WHEN 'power_out_of_range' THEN coalesce(CAST(TRY_CAST(v.power_usage AS DECIMAL(18, 3)) AS STRING), 'a value')
      || ' W is outside ' || CAST(CAST(v.power_min_w AS BIGINT) AS STRING) || '…' || CAST(CAST(v.power_max_w AS BIGINT) AS STRING) || ' W'
    WHEN 'negative_energy' THEN coalesce(CAST(TRY_CAST(v.energy_consumption_wh AS DECIMAL(18, 3)) AS STRING), 'a value') || ' Wh is below 0'
    WHEN 'conflict' THEN v.conflict_field || ' differs from the value that this identity has already'
  END AS reject_detail,
  CASE
    WHEN a.timestamp IS NULL OR v.reject_reason IN ('before_2000', 'in_future') THEN a.ingestion_date
    ELSE CAST(a.timestamp AS DATE)
  END AS counted_date
FROM arrivals a
JOIN verdicts v
  ON v.stream_topic = a.stream_topic AND v.stream_partition = a.stream_partition
  AND v.stream_offset = a.stream_offset AND v.stream_index = a.stream_index
