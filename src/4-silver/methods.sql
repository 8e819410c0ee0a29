-- Which energy method is in force at each row and just before it. A counter segment is a counter row and what follows
-- it up to the next one; it is ended where a row of a lower method lies more than 24 h after the counter row.
-- grain:  one row per row of measured
-- key:    tenant_id, device_id, channel, seq
-- inputs: measured, constants
-- window: one channel, in row order
-- checks: not null c_no, r_no, in_counter, in_reported
WITH numbered AS (
  SELECT
    m.*,
    count(c) OVER w AS c_no,
    count(r) OVER w AS r_no,
    count(p) OVER w AS p_no
  FROM measured m
  WINDOW w AS (PARTITION BY tenant_id, device_id, channel ORDER BY t_us, seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
segmented AS (
  SELECT
    n.*,
    CASE WHEN c_no > 0 THEN min(t_us) OVER counters END AS c_us,
    CASE WHEN r_no > 0 THEN min(t_us) OVER reports END AS r_us,
    c_no > 0 AND NOT coalesce(
      max(CASE WHEN lower_c THEN t_us END) OVER counters > min(t_us) OVER counters + k.method_end_us, false) AS c_lasts,
    r_no > 0 AND NOT coalesce(
      max(CASE WHEN lower_r THEN t_us END) OVER reports > min(t_us) OVER reports + k.method_end_us, false) AS r_lasts
  FROM numbered n
  CROSS JOIN constants k
  WINDOW
    counters AS (PARTITION BY tenant_id, device_id, channel, c_no),
    reports AS (PARTITION BY tenant_id, device_id, channel, r_no)
),
before AS (
  SELECT
    s.*,
    CASE WHEN c IS NULL THEN c_lasts ELSE coalesce(lag(c_lasts) OVER w, false) END AS counter_before,
    CASE WHEN r IS NULL THEN r_lasts ELSE coalesce(lag(r_lasts) OVER w, false) END AS reported_before,
    CASE WHEN c IS NULL THEN c_us ELSE lag(c_us) OVER w END AS c_before_us,
    CASE WHEN r IS NULL THEN r_us ELSE lag(r_us) OVER w END AS r_before_us
  FROM segmented s
  WINDOW w AS (PARTITION BY tenant_id, device_id, channel ORDER BY t_us, seq)
)
SELECT
  tenant_id, device_id, channel, t_us, seq, c, r, p, lower_c, lower_r, offline, max_gap_us, plausible_mw,
  held_until_us, hold_dropped, c_no, r_no, p_no,
  c IS NOT NULL OR c_lasts AS in_counter,
  r IS NOT NULL OR r_lasts AS in_reported,
  counter_before, reported_before, c_before_us, r_before_us,
  -- reported spans begun so far; the carried ones have begun before every carried hold that they do not drop
  count(CASE WHEN r IS NOT NULL AND NOT reported_before AND seq > 0 THEN 1 END) OVER (
    PARTITION BY tenant_id, device_id, channel ORDER BY t_us, seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS reported_spans
FROM before
