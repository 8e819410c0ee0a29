-- Rows with a counter value, numbered by span and by step (consecutive equal values within a span).
-- grain:  one row per row of methods with c
-- key:    channel_no, seq
-- inputs: methods
-- window: one channel, in row order
-- check step_in_span: span_no >= 1 AND span_no <= step_no
WITH compared AS (
  SELECT
    channel_no, t_us, seq, c, max_gap_us, plausible_mw, c_no,
    NOT counter_before AS begins,
    lag(c) OVER w AS c_before,
    lag(t_us) OVER w AS before_us
  FROM methods
  WHERE c IS NOT NULL
  WINDOW w AS (PARTITION BY channel_no ORDER BY t_us, seq)
)
SELECT
  channel_no, t_us, seq, c, max_gap_us, plausible_mw, c_no, before_us,
  count(CASE WHEN begins THEN 1 END) OVER w AS span_no,
  count(CASE WHEN begins OR c_before IS DISTINCT FROM c THEN 1 END) OVER w AS step_no
FROM compared
WINDOW w AS (PARTITION BY channel_no ORDER BY t_us, seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
