-- Which energy method is in force at each row and just before it. A counter segment is a counter row and what follows
-- it up to the next one; it is ended where a row of a lower method lies more than 24 h after the counter row.
-- grain:  one row per row of measured
-- key:    channel_no, seq
-- inputs: measured, constants
-- window: one channel, in row order
-- check counted: c_no >= 0 AND r_no >= 0 AND in_counter IS NOT NULL AND in_reported IS NOT NULL
WITH numbered AS (
  SELECT
    m.*,
    count(c) OVER w AS c_no,
    count(r) OVER w AS r_no,
    count(p) OVER w AS p_no,
    max(CASE WHEN c IS NOT NULL THEN t_us END) OVER before AS c_before_us,
    max(CASE WHEN r IS NOT NULL THEN t_us END) OVER before AS r_before_us
  FROM measured m
  WINDOW
    w AS (PARTITION BY channel_no ORDER BY t_us, seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),
    before AS (PARTITION BY channel_no ORDER BY t_us, seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
-- the segments that are ended: usually none, so that they are looked up rather than found by a window
counters_ended AS (
  SELECT DISTINCT n.channel_no, n.c_no
  FROM numbered n
  CROSS JOIN constants k
  WHERE n.lower_c AND n.t_us > n.c_before_us + k.method_end_us
),
reports_ended AS (
  SELECT DISTINCT n.channel_no, n.r_no
  FROM numbered n
  CROSS JOIN constants k
  WHERE n.lower_r AND n.t_us > n.r_before_us + k.method_end_us
),
-- the segment that the gap before a row lies in: its own, or for a row that begins one, the one before it
lasting AS (
  SELECT
    n.*,
    n.c IS NOT NULL OR (n.c_no > 0 AND c.c_no IS NULL) AS in_counter,
    n.r IS NOT NULL OR (n.r_no > 0 AND r.r_no IS NULL) AS in_reported,
    n.c_no > CASE WHEN n.c IS NULL THEN 0 ELSE 1 END AND c.c_no IS NULL AS counter_before,
    n.r_no > CASE WHEN n.r IS NULL THEN 0 ELSE 1 END AND r.r_no IS NULL AS reported_before
  FROM numbered n
  LEFT JOIN counters_ended c
    ON c.channel_no = n.channel_no
    AND c.c_no = n.c_no - CASE WHEN n.c IS NULL THEN 0 ELSE 1 END
  LEFT JOIN reports_ended r
    ON r.channel_no = n.channel_no
    AND r.r_no = n.r_no - CASE WHEN n.r IS NULL THEN 0 ELSE 1 END
),
-- the reported spans that begin here, few; the carried ones have begun before every carried hold that they do not drop
spans AS (
  SELECT
    channel_no, r_no AS from_r_no,
    coalesce(lead(r_no) OVER begins, 9000000000000000) AS to_r_no,
    row_number() OVER begins AS span_no
  FROM lasting
  WHERE r IS NOT NULL AND NOT reported_before AND seq > 0
  WINDOW begins AS (PARTITION BY channel_no ORDER BY r_no)
)
SELECT
  l.channel_no, l.t_us, l.seq, l.c, l.r, l.p, l.lower_c, l.lower_r, l.offline,
  l.max_gap_us, l.plausible_mw, l.held_until_us, l.hold_dropped, l.c_no, l.r_no, l.p_no,
  l.in_counter, l.in_reported, l.counter_before, l.reported_before, l.c_before_us, l.r_before_us,
  coalesce(s.span_no, 0) AS reported_spans
FROM lasting l
LEFT JOIN spans s
  ON s.channel_no = l.channel_no AND l.r_no >= s.from_r_no AND l.r_no < s.to_r_no
