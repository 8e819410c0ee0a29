-- The energy that each accepted row carries, its interval, its method and why.
-- grain:  one row per row of methods, the carried ones too (seq < 0)
-- key:    channel_no, seq
-- inputs: methods, holds, counter_rows, counter_steps, constants
-- window: one channel, in row order
-- check method_known: method IN ('reported', 'counter', 'integrated', 'none')
-- check interval_forward: from_us IS NULL OR from_us <= to_us
WITH counters AS (
  SELECT
    r.channel_no, r.seq, s.is_glitch,
    CASE
      WHEN s.is_glitch THEN 'counter_glitch'
      WHEN r.c_no > s.first_c_no THEN 'same'
      ELSE s.verdict
    END AS verdict,
    CASE WHEN r.c_no > s.first_c_no THEN r.before_us ELSE s.m_last_us END AS from_us,
    CASE WHEN r.c_no > s.first_c_no THEN 0 ELSE s.energy_uwh END AS energy_uwh
  FROM counter_rows r
  JOIN counter_steps s
    ON s.channel_no = r.channel_no AND s.step_no = r.step_no
),
-- The hold that ends at a row: that of the last row with power before it.
closing AS (
  SELECT
    m.channel_no, m.seq, h.p_mw,
    greatest(h.t_us, coalesce(m.c_before_us, h.t_us), coalesce(m.r_before_us, h.t_us)) AS from_us,
    least(m.t_us, h.t_us + m.max_gap_us, coalesce(h.held_until_us, m.t_us)) AS to_us
  FROM methods m
  JOIN holds h
    ON h.channel_no = m.channel_no
    AND h.p_no = m.p_no - CASE WHEN m.p IS NULL THEN 0 ELSE 1 END
  WHERE m.seq > 0 AND NOT m.counter_before AND NOT m.reported_before
    AND ((m.p IS NOT NULL AND NOT m.in_counter AND NOT m.in_reported) OR m.c IS NOT NULL)
    -- a reported span that began in between, this row not counted, has dropped the hold
    AND NOT h.hold_dropped
    AND h.reported_spans = m.reported_spans - CASE WHEN m.r IS NOT NULL THEN 1 ELSE 0 END
),
integrated AS (
  SELECT c.*, mul_div(p_mw, to_us - from_us, 3600) AS energy_nwh
  FROM closing c
  CROSS JOIN constants k
  WHERE to_us >= from_us AND abs(mul_div(p_mw, to_us - from_us, 3600000000)) < k.interval_limit_uwh / 1000
),
chosen AS (
  SELECT
    m.channel_no, m.seq, m.t_us, m.max_gap_us, m.in_counter, m.in_reported,
    coalesce(c.is_glitch, false) AS is_glitch,
    CASE
      WHEN c.verdict IN ('rise', 'same', 'counter_dip', 'counter_reset') THEN 'counter'
      WHEN i.seq IS NOT NULL THEN 'integrated'
      WHEN m.r IS NOT NULL AND NOT m.in_counter THEN 'reported'
      ELSE 'none'
    END AS method,
    CASE WHEN c.verdict IN ('counter_glitch', 'counter_implausible', 'counter_dip', 'counter_reset') THEN c.verdict END AS reason,
    c.energy_uwh * 1000 AS counter_nwh, c.from_us AS counter_from_us,
    i.energy_nwh AS integrated_nwh, i.from_us AS hold_from_us, i.to_us AS hold_to_us,
    m.r AS reported_nwh
  FROM methods m
  LEFT JOIN counters c
    ON c.channel_no = m.channel_no AND c.seq = m.seq
  LEFT JOIN integrated i
    ON i.channel_no = m.channel_no AND i.seq = m.seq
)
SELECT
  channel_no, seq, t_us, in_counter, in_reported, is_glitch, method,
  CAST(CASE method WHEN 'counter' THEN counter_nwh WHEN 'integrated' THEN integrated_nwh WHEN 'reported' THEN reported_nwh END AS BIGINT) AS energy_nwh,
  CAST(CASE method WHEN 'counter' THEN counter_from_us WHEN 'integrated' THEN hold_from_us END AS BIGINT) AS from_us,
  CAST(CASE method WHEN 'counter' THEN t_us WHEN 'integrated' THEN hold_to_us END AS BIGINT) AS to_us,
  concat_ws(' ', reason, CASE WHEN method = 'counter' AND t_us - counter_from_us > max_gap_us THEN 'counter_gap' END) AS energy_reasons
FROM chosen
