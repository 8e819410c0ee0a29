-- silver.duplicates: arrivals that brought nothing new, with the position of the first row of their identity.
-- grain:  one row per duplicate arrival
-- key:    stream_topic, stream_partition, stream_offset, stream_index
-- inputs: arrivals, channels, resolved
-- window: none
-- check repeats_an_earlier: of_stream_topic IS NOT NULL
SELECT
  a.ingestion_time, a.stream_topic, a.stream_partition, a.stream_offset, a.stream_index,
  c.tenant_id, c.device_id, c.channel, a.timestamp,
  f.stream_topic AS of_stream_topic,
  f.stream_partition AS of_stream_partition,
  f.stream_offset AS of_stream_offset,
  f.stream_index AS of_stream_index,
  CAST(a.timestamp AS DATE) AS event_date
FROM resolved r
JOIN arrivals a ON a.seq = r.seq
JOIN arrivals f ON f.seq = r.identity
JOIN channels c ON c.channel_no = a.channel_no
WHERE r.outcome = 'duplicate'
