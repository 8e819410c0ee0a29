-- The arrivals at hand, whole and as Bronze has them, in row order: device, event time, position. Their place in that order
-- is given them by the runner, as `seq`, from 1 on. An arrival without a device or an event time has no order that matters.
-- grain:  one row per row of landed
-- key:    stream_topic, stream_partition, stream_offset, stream_index
-- inputs: landed (rows of bronze.telemetry), numbers
-- window: none
-- check device_numbered: channel_no IS NULL OR device_no <= channel_no
SELECT n.channel_no, n.device_no, a.*
FROM landed a
LEFT JOIN numbers n
  ON n.device_id = a.device_id AND n.channel = a.channel
  AND n.tenant_id = coalesce(filled(a.tenant_id), 'home')
ORDER BY n.device_no NULLS LAST, a.timestamp NULLS LAST,
  a.ingestion_time, a.stream_topic, a.stream_partition, a.stream_offset, a.stream_index
