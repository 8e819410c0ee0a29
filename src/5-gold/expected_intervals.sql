-- The time between two readings that is expected of a device on a day: the catalogue's, else the smallest of its
-- channels' medians; at least a second. An intermediate step of the Gold tables.
-- grain: one device, one local day that is touched, where an interval is known
-- key: tenant_id, device_id, date
-- inputs: touched_spans, channel_medians, catalogue
-- window: one local day of one device
WITH measured AS (
  SELECT tenant_id, device_id, date, min(median_us) AS median_us
  FROM channel_medians
  GROUP BY tenant_id, device_id, date
)
SELECT
  s.tenant_id, s.device_id, s.date,
  greatest(coalesce(CAST(round(c.expected_interval_s * 1000000) AS BIGINT), m.median_us), 1000000) AS interval_us
FROM touched_spans s
LEFT JOIN catalogue c ON c.tenant_id = s.tenant_id AND c.device_id = s.device_id
LEFT JOIN measured m ON m.tenant_id = s.tenant_id AND m.device_id = s.device_id AND m.date = s.date
WHERE c.expected_interval_s IS NOT NULL OR m.median_us IS NOT NULL
