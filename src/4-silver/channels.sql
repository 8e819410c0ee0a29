-- Every channel with what the catalogue says of its device.
-- grain:  one row per row of numbers
-- key:    channel_no
-- inputs: numbers, catalogue, constants
-- window: none
-- check gap_known: max_gap_us > 0
SELECT
  n.channel_no, n.device_no, n.tenant_id, n.device_id, n.channel,
  c.device_type, c.user_id, c.location, c.manufacturer, c.model, c.installation_date, c.rated_power_w, c.energy_source,
  CAST(greatest(k.gap_floor_us, k.gap_intervals * coalesce(CAST(round(c.expected_interval_s * 1e6) AS BIGINT), 0)) AS BIGINT) AS max_gap_us
FROM numbers n
CROSS JOIN constants k
LEFT JOIN catalogue c ON c.device_id = n.device_id AND c.tenant_id = n.tenant_id
