-- Every channel with what the catalogue says of its device. What it says by period stands in described, and here is none of it.
-- grain:  one row per row of numbers
-- key:    channel_no
-- inputs: numbers, catalogue, periods, constants
-- window: none
-- check gap_known: max_gap_us > 0
SELECT
  n.channel_no, n.device_no, n.tenant_id, n.device_id, n.channel,
  CASE WHEN d.device_id IS NULL THEN c.device_type END AS device_type,
  CASE WHEN d.device_id IS NULL THEN c.user_id END AS user_id,
  CASE WHEN d.device_id IS NULL THEN c.location END AS location,
  CASE WHEN d.device_id IS NULL THEN c.manufacturer END AS manufacturer,
  CASE WHEN d.device_id IS NULL THEN c.model END AS model,
  CASE WHEN d.device_id IS NULL THEN c.installation_date END AS installation_date,
  c.rated_power_w, c.energy_source,
  CAST(greatest(k.gap_floor_us, k.gap_intervals * coalesce(CAST(round(c.expected_interval_s * 1e6) AS BIGINT), 0)) AS BIGINT) AS max_gap_us
FROM numbers n
CROSS JOIN constants k
LEFT JOIN catalogue c ON c.device_id = n.device_id AND c.tenant_id = n.tenant_id
LEFT JOIN (SELECT DISTINCT tenant_id, device_id FROM periods) d ON d.device_id = n.device_id AND d.tenant_id = n.tenant_id
