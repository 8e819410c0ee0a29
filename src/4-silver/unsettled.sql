-- From when on rows of a device are judged again where something is put in at to_us or later: usually to_us itself,
-- earlier where a counter's newest step before it is a drop or an implausible rise (glitch or not: the next step
-- says), or where rows of a lower method lie after the last value of a higher one that has not ended yet.
-- grain:  one row per row of before_us
-- key:    device_no
-- inputs: before_us (device_no, to_us), carried (states of their channels before to_us), channels, constants
-- window: none
-- check not_later: from_us <= to_us
WITH states AS (
  SELECT
    h.device_no,
    CASE
      WHEN c_uwh < c_before_uwh
        OR (CAST(c_uwh AS DECIMAL(38, 0)) - c_before_uwh) * 36000000
          > CAST(c_plausible_mw AS DECIMAL(38, 0)) * k.plausible_tenths * (c_first_us - c_before_us)
        OR CAST(c_uwh AS DECIMAL(38, 0)) - c_before_uwh >= k.interval_limit_uwh THEN c_first_us
    END AS step_us,
    CASE WHEN lower_c_us <= c_us + k.method_end_us THEN c_us END AS counter_us,
    CASE WHEN lower_r_us <= r_us + k.method_end_us THEN r_us END AS reported_us
  FROM carried s
  JOIN channels h ON h.channel_no = s.channel_no
  CROSS JOIN constants k
),
devices AS (
  SELECT device_no, min(least(step_us, counter_us, reported_us)) AS from_us
  FROM states
  GROUP BY device_no
)
SELECT b.device_no, b.to_us, CAST(least(b.to_us, d.from_us) AS BIGINT) AS from_us
FROM before_us b
LEFT JOIN devices d ON d.device_no = b.device_no
