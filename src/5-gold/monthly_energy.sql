-- Sums of one device in one local month.
-- grain: one device, one local month
-- key: tenant_id, device_id, month
-- inputs: hourly_energy, touched_days, calendar
-- window: one local month of one device
WITH touched_months AS (
  SELECT DISTINCT d.tenant_id, d.device_id, c.month
  FROM touched_days d
  JOIN calendar c ON c.date = d.date
)
SELECT
  h.tenant_id,
  h.device_id,
  h.month,
  CAST(sum(h.energy_wh) AS DECIMAL(38,9)) AS energy_wh,
  CASE WHEN min(h.energy_method) = max(h.energy_method) THEN min(h.energy_method)
    WHEN count(h.energy_method) > 0 THEN 'mixed' END AS energy_method,
  CAST(sum(h.covered_s) AS BIGINT) AS covered_s,
  CAST(sum(h.readings) AS BIGINT) AS readings,
  CAST(sum(h.power_sum_mw) AS BIGINT) AS power_sum_mw,
  CAST(sum(h.power_count) AS BIGINT) AS power_count,
  CAST(max(h.power_max_w) AS DOUBLE) AS power_max_w,
  CAST(sum(h.temperature_sum_mc) AS BIGINT) AS temperature_sum_mc,
  CAST(sum(h.temperature_count) AS BIGINT) AS temperature_count,
  CAST(min(h.temperature_min_c) AS DOUBLE) AS temperature_min_c,
  CAST(max(h.temperature_max_c) AS DOUBLE) AS temperature_max_c,
  CAST(sum(h.cost) AS DECIMAL(38,9)) AS cost,
  CAST(max(h.tariff_version) AS BIGINT) AS tariff_version,
  CAST(year(h.month) AS INT) AS year
FROM hourly_energy h
JOIN touched_months m ON m.tenant_id = h.tenant_id AND m.device_id = h.device_id AND m.month = h.month
GROUP BY h.tenant_id, h.device_id, h.month
