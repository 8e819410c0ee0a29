-- What energy is computed from: the accepted rows that measure it or end it, and the carried state of their channels as
-- rows before them. c, r, p are the counter (µWh), reported energy (nWh) and power (mW) that count, where the catalogue
-- fixes the source.
-- grain:  one row per such accepted row (seq > 0), and up to seven per carried channel (seq < 0)
-- key:    channel_no, seq
-- inputs: accepted, channels, carried (rows of channel_state; empty in a rebuild)
-- window: none
-- check placed: seq <> 0 AND t_us IS NOT NULL
WITH sourced AS (
  SELECT
    a.channel_no, a.t_us, a.seq,
    CASE WHEN coalesce(h.energy_source, 'counter') = 'counter' THEN a.counter_uwh END AS c,
    CASE WHEN coalesce(h.energy_source, 'reported') = 'reported' THEN a.reported_nwh END AS r,
    CASE WHEN coalesce(h.energy_source, 'integrated') = 'integrated' THEN a.power_mw END AS p,
    a.offline, h.max_gap_us, a.plausible_mw
  FROM accepted a
  JOIN channels h ON h.channel_no = a.channel_no
),
-- -7: the last row with a reported value; -6: with power, its hold perhaps ended already; -5: the first row of the
-- counter's step before the newest, in the same span; -4, -3: first and last row of the newest step; -2, -1: the last
-- rows, after those, that may end the two methods
pieces AS (
  SELECT
    s.*, n.piece,
    CASE n.piece
      WHEN -7 THEN s.r_us WHEN -6 THEN s.p_us WHEN -5 THEN s.c_before_us WHEN -4 THEN s.c_first_us
      WHEN -3 THEN s.c_us WHEN -2 THEN s.lower_c_us ELSE s.lower_r_us
    END AS t_us
  FROM carried s
  CROSS JOIN (
    SELECT -7 AS piece UNION ALL SELECT -6 UNION ALL SELECT -5 UNION ALL SELECT -4
    UNION ALL SELECT -3 UNION ALL SELECT -2 UNION ALL SELECT -1
  ) n
)
SELECT
  channel_no, t_us, CAST(seq AS BIGINT) AS seq, c, r, p,
  c IS NULL AND (r IS NOT NULL OR p IS NOT NULL) AS lower_c,
  c IS NULL AND r IS NULL AND p IS NOT NULL AS lower_r,
  offline, max_gap_us, plausible_mw, CAST(NULL AS BIGINT) AS held_until_us, false AS hold_dropped
FROM sourced
WHERE c IS NOT NULL OR r IS NOT NULL OR p IS NOT NULL OR offline
UNION ALL
SELECT
  channel_no, t_us, CAST(piece AS BIGINT),
  CASE piece WHEN -5 THEN c_before_uwh WHEN -4 THEN c_uwh WHEN -3 THEN c_uwh END,
  CASE piece WHEN -7 THEN 0 END,
  CASE piece WHEN -6 THEN p_mw END,
  piece = -2, piece = -1, false, NULL,
  CASE piece WHEN -4 THEN c_plausible_mw END,
  CASE piece WHEN -6 THEN held_until_us END,
  piece = -6 AND hold_dropped
FROM pieces
WHERE t_us IS NOT NULL
