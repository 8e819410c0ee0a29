-- What energy is computed from: the accepted rows, and the carried state of their channels as rows before them.
-- c, r, p are the counter (µWh), reported energy (nWh) and power (mW) that count, where the catalogue fixes the source.
-- grain:  one row per accepted row (seq > 0), and up to seven per carried channel (seq < 0)
-- key:    tenant_id, device_id, channel, seq
-- inputs: accepted, carried (rows of channel_state; empty in a rebuild)
-- window: none
-- checks: not null t_us, seq
WITH sourced AS (
  SELECT
    tenant_id, device_id, channel, t_us, seq,
    CASE WHEN coalesce(energy_source, 'counter') = 'counter' THEN counter_uwh END AS c,
    CASE WHEN coalesce(energy_source, 'reported') = 'reported' THEN reported_nwh END AS r,
    CASE WHEN coalesce(energy_source, 'integrated') = 'integrated' THEN power_mw END AS p,
    coalesce(status = 'offline', false) AS offline,
    max_gap_us, plausible_mw
  FROM accepted
)
SELECT
  tenant_id, device_id, channel, t_us, CAST(seq AS BIGINT) AS seq, c, r, p,
  c IS NULL AND (r IS NOT NULL OR p IS NOT NULL) AS lower_c,
  c IS NULL AND r IS NULL AND p IS NOT NULL AS lower_r,
  offline, max_gap_us, plausible_mw,
  CAST(NULL AS BIGINT) AS held_until_us, false AS hold_dropped
FROM sourced
UNION ALL
-- the last row with a reported value
SELECT tenant_id, device_id, channel, r_us, -7, NULL, 0, NULL, false, false, false, NULL, NULL, NULL, false
FROM carried WHERE r_us IS NOT NULL
UNION ALL
-- the last row with power, its hold perhaps ended already
SELECT tenant_id, device_id, channel, p_us, -6, NULL, NULL, p_mw, false, false, false, NULL, NULL, held_until_us, hold_dropped
FROM carried WHERE p_us IS NOT NULL
UNION ALL
-- the counter's newest step, by its first and last row, and the first row of the step before it in the same span
SELECT tenant_id, device_id, channel, c_before_us, -5, c_before_uwh, NULL, NULL, false, false, false, NULL, NULL, NULL, false
FROM carried WHERE c_before_us IS NOT NULL
UNION ALL
SELECT tenant_id, device_id, channel, c_first_us, -4, c_uwh, NULL, NULL, false, false, false, NULL, c_plausible_mw, NULL, false
FROM carried WHERE c_us IS NOT NULL
UNION ALL
SELECT tenant_id, device_id, channel, c_us, -3, c_uwh, NULL, NULL, false, false, false, NULL, NULL, NULL, false
FROM carried WHERE c_us IS NOT NULL
UNION ALL
-- the last rows, after those, that may end the two methods
SELECT tenant_id, device_id, channel, lower_c_us, -2, NULL, NULL, NULL, true, false, false, NULL, NULL, NULL, false
FROM carried WHERE lower_c_us IS NOT NULL
UNION ALL
SELECT tenant_id, device_id, channel, lower_r_us, -1, NULL, NULL, NULL, false, true, false, NULL, NULL, NULL, false
FROM carried WHERE lower_r_us IS NOT NULL
