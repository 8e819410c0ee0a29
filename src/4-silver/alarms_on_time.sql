-- The counts of alarms.sql, for few new rows beside a long hour of rows before them: a look-up instead of a sort.
-- grain:  one accepted row with an alert in its hour
-- key:    seq
-- inputs: accepted, hour_rows, constants
-- window: one hour of one device
-- check has_alerts: alerts > 0
SELECT n.seq, CAST(count(*) AS INT) AS alerts
FROM accepted n
CROSS JOIN constants k
JOIN hour_rows h ON h.device_no = n.device_no AND h.t_us > n.t_us - k.window_us AND h.t_us <= n.t_us
WHERE h.has_alert
GROUP BY n.seq
