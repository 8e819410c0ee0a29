-- The arrivals of identities that have more than one, with what each would own.
-- grain:  one row per candidate whose identity another candidate shares
-- key:    seq
-- inputs: candidates (rows of checked that no reject rule holds for), arrivals, corrected
-- window: one identity; `identity` is the seq of its first arrival
-- check first_is_first: identity <= seq
WITH met AS (
  SELECT channel_no, t_us FROM candidates GROUP BY channel_no, t_us HAVING count(*) > 1
),
owning AS (
  SELECT
    c.channel_no, c.t_us, c.seq,
    coalesce(filled(a.event_id), '') AS event_key,
    CASE WHEN c.temperature_mc IS NOT NULL THEN CASE WHEN x.temperature_by IS NULL THEN a.temperature ELSE x.temperature END END AS temperature,
    CASE WHEN c.power_mw IS NOT NULL THEN CASE WHEN x.power_by IS NULL THEN a.power_usage ELSE x.power_usage END END AS power_usage,
    CASE WHEN c.reported_nwh IS NOT NULL THEN CASE WHEN x.reported_by IS NULL THEN a.energy_consumption_wh ELSE x.energy_consumption_wh END END AS energy_consumption_wh,
    CASE WHEN c.counter_uwh IS NOT NULL THEN CASE WHEN x.counter_by IS NULL THEN a.energy_total_wh ELSE x.energy_total_wh END END AS energy_total_wh,
    filled(a.status) AS status,
    filled(a.alert) AS alert,
    CASE WHEN cardinality(a.metrics) > 0 THEN true END AS metrics
  FROM met m
  JOIN candidates c ON c.channel_no = m.channel_no AND c.t_us = m.t_us
  JOIN arrivals a ON a.seq = c.seq
  LEFT JOIN corrected x ON x.seq = c.seq
)
SELECT
  min(seq) OVER (PARTITION BY channel_no, t_us, event_key) AS identity, seq,
  temperature, power_usage, energy_consumption_wh, energy_total_wh, status, alert, metrics
FROM owning
QUALIFY count(*) OVER (PARTITION BY channel_no, t_us, event_key) > 1
