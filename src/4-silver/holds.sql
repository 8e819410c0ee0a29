-- Every row with power, as a hold: from when, at what power, and what ends it before the next one does.
-- grain:  one row per row of methods with p
-- key:    tenant_id, device_id, channel, p_no
-- inputs: methods
-- window: one device that has been offline, in row order (an `offline` on any channel ends the hold)
-- checks: not null t_us, p_mw
WITH ends AS (
  SELECT
    m.tenant_id, m.device_id, m.channel, m.p_no, m.p,
    min(CASE WHEN m.offline THEN m.t_us END) OVER (
      PARTITION BY m.tenant_id, m.device_id ORDER BY m.t_us DESC, m.seq DESC
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS offline_us
  FROM methods m
  JOIN (SELECT DISTINCT tenant_id, device_id FROM methods WHERE offline) d
    ON d.tenant_id = m.tenant_id AND d.device_id = m.device_id
  WHERE m.p IS NOT NULL OR m.offline
)
SELECT
  m.tenant_id, m.device_id, m.channel, m.p_no, m.t_us, m.p AS p_mw, m.reported_spans, m.hold_dropped,
  coalesce(m.held_until_us, e.offline_us) AS held_until_us
FROM methods m
LEFT JOIN ends e
  ON e.tenant_id = m.tenant_id AND e.device_id = m.device_id AND e.channel = m.channel AND e.p_no = m.p_no AND e.p IS NOT NULL
WHERE m.p IS NOT NULL
