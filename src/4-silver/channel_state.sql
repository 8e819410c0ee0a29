-- What a channel carries on: enough to compute the energy of the rows to come as if all rows were still there.
-- grain:  one row per channel of methods
-- key:    channel_no
-- inputs: methods, holds, counter_rows, counter_steps
-- window: one channel, in row order
WITH channels AS (
  SELECT
    channel_no,
    max(p_no) AS p_no, max(c_no) AS c_no, max(r_no) AS r_no, max(reported_spans) AS reported_spans
  FROM methods
  GROUP BY channel_no
),
lowers AS (
  SELECT
    m.channel_no,
    max(CASE WHEN m.r IS NOT NULL THEN m.t_us END) AS r_us,
    max(CASE WHEN m.lower_c AND m.c_no = s.c_no AND s.c_no > 0 THEN m.t_us END) AS lower_c_us,
    max(CASE WHEN m.lower_r AND m.r_no = s.r_no AND s.r_no > 0 THEN m.t_us END) AS lower_r_us
  FROM methods m
  JOIN channels s ON s.channel_no = m.channel_no
  GROUP BY m.channel_no
)
SELECT
  s.channel_no,
  h.t_us AS p_us, h.p_mw, h.held_until_us,
  coalesce(h.hold_dropped OR h.reported_spans < s.reported_spans, false) AS hold_dropped,
  t.first_us AS c_first_us, r.t_us AS c_us, r.c AS c_uwh, t.plausible_mw AS c_plausible_mw,
  t.before_first_us AS c_before_us, CAST(t.before_v AS BIGINT) AS c_before_uwh,
  l.lower_c_us, l.r_us, l.lower_r_us
FROM channels s
JOIN lowers l ON l.channel_no = s.channel_no
LEFT JOIN holds h ON h.channel_no = s.channel_no AND h.p_no = s.p_no
LEFT JOIN counter_rows r ON r.channel_no = s.channel_no AND r.c_no = s.c_no
LEFT JOIN counter_steps t
  ON t.channel_no = r.channel_no AND t.step_no = r.step_no
