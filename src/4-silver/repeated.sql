-- The arrivals of identities that have more than one, with what each would own.
-- grain:  one row per candidate whose identity another candidate shares
-- key:    seq
-- inputs: candidates (rows of checked that no reject rule holds for)
-- window: one identity; `identity` is the seq of its first arrival
-- checks: not null identity, seq
WITH shared AS (
  SELECT tenant_id, device_id, channel, t_us, coalesce(event_id, '') AS event_key, min(seq) AS identity
  FROM candidates
  GROUP BY tenant_id, device_id, channel, t_us, coalesce(event_id, '')
  HAVING count(*) > 1
)
SELECT
  s.identity, c.seq,
  c.temperature, c.power_usage, c.energy_consumption_wh, c.energy_total_wh, c.status, c.alert,
  CASE WHEN c.has_metrics THEN true END AS metrics
FROM candidates c
JOIN shared s
  ON s.tenant_id = c.tenant_id AND s.device_id = c.device_id AND s.channel = c.channel AND s.t_us = c.t_us
  AND s.event_key = coalesce(c.event_id, '')
