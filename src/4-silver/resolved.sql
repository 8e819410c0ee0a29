-- What became of each arrival of a repeated identity: row, conflict or duplicate, and which fields it may keep.
-- grain:  one row per row of repeated
-- key:    seq
-- inputs: repeated, owned
-- window: one identity
-- check outcome_known: outcome IN ('row', 'conflict', 'duplicate')
WITH spans AS (
  SELECT o.*, lead(owned_from) OVER (PARTITION BY identity ORDER BY owned_from) AS owned_until
  FROM owned o
)
SELECT
  r.identity, r.seq,
  o.temperature IS NULL AS keeps_temperature,
  o.power_usage IS NULL AS keeps_power,
  o.energy_consumption_wh IS NULL AS keeps_reported,
  o.energy_total_wh IS NULL AS keeps_counter,
  o.status IS NULL AS keeps_status,
  o.alert IS NULL AS keeps_alert,
  o.metrics IS NULL AS keeps_metrics,
  CASE
    WHEN r.temperature <> o.temperature THEN 'temperature'
    WHEN r.power_usage <> o.power_usage THEN 'power_usage'
    WHEN r.energy_consumption_wh <> o.energy_consumption_wh THEN 'energy_consumption_wh'
    WHEN r.energy_total_wh <> o.energy_total_wh THEN 'energy_total_wh'
    WHEN r.status <> o.status THEN 'status'
    WHEN r.alert <> o.alert THEN 'alert'
  END AS conflict_field,
  CASE
    WHEN o.identity IS NULL THEN 'row'
    WHEN r.temperature <> o.temperature OR r.power_usage <> o.power_usage
      OR r.energy_consumption_wh <> o.energy_consumption_wh OR r.energy_total_wh <> o.energy_total_wh
      OR r.status <> o.status OR r.alert <> o.alert THEN 'conflict'
    WHEN (o.temperature IS NULL AND r.temperature IS NOT NULL) OR (o.power_usage IS NULL AND r.power_usage IS NOT NULL)
      OR (o.energy_consumption_wh IS NULL AND r.energy_consumption_wh IS NOT NULL)
      OR (o.energy_total_wh IS NULL AND r.energy_total_wh IS NOT NULL)
      OR (o.status IS NULL AND r.status IS NOT NULL) OR (o.alert IS NULL AND r.alert IS NOT NULL)
      OR (o.metrics IS NULL AND r.metrics IS NOT NULL) THEN 'row'
    ELSE 'duplicate'
  END AS outcome
FROM repeated r
LEFT JOIN spans o
  ON o.identity = r.identity AND o.owned_from < r.seq AND (o.owned_until IS NULL OR r.seq <= o.owned_until)
