-- The accepted rows, each with the fields that it keeps.
-- grain:  one row per candidate that is neither a conflict nor a duplicate
-- key:    seq
-- inputs: candidates, resolved
-- window: none
-- check placed: seq > 0 AND channel_no IS NOT NULL AND t_us IS NOT NULL
SELECT
  c.seq, c.channel_no, c.device_no, c.t_us,
  CASE WHEN coalesce(r.keeps_temperature, true) THEN c.temperature_mc END AS temperature_mc,
  CASE WHEN coalesce(r.keeps_power, true) THEN c.power_mw END AS power_mw,
  CASE WHEN coalesce(r.keeps_reported, true) THEN c.reported_nwh END AS reported_nwh,
  CASE WHEN coalesce(r.keeps_counter, true) THEN c.counter_uwh END AS counter_uwh,
  c.has_alert AND coalesce(r.keeps_alert, true) AS has_alert,
  c.offline AND coalesce(r.keeps_status, true) AS offline,
  c.power_is_high AND coalesce(r.keeps_power, true) AS power_is_high,
  c.plausible_mw, c.null_reasons
FROM candidates c
LEFT JOIN resolved r ON r.seq = c.seq
WHERE coalesce(r.outcome, 'row') = 'row'
