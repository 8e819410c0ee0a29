-- The alert of a channel that came last before a day which begins with one. An intermediate step of the Gold tables.
-- grain: one channel, one local day, computed whole, whose first alert is not `none`
-- key: tenant_id, device_id, date, channel
-- inputs: channel_alerts, touched_spans
-- window: one channel, the alerts before the spans
WITH ordered AS (
  SELECT
    tenant_id, device_id, date, channel, first_alert,
    lag(last_alert) OVER (PARTITION BY tenant_id, device_id, channel ORDER BY slot_us) AS alert_before,
    lag(date) OVER (PARTITION BY tenant_id, device_id, channel ORDER BY slot_us) AS previous_date
  FROM channel_alerts
)
SELECT o.tenant_id, o.device_id, o.date, o.channel, o.alert_before
FROM ordered o
JOIN touched_spans s
  ON s.tenant_id = o.tenant_id AND s.device_id = o.device_id AND s.date = o.date AND s.from_us = s.day_start_us
WHERE o.first_alert <> 'none' AND (o.previous_date IS NULL OR o.previous_date <> o.date)
