-- Numbers for channels that have none yet. All models work on these whole numbers instead of the three texts. A device
-- has the number of the first of its channels.
-- grain:  one row per channel of landed that numbers lacks
-- key:    channel_no
-- inputs: landed (rows of bronze.telemetry), numbers (what was numbered before; empty in a rebuild)
-- window: none
-- check device_numbered: device_no <= channel_no
WITH met AS (
  SELECT DISTINCT
    coalesce(filled(tenant_id), 'home') AS tenant_id, device_id, channel
  FROM landed
  WHERE trim(device_id) <> ''
),
fresh AS (
  SELECT m.tenant_id, m.device_id, m.channel
  FROM met m
  LEFT JOIN numbers n ON n.tenant_id = m.tenant_id AND n.device_id = m.device_id AND n.channel = m.channel
  WHERE n.channel_no IS NULL
),
numbered AS (
  SELECT
    f.*,
    row_number() OVER (ORDER BY tenant_id, device_id, channel)
      + (SELECT coalesce(max(channel_no), 0) FROM numbers) AS channel_no
  FROM fresh f
),
known AS (
  SELECT tenant_id, device_id, min(device_no) AS device_no FROM numbers GROUP BY tenant_id, device_id
)
SELECT
  CAST(f.channel_no AS INT) AS channel_no,
  CAST(coalesce(k.device_no, min(f.channel_no) OVER (PARTITION BY f.tenant_id, f.device_id)) AS INT) AS device_no,
  f.tenant_id, f.device_id, f.channel
FROM numbered f
LEFT JOIN known k ON k.tenant_id = f.tenant_id AND k.device_id = f.device_id
