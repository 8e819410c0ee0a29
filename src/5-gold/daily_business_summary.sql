-- One home on one local day. Totals sum the devices without a parent and leave out solar and battery.
-- grain: one home, one local day on which a device has a daily row
-- key: tenant_id, date
-- inputs: daily_energy_consumption, device_health_metrics, quarter_hourly_energy, catalogue, touched_days
-- window: one local day of one home
-- check active_within_points: active_devices <= data_points AND active_users <= active_devices
-- check quality_is_share: mean_data_quality IS NULL OR mean_data_quality BETWEEN 0 AND 1
WITH tenant_days AS (
  SELECT DISTINCT tenant_id, date FROM touched_days
), parents AS (
  SELECT DISTINCT tenant_id, parent_device_id AS device_id
  FROM catalogue
  WHERE parent_device_id IS NOT NULL
), devices AS (
  SELECT
    e.*,
    c.parent_device_id IS NULL AND coalesce(e.device_type, '') NOT IN ('solar', 'battery') AS counted
  FROM daily_energy_consumption e
  JOIN tenant_days d ON d.tenant_id = e.tenant_id AND d.date = e.date
  LEFT JOIN catalogue c ON c.tenant_id = e.tenant_id AND c.device_id = e.device_id
), energy AS (
  SELECT
    tenant_id, date, max(month) AS month,
    sum(total_energy_wh) FILTER (WHERE counted) AS energy_wh,
    sum(cost) FILTER (WHERE counted) AS cost,
    count_if(reading_count > 0) AS active_devices,
    count(DISTINCT user_id) FILTER (WHERE reading_count > 0) AS active_users,
    CAST(sum(reading_count) AS BIGINT) AS data_points
  FROM devices
  GROUP BY tenant_id, date
), health AS (
  SELECT
    h.tenant_id, h.date,
    int_div(2 * CAST(CAST(sum(h.quality_sum) AS DECIMAL(28,6)) * 1000000 AS BIGINT) + CAST(sum(h.reading_count) AS BIGINT),
      2 * CAST(sum(h.reading_count) AS BIGINT)) AS quality,
    int_div(2 * CAST(CAST(sum(h.health_score) AS DECIMAL(28,6)) * 1000000 AS BIGINT) + count(h.health_score),
      NULLIF(2 * count(h.health_score), 0)) AS health,
    int_div(2 * CAST(CAST(sum(h.failure_probability) AS DECIMAL(28,6)) * 1000000 AS BIGINT) + count(h.failure_probability),
      NULLIF(2 * count(h.failure_probability), 0)) AS risk,
    sum(h.alert_count) AS alert_count
  FROM device_health_metrics h
  JOIN tenant_days d ON d.tenant_id = h.tenant_id AND d.date = h.date
  GROUP BY h.tenant_id, h.date
), parent_slots AS (
  SELECT q.tenant_id, q.device_id, q.date, q.quarter_hour, q.energy_wh
  FROM quarter_hourly_energy q
  JOIN parents p ON p.tenant_id = q.tenant_id AND p.device_id = q.device_id
  JOIN tenant_days d ON d.tenant_id = q.tenant_id AND d.date = q.date
  WHERE q.energy_wh IS NOT NULL
), child_slots AS (
  SELECT q.tenant_id, c.parent_device_id, q.quarter_hour, sum(q.energy_wh) AS energy_wh
  FROM quarter_hourly_energy q
  JOIN catalogue c ON c.tenant_id = q.tenant_id AND c.device_id = q.device_id
  JOIN tenant_days d ON d.tenant_id = q.tenant_id AND d.date = q.date
  WHERE c.parent_device_id IS NOT NULL
  GROUP BY q.tenant_id, c.parent_device_id, q.quarter_hour
), untracked AS (
  SELECT p.tenant_id, p.date, sum(p.energy_wh) - coalesce(sum(c.energy_wh), 0) AS energy_wh
  FROM parent_slots p
  LEFT JOIN child_slots c
    ON c.tenant_id = p.tenant_id AND c.parent_device_id = p.device_id AND c.quarter_hour = p.quarter_hour
  GROUP BY p.tenant_id, p.date
), totals AS (
  SELECT
    tenant_id, date, month, active_devices, active_users, data_points, cost, energy_wh,
    round(CAST(energy_wh AS DECIMAL(27,9)) * CAST(0.001 AS DECIMAL(4,3)), 9) AS energy_kwh
  FROM energy
)
SELECT
  t.tenant_id,
  t.date,
  CAST(t.energy_wh AS DECIMAL(38,9)) AS total_energy_wh,
  CAST(t.energy_kwh AS DECIMAL(38,9)) AS total_energy_kwh,
  CAST(t.cost AS DECIMAL(38,9)) AS total_cost,
  CAST(t.cost AS DOUBLE) / NULLIF(CAST(t.energy_kwh AS DOUBLE), 0) AS cost_per_kwh,
  CAST(t.active_devices AS BIGINT) AS active_devices,
  CAST(t.active_users AS BIGINT) AS active_users,
  CAST(CAST(h.quality AS DECIMAL(10,0)) * CAST(0.000001 AS DECIMAL(7,6)) AS DECIMAL(9,6)) AS mean_data_quality,
  t.data_points,
  CAST(CAST(h.health AS DECIMAL(10,0)) * CAST(0.000001 AS DECIMAL(7,6)) AS DECIMAL(9,6)) AS mean_health_score,
  CAST(CAST(h.risk AS DECIMAL(10,0)) * CAST(0.000001 AS DECIMAL(7,6)) AS DECIMAL(9,6)) AS mean_failure_probability,
  CAST(coalesce(h.alert_count, 0) AS BIGINT) AS alert_count,
  CAST(u.energy_wh AS DECIMAL(38,9)) AS untracked_energy_wh,
  t.month
FROM totals t
LEFT JOIN health h ON h.tenant_id = t.tenant_id AND h.date = t.date
LEFT JOIN untracked u ON u.tenant_id = t.tenant_id AND u.date = t.date
