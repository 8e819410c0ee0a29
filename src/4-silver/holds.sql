-- Every row with power, as a hold: from when, at what power, and what ends it before the next one does.
-- grain:  one row per row of methods with p
-- key:    tenant_id, device_id, channel, p_no
-- inputs: methods
-- window: one device, in row order (an `offline` on any channel ends the hold)
-- checks: not null t_us, p_mw
WITH ends AS (
  SELECT
    m.*,
    min(CASE WHEN offline THEN t_us END) OVER (
      PARTITION BY tenant_id, device_id ORDER BY t_us DESC, seq DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS offline_us
  FROM methods m
  WHERE p IS NOT NULL OR offline
)
SELECT
  tenant_id, device_id, channel, p_no, t_us, p AS p_mw, reported_spans, hold_dropped,
  coalesce(held_until_us, offline_us) AS held_until_us
FROM ends
WHERE p IS NOT NULL
