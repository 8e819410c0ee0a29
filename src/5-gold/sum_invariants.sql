-- Device-days whose quarter-hours do not add up to their hours and their day, to the last digit.
-- grain: one device-day that differs; no row: all is well
-- inputs: quarter_hourly_energy, hourly_energy, daily_energy_consumption, touched_days
-- window: one local day of one device
WITH slots AS (
  SELECT q.tenant_id, q.device_id, q.date, sum(q.energy_wh) AS energy_wh, sum(q.cost) AS cost,
    sum(q.covered_s) AS covered_s, sum(q.readings) AS readings
  FROM quarter_hourly_energy q
  JOIN touched_days d ON d.tenant_id = q.tenant_id AND d.device_id = q.device_id AND d.date = q.date
  GROUP BY q.tenant_id, q.device_id, q.date
), hours AS (
  SELECT q.tenant_id, q.device_id, q.date, sum(q.energy_wh) AS energy_wh, sum(q.cost) AS cost,
    sum(q.covered_s) AS covered_s, sum(q.readings) AS readings
  FROM hourly_energy q
  JOIN touched_days d ON d.tenant_id = q.tenant_id AND d.device_id = q.device_id AND d.date = q.date
  GROUP BY q.tenant_id, q.device_id, q.date
), days AS (
  SELECT q.tenant_id, q.device_id, q.date, q.total_energy_wh AS energy_wh, q.cost,
    q.covered_s, q.reading_count AS readings
  FROM daily_energy_consumption q
  JOIN touched_days d ON d.tenant_id = q.tenant_id AND d.device_id = q.device_id AND d.date = q.date
)
SELECT
  coalesce(s.tenant_id, h.tenant_id, d.tenant_id) AS tenant_id,
  coalesce(s.device_id, h.device_id, d.device_id) AS device_id,
  coalesce(s.date, h.date, d.date) AS date
FROM slots s
FULL JOIN hours h ON h.tenant_id = s.tenant_id AND h.device_id = s.device_id AND h.date = s.date
FULL JOIN days d ON d.tenant_id = s.tenant_id AND d.device_id = s.device_id AND d.date = s.date
WHERE s.tenant_id IS NULL OR h.tenant_id IS NULL OR d.tenant_id IS NULL
  OR s.energy_wh IS DISTINCT FROM h.energy_wh OR s.energy_wh IS DISTINCT FROM d.energy_wh
  OR s.cost IS DISTINCT FROM h.cost OR s.cost IS DISTINCT FROM d.cost
  OR s.covered_s <> h.covered_s OR s.covered_s <> d.covered_s
  OR s.readings <> h.readings OR s.readings <> d.readings
