-- The steps of every counter, judged: glitch or not, and the energy that the first row of each step carries.
-- v µWh; plausible(a → b): v_b ≥ v_a and (v_b − v_a) × 36,000,000 ≤ rated mW × 12 × µs between their first rows.
-- grain:  one row per step
-- key:    channel_no, step_no
-- inputs: counter_rows, constants
-- window: one counter span; a step is judged by the one before and the one after it
-- check step_has_time: v IS NOT NULL AND first_us <= last_us AND is_glitch IS NOT NULL
WITH steps AS (
  SELECT
    channel_no, span_no, step_no,
    CAST(min(c) AS DECIMAL(38, 0)) AS v,
    min(t_us) AS first_us,
    max(t_us) AS last_us,
    min(c_no) AS first_c_no,
    max(max_gap_us) AS max_gap_us,
    min_by(plausible_mw, c_no) AS plausible_mw
  FROM counter_rows
  GROUP BY channel_no, span_no, step_no
),
neighbours AS (
  SELECT
    s.*,
    lag(v) OVER w AS before_v,
    lag(first_us) OVER w AS before_first_us,
    lead(v) OVER w AS after_v,
    lead(first_us) OVER w AS after_first_us,
    lead(plausible_mw) OVER w AS after_plausible_mw
  FROM steps s
  WINDOW w AS (PARTITION BY channel_no, span_no ORDER BY step_no)
),
judged AS (
  SELECT
    n.*,
    coalesce(
      (v < before_v AND after_v >= before_v)
      OR (
        v > before_v
        AND NOT (
          (v - before_v) * 36000000 <= CAST(plausible_mw AS DECIMAL(38, 0)) * k.plausible_tenths * (first_us - before_first_us)
          AND v - before_v < k.interval_limit_uwh)
        AND after_v >= before_v
        AND (after_v - before_v) * 36000000 <= CAST(after_plausible_mw AS DECIMAL(38, 0)) * k.plausible_tenths * (after_first_us - before_first_us)
        AND after_v - before_v < k.interval_limit_uwh
      ), false) AS is_glitch
  FROM neighbours n
  CROSS JOIN constants k
),
-- m: the step before among those that are no glitch
chained AS (
  SELECT
    j.*,
    lag(v) OVER w AS m_v,
    lag(first_us) OVER w AS m_first_us,
    lag(last_us) OVER w AS m_last_us
  FROM judged j
  WHERE NOT is_glitch
  WINDOW w AS (PARTITION BY channel_no, span_no ORDER BY step_no)
),
counted AS (
  SELECT
    c.*,
    CASE
      WHEN m_v IS NULL THEN 'base'
      WHEN v >= m_v AND v - m_v < k.interval_limit_uwh
        AND (v - m_v) * 36000000 <= CAST(plausible_mw AS DECIMAL(38, 0)) * k.plausible_tenths * (first_us - m_first_us) THEN 'rise'
      WHEN v >= m_v THEN 'counter_implausible'
      WHEN (m_v - v) * k.dip_divisor <= m_v THEN 'counter_dip'
      ELSE 'counter_reset'
    END AS verdict,
    v >= 0 AND v < k.interval_limit_uwh
      AND v * 36000000 <= CAST(plausible_mw AS DECIMAL(38, 0)) * k.plausible_tenths * (first_us - m_first_us) AS restart_plausible
  FROM chained c
  CROSS JOIN constants k
)
SELECT
  j.channel_no, j.span_no, j.step_no, j.v, j.first_us, j.last_us, j.first_c_no, j.plausible_mw,
  j.before_v, j.before_first_us, j.is_glitch,
  c.verdict, c.m_last_us,
  CAST(CASE c.verdict
    WHEN 'rise' THEN c.v - c.m_v
    WHEN 'counter_dip' THEN 0
    WHEN 'counter_reset' THEN CASE WHEN c.restart_plausible THEN c.v ELSE 0 END
  END AS BIGINT) AS energy_uwh
FROM judged j
LEFT JOIN counted c
  ON c.channel_no = j.channel_no AND c.step_no = j.step_no
