-- Alerts of one channel in one quarter-hour, in row order. An intermediate step of the Gold tables. `date` is null
-- for those before the spans to compute.
-- grain: one channel, one quarter-hour with a reading that says whether there is an alert
-- key: tenant_id, device_id, channel, slot_us
-- inputs: device_rows
-- window: one channel, in row order
WITH slots AS (
  SELECT tenant_id, device_id, date, channel, slot_us, count(CASE WHEN alert <> 'none' THEN 1 END) AS alerts
  FROM device_rows
  WHERE alert IS NOT NULL
  GROUP BY tenant_id, device_id, date, channel, slot_us
), ordered AS (
  SELECT
    r.tenant_id, r.device_id, r.channel, r.slot_us, r.date, r.alert, r.row_order,
    lag(r.alert) OVER (PARTITION BY r.tenant_id, r.device_id, r.date, r.channel, r.slot_us ORDER BY r.row_order) AS previous_alert
  FROM device_rows r
  JOIN slots s
    ON s.tenant_id = r.tenant_id AND s.device_id = r.device_id AND s.channel = r.channel AND s.slot_us = r.slot_us
    AND s.date IS NOT DISTINCT FROM r.date AND s.alerts > 0
  WHERE r.alert IS NOT NULL
)
SELECT
  CAST(tenant_id AS STRING) AS tenant_id, CAST(device_id AS STRING) AS device_id, date,
  CAST(channel AS STRING) AS channel, slot_us,
  'none' AS first_alert, 'none' AS last_alert, CAST(0 AS BIGINT) AS episodes
FROM slots
WHERE alerts = 0
UNION ALL
SELECT
  CAST(tenant_id AS STRING) AS tenant_id, CAST(device_id AS STRING) AS device_id, date,
  CAST(channel AS STRING) AS channel, slot_us,
  CAST(min_by(alert, row_order) AS STRING) AS first_alert,
  CAST(max_by(alert, row_order) AS STRING) AS last_alert,
  CAST(count(CASE WHEN alert <> 'none' AND alert <> previous_alert THEN 1 END) AS BIGINT) AS episodes
FROM ordered
GROUP BY tenant_id, device_id, date, channel, slot_us
