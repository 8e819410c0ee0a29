-- silver.duplicates: arrivals that brought nothing new, with the position of the first row of their identity.
-- grain:  one row per duplicate arrival
-- key:    stream_topic, stream_partition, stream_offset, stream_index
-- inputs: candidates, resolved
-- window: none
-- checks: not null of_stream_topic
SELECT
  c.ingestion_time, c.stream_topic, c.stream_partition, c.stream_offset, c.stream_index,
  c.tenant_id, c.device_id, c.channel, c.timestamp,
  f.stream_topic AS of_stream_topic,
  f.stream_partition AS of_stream_partition,
  f.stream_offset AS of_stream_offset,
  f.stream_index AS of_stream_index,
  CAST(c.timestamp AS DATE) AS event_date
FROM resolved r
JOIN candidates c ON c.seq = r.seq
JOIN candidates f ON f.seq = r.identity
WHERE r.outcome = 'duplicate'
