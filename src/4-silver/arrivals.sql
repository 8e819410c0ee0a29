-- The arrivals at hand, whole and as Bronze has them, numbered in row order: device, event time, position. An arrival
-- without a device or an event time has no order that matters.
-- grain:  one row per row of landed
-- key:    seq
-- inputs: landed (rows of bronze.telemetry), numbers
-- window: one device
-- check numbered: seq > 0
SELECT
  row_number() OVER (
    ORDER BY n.device_no NULLS LAST, a.timestamp NULLS LAST,
      a.ingestion_time, a.stream_topic, a.stream_partition, a.stream_offset, a.stream_index
  ) AS seq,
  n.channel_no, n.device_no, a.*
FROM landed a
LEFT JOIN numbers n
  ON n.device_id = a.device_id AND n.channel = a.channel
  AND n.tenant_id = CASE WHEN trim(a.tenant_id) <> '' THEN a.tenant_id ELSE 'home' END
