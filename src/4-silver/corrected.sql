-- What people have said of arrivals: that they are excluded, or which values count instead. Usually nothing is said.
-- An exclusion wins over values; of several values for a field the newest. A field that the arrival does not have, is not given one.
-- grain:  one row per arrival that a correction in force concerns
-- key:    seq
-- inputs: arrivals, channels, corrections
-- window: none
-- check says_something: excluded_by IS NOT NULL OR temperature_by IS NOT NULL OR power_by IS NOT NULL OR reported_by IS NOT NULL OR counter_by IS NOT NULL
WITH in_force AS (
  SELECT c.*
  FROM corrections c
  LEFT JOIN (SELECT DISTINCT undoes FROM corrections WHERE action = 'undo') u ON u.undoes = c.correction_id
  WHERE c.action <> 'undo' AND u.undoes IS NULL
),
concerned AS (
  SELECT a.seq, c.correction_id, c.action, c.field, a.faults,
    a.temperature, a.power_usage, a.energy_consumption_wh, a.energy_total_wh
  FROM in_force c
  JOIN channels h ON h.tenant_id = c.tenant_id AND h.device_id = c.device_id AND (c.channel IS NULL OR c.channel = h.channel)
  JOIN arrivals a ON a.channel_no = h.channel_no AND a.timestamp >= c.from_time AND a.timestamp <= c.to_time
),
newest AS (
  SELECT
    seq,
    max(CASE WHEN action = 'exclude' THEN correction_id END) AS excluded_by,
    max(CASE WHEN field = 'temperature' AND (temperature IS NOT NULL OR array_contains(faults, field)) THEN correction_id END) AS temperature_by,
    max(CASE WHEN field = 'power_usage' AND (power_usage IS NOT NULL OR array_contains(faults, field)) THEN correction_id END) AS power_by,
    max(CASE WHEN field = 'energy_consumption_wh' AND (energy_consumption_wh IS NOT NULL OR array_contains(faults, field)) THEN correction_id END) AS reported_by,
    max(CASE WHEN field = 'energy_total_wh' AND (energy_total_wh IS NOT NULL OR array_contains(faults, field)) THEN correction_id END) AS counter_by
  FROM concerned
  GROUP BY seq
)
SELECT
  n.seq, n.excluded_by, x.reason AS excluded_because,
  n.temperature_by, t.value AS temperature,
  n.power_by, p.value AS power_usage,
  n.reported_by, r.value AS energy_consumption_wh,
  n.counter_by, c.value AS energy_total_wh
FROM newest n
LEFT JOIN in_force x ON x.correction_id = n.excluded_by
LEFT JOIN in_force t ON t.correction_id = n.temperature_by
LEFT JOIN in_force p ON p.correction_id = n.power_by
LEFT JOIN in_force r ON r.correction_id = n.reported_by
LEFT JOIN in_force c ON c.correction_id = n.counter_by
WHERE coalesce(n.excluded_by, n.temperature_by, n.power_by, n.reported_by, n.counter_by) IS NOT NULL
