-- Sums over the last hour of event time, (t − 1 h, t], equal times included.
-- grain:  one row per row of hour_rows with seq > 0
-- key:    seq
-- inputs: hour_rows (the accepted rows, and the rows of the hour before them with seq = 0), constants
-- window: one hour of one channel; alerts: of one device
-- checks: not null alerts
WITH summed AS (
  SELECT
    seq,
    sum(temperature_mc) OVER c AS temperature_sum_mc,
    count(temperature_mc) OVER c AS temperature_count,
    sum(power_mw) OVER c AS power_sum_mw,
    count(power_mw) OVER c AS power_count,
    count(CASE WHEN has_alert THEN 1 END) OVER d AS alerts
  FROM hour_rows
  WINDOW
    c AS (PARTITION BY tenant_id, device_id, channel ORDER BY t_us RANGE BETWEEN 3599999999 PRECEDING AND CURRENT ROW),
    d AS (PARTITION BY tenant_id, device_id ORDER BY t_us RANGE BETWEEN 3599999999 PRECEDING AND CURRENT ROW)
)
SELECT
  seq,
  CAST(temperature_sum_mc AS BIGINT) AS temperature_sum_mc,
  CAST(temperature_count AS BIGINT) AS temperature_count,
  CAST(power_sum_mw AS BIGINT) AS power_sum_mw,
  CAST(power_count AS BIGINT) AS power_count,
  CAST(alerts AS INT) AS alerts
FROM summed
WHERE seq > 0
