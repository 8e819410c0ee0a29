-- Sums of one device in one hour of the local clock; a repeated hour is two rows.
-- grain: one device, one local hour
-- key: tenant_id, device_id, hour_start
-- inputs: quarter_hourly_energy, calendar, touched_days
-- window: one local hour of one device
-- check coverage_within_hour: covered_s BETWEEN 0 AND 3600
-- check fed_in_of_energy: fed_in_wh IS NULL OR (fed_in_wh > 0 AND energy_wh >= -fed_in_wh)
SELECT
  q.tenant_id,
  q.device_id,
  c.hour_start,
  CAST(sum(q.energy_wh) AS DECIMAL(38,9)) AS energy_wh,
  CASE WHEN min(q.energy_method) = max(q.energy_method) THEN min(q.energy_method)
    WHEN count(q.energy_method) > 0 THEN 'mixed' END AS energy_method,
  CAST(sum(q.covered_s) AS BIGINT) AS covered_s,
  CAST(sum(q.readings) AS BIGINT) AS readings,
  CAST(sum(q.power_sum_mw) AS BIGINT) AS power_sum_mw,
  CAST(sum(q.power_count) AS BIGINT) AS power_count,
  CAST(max(q.power_max_w) AS DOUBLE) AS power_max_w,
  CAST(sum(q.temperature_sum_mc) AS BIGINT) AS temperature_sum_mc,
  CAST(sum(q.temperature_count) AS BIGINT) AS temperature_count,
  CAST(min(q.temperature_min_c) AS DOUBLE) AS temperature_min_c,
  CAST(max(q.temperature_max_c) AS DOUBLE) AS temperature_max_c,
  CAST(sum(q.cost) AS DECIMAL(38,9)) AS cost,
  CAST(max(q.tariff_version) AS BIGINT) AS tariff_version,
  CAST(-sum(q.energy_wh) FILTER (WHERE q.energy_wh < 0) AS DECIMAL(38,9)) AS fed_in_wh,
  CASE WHEN count(q.payer) = count(q.energy_wh) AND min(q.payer) = max(q.payer) THEN min(q.payer) END AS user_id,
  CASE WHEN count(q.energy_wh) > 0 THEN
    count(q.payer) = 0 OR (count(q.payer) = count(q.energy_wh) AND min(q.payer) = max(q.payer))
  END AS one_user,
  c.date,
  c.month
FROM (SELECT *, CASE WHEN energy_wh IS NOT NULL THEN user_id END AS payer FROM quarter_hourly_energy) q
JOIN touched_days d ON d.tenant_id = q.tenant_id AND d.device_id = q.device_id AND d.date = q.date
JOIN calendar c ON c.quarter_hour = q.quarter_hour
GROUP BY q.tenant_id, q.device_id, c.hour_start, c.date, c.month
