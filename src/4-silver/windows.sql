-- Sums over the last hour of event time, (t − 1 h, t], equal times included: the running sums up to t less those up
-- to the last row that the hour leaves out. Running sums grow row by row; sums over a moving hour would each be made anew.
-- grain:  one row per row of hour_rows with seq > 0
-- key:    seq
-- inputs: hour_rows (the accepted rows, and the rows of the hour before them with seq = 0), constants
-- window: one hour of one channel
-- check counts_not_negative: temperature_count >= 0 AND power_count >= 0
WITH running AS (
  SELECT
    channel_no, seq,
    row_number() OVER c AS row_no,
    count(*) OVER c - count(*) OVER h AS left_out,
    sum(temperature_mc) OVER c AS temperature_sum_mc,
    count(temperature_mc) OVER c AS temperature_count,
    sum(power_mw) OVER c AS power_sum_mw,
    count(power_mw) OVER c AS power_count
  FROM hour_rows
  WINDOW
    c AS (PARTITION BY channel_no ORDER BY t_us),
    h AS (PARTITION BY channel_no ORDER BY t_us RANGE BETWEEN 3599999999 PRECEDING AND CURRENT ROW)
)
SELECT
  r.seq,
  CAST(r.temperature_sum_mc - coalesce(b.temperature_sum_mc, 0) AS BIGINT) AS temperature_sum_mc,
  CAST(r.temperature_count - coalesce(b.temperature_count, 0) AS BIGINT) AS temperature_count,
  CAST(r.power_sum_mw - coalesce(b.power_sum_mw, 0) AS BIGINT) AS power_sum_mw,
  CAST(r.power_count - coalesce(b.power_count, 0) AS BIGINT) AS power_count
FROM running r
LEFT JOIN running b ON b.channel_no = r.channel_no AND b.row_no = r.left_out
WHERE r.seq > 0
