-- The sums of windows.sql, for few new rows beside a long hour of rows before them: a look-up instead of a sort.
-- grain:  one row per row of accepted
-- key:    seq
-- inputs: accepted, hour_rows, constants
-- window: one hour of one channel
-- check counts_not_negative: temperature_count >= 0 AND power_count >= 0
WITH channels_hour AS (
  SELECT
    n.seq,
    sum(h.temperature_mc) AS temperature_sum_mc,
    count(h.temperature_mc) AS temperature_count,
    sum(h.power_mw) AS power_sum_mw,
    count(h.power_mw) AS power_count
  FROM accepted n
  CROSS JOIN constants k
  JOIN hour_rows h ON h.channel_no = n.channel_no AND h.t_us > n.t_us - k.window_us AND h.t_us <= n.t_us
  GROUP BY n.seq
)
SELECT
  c.seq,
  CAST(c.temperature_sum_mc AS BIGINT) AS temperature_sum_mc,
  CAST(c.temperature_count AS BIGINT) AS temperature_count,
  CAST(c.power_sum_mw AS BIGINT) AS power_sum_mw,
  CAST(c.power_count AS BIGINT) AS power_count
FROM channels_hour c
