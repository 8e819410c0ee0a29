-- How many readings with an alert a device had in the last hour of event time, (t − 1 h, t], where there was one.
-- grain:  one accepted row with an alert in its hour
-- key:    seq
-- inputs: hour_rows (the accepted rows, and the rows of the hour before them with seq = 0)
-- window: one hour of one device
-- check has_alerts: alerts > 0
WITH counted AS (
  SELECT
    r.seq,
    count(CASE WHEN r.has_alert THEN 1 END) OVER (
      PARTITION BY r.device_no ORDER BY r.t_us RANGE BETWEEN 3599999999 PRECEDING AND CURRENT ROW
    ) AS alerts
  FROM hour_rows r
  JOIN (SELECT DISTINCT device_no FROM hour_rows WHERE has_alert) d ON d.device_no = r.device_no
)
SELECT seq, CAST(alerts AS INT) AS alerts
FROM counted
WHERE seq > 0 AND alerts > 0
