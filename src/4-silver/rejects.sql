-- silver.rejects: every rejected arrival, whole and as Bronze has it, with the first rule that rejected it.
-- grain:  one row per arrival with a reject reason, or in conflict with its identity
-- key:    stream_topic, stream_partition, stream_offset, stream_index
-- inputs: arrivals, checked, channels, described, corrected, resolved, type_limits
-- window: none
-- check reason_known: reject_reason <> ''
WITH verdicts AS (
  SELECT c.seq, c.channel_no, coalesce(c.reject_reason, 'conflict') AS reject_reason, r.conflict_field
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
      || CAST(CAST(floor((unix_micros(a.timestamp) - unix_micros(a.ingestion_time)) / 6e7) AS BIGINT) AS STRING)
      || ' min after the ingestion, more than 10 min'
    WHEN 'empty' THEN 'no status, no alert, no number'
    WHEN 'temperature_out_of_range' THEN coalesce(CAST(TRY_CAST(CASE WHEN x.temperature_by IS NULL THEN a.temperature ELSE x.temperature END AS DECIMAL(18, 3)) AS STRING), 'a value')
      || ' °C is outside ' || CAST(CAST(coalesce(l.temperature_min_c, d.temperature_min_c) AS BIGINT) AS STRING) || '…' || CAST(CAST(coalesce(l.temperature_max_c, d.temperature_max_c) AS BIGINT) AS STRING) || ' °C'
    WHEN 'power_out_of_range' THEN coalesce(CAST(TRY_CAST(CASE WHEN x.power_by IS NULL THEN a.power_usage ELSE x.power_usage END AS DECIMAL(18, 3)) AS STRING), 'a value')
      || ' W is outside ' || CAST(CAST(coalesce(l.power_min_w, d.power_min_w) AS BIGINT) AS STRING) || '…' || CAST(CAST(coalesce(l.power_max_w, d.power_max_w) AS BIGINT) AS STRING) || ' W'
    WHEN 'negative_energy' THEN coalesce(CAST(TRY_CAST(CASE WHEN x.reported_by IS NULL THEN a.energy_consumption_wh ELSE x.energy_consumption_wh END AS DECIMAL(18, 3)) AS STRING), 'a value') || ' Wh is below 0'
    WHEN 'excluded' THEN 'excluded by correction ' || CAST(x.excluded_by AS STRING) || ': ' || x.excluded_because
    WHEN 'conflict' THEN v.conflict_field || ' differs from the value that this identity has already'
  END AS reject_detail,
  CASE
    WHEN a.timestamp IS NULL OR v.reject_reason IN ('before_2000', 'in_future') THEN a.ingestion_date
    ELSE CAST(a.timestamp AS DATE)
  END AS counted_date
FROM arrivals a
JOIN verdicts v ON v.seq = a.seq
CROSS JOIN (SELECT * FROM type_limits WHERE device_type = '*') d
LEFT JOIN channels c ON c.channel_no = v.channel_no
LEFT JOIN described p
  ON p.device_no = a.device_no AND unix_micros(a.timestamp) >= p.from_us AND unix_micros(a.timestamp) < p.to_us
LEFT JOIN corrected x ON x.seq = a.seq
LEFT JOIN type_limits l
  ON l.device_type = coalesce(filled(a.device_type), p.device_type, c.device_type)
