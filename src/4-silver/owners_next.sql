-- The next arrival of each repeated identity that is a row: the first one, after the newest owner, that contradicts
-- nothing owned and adds a field. Between two of them are only conflicts and duplicates, which own nothing. Run until
-- it finds none: each round adds a field, so there are at most seven.
-- grain:  one row per repeated identity that has a further row
-- key:    identity, owned_from
-- inputs: repeated, owned (the result of owners_first and of the rounds before)
-- window: one identity
-- check later_owns: owned_from > identity
WITH newest AS (
  SELECT *
  FROM owned
  QUALIFY row_number() OVER (PARTITION BY identity ORDER BY owned_from DESC) = 1
),
found AS (
  SELECT o.identity, min(r.seq) AS seq
  FROM newest o
  JOIN repeated r ON r.identity = o.identity AND r.seq > o.owned_from
  WHERE NOT coalesce(
      r.temperature <> o.temperature OR r.power_usage <> o.power_usage
      OR r.energy_consumption_wh <> o.energy_consumption_wh OR r.energy_total_wh <> o.energy_total_wh
      OR r.status <> o.status OR r.alert <> o.alert, false)
    AND (
      (o.temperature IS NULL AND r.temperature IS NOT NULL) OR (o.power_usage IS NULL AND r.power_usage IS NOT NULL)
      OR (o.energy_consumption_wh IS NULL AND r.energy_consumption_wh IS NOT NULL)
      OR (o.energy_total_wh IS NULL AND r.energy_total_wh IS NOT NULL)
      OR (o.status IS NULL AND r.status IS NOT NULL) OR (o.alert IS NULL AND r.alert IS NOT NULL)
      OR (o.metrics IS NULL AND r.metrics IS NOT NULL))
  GROUP BY o.identity
)
SELECT
  o.identity, r.seq AS owned_from,
  coalesce(o.temperature, r.temperature) AS temperature,
  coalesce(o.power_usage, r.power_usage) AS power_usage,
  coalesce(o.energy_consumption_wh, r.energy_consumption_wh) AS energy_consumption_wh,
  coalesce(o.energy_total_wh, r.energy_total_wh) AS energy_total_wh,
  coalesce(o.status, r.status) AS status,
  coalesce(o.alert, r.alert) AS alert,
  coalesce(o.metrics, r.metrics) AS metrics
FROM found f
JOIN newest o ON o.identity = f.identity
JOIN repeated r ON r.seq = f.seq
