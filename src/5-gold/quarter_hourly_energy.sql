-- Energy, power and temperature of one device in one quarter-hour; every longer span is a sum of these.
-- grain: one device, one quarter-hour
-- key: tenant_id, device_id, quarter_hour
-- inputs: device_rows, energy_parts, calendar, tariffs, touched_spans
-- window: one quarter-hour of one device
-- check coverage_within_slot: covered_s BETWEEN 0 AND 900
-- check cost_only_of_energy: (cost IS NULL OR cost >= 0) AND (energy_wh IS NOT NULL OR cost IS NULL)
-- check counts_within_readings: power_count <= readings AND temperature_count <= readings
WITH channel_slots AS (
  SELECT
    tenant_id, device_id, slot_us, channel,
    sum(CAST(energy_nwh AS DECIMAL(18,0))) AS energy_nwh,
    count(energy_nwh) AS parts,
    min(energy_method) FILTER (WHERE energy_nwh IS NOT NULL) AS least_method,
    max(energy_method) FILTER (WHERE energy_nwh IS NOT NULL) AS greatest_method,
    least(CAST(sum(covered_us) AS BIGINT), 900000000) AS covered_us,
    max_by(user_id, row_order) FILTER (WHERE user_id IS NOT NULL AND energy_nwh IS NOT NULL) AS user_id,
    max(row_order) FILTER (WHERE user_id IS NOT NULL AND energy_nwh IS NOT NULL) AS user_order
  FROM energy_parts
  GROUP BY tenant_id, device_id, slot_us, channel
), energy_slots AS (
  SELECT
    tenant_id, device_id, slot_us,
    sum(CAST(energy_nwh AS DECIMAL(27,0))) AS energy_nwh,
    CASE WHEN min(least_method) < max(greatest_method) THEN 'mixed' ELSE min(least_method) END AS energy_method,
    -- Where no channel has energy, a reported value of a later quarter-hour may cover all the same.
    coalesce(min(covered_us) FILTER (WHERE parts > 0), min(covered_us)) AS covered_us,
    max_by(user_id, user_order) FILTER (WHERE user_id IS NOT NULL) AS user_id
  FROM channel_slots
  GROUP BY tenant_id, device_id, slot_us
), reading_slots AS (
  SELECT
    tenant_id, device_id, slot_us,
    count(*) AS readings,
    sum(CAST(round(power_usage * 1000) AS BIGINT)) AS power_sum_mw,
    count(power_usage) AS power_count,
    max(power_usage) AS power_max_w,
    sum(CAST(round(temperature * 1000) AS BIGINT)) AS temperature_sum_mc,
    count(temperature) AS temperature_count,
    min(temperature) AS temperature_min_c,
    max(temperature) AS temperature_max_c,
    max_by(user_id, row_order) FILTER (WHERE user_id IS NOT NULL) AS user_id
  FROM device_rows
  WHERE date IS NOT NULL
  GROUP BY tenant_id, device_id, slot_us
), slots AS (
  SELECT
    coalesce(r.tenant_id, e.tenant_id) AS tenant_id,
    coalesce(r.device_id, e.device_id) AS device_id,
    coalesce(r.slot_us, e.slot_us) AS slot_us,
    coalesce(r.user_id, e.user_id) AS user_id,
    e.energy_nwh, e.energy_method, coalesce(e.covered_us, 0) AS covered_us,
    coalesce(r.readings, 0) AS readings,
    r.power_sum_mw, coalesce(r.power_count, 0) AS power_count, r.power_max_w,
    r.temperature_sum_mc, coalesce(r.temperature_count, 0) AS temperature_count,
    r.temperature_min_c, r.temperature_max_c
  FROM reading_slots r
  FULL JOIN energy_slots e
    ON e.tenant_id = r.tenant_id AND e.device_id = r.device_id AND e.slot_us = r.slot_us
), local_slots AS (
  SELECT s.*, c.quarter_hour, c.date, c.local_hour, c.local_weekday
  FROM slots s
  JOIN calendar c ON c.quarter_hour = timestamp_micros(s.slot_us)
  JOIN touched_spans d
    ON d.tenant_id = s.tenant_id AND d.device_id = s.device_id AND d.date = c.date
    AND s.slot_us >= d.from_us AND s.slot_us < d.to_us
), billed_slots AS (
  -- Negative energy costs nothing. Whole kilowatt-hours apart from the rest: a device that reports its running total as
  -- consumption makes sums and costs that leave 64 bits.
  SELECT
    tenant_id, device_id, slot_us, billed_nwh,
    CAST(floor(CAST(billed_nwh * CAST(0.000000001 AS DECIMAL(10,9)) AS DECIMAL(27,9)) * CAST(0.001 AS DECIMAL(4,3)))
      AS DECIMAL(19,0)) AS billed_kwh
  FROM (
    SELECT
      tenant_id, device_id, slot_us,
      CASE WHEN energy_nwh > 0 THEN CAST(energy_nwh AS DECIMAL(27,0)) ELSE CAST(0 AS DECIMAL(27,0)) END AS billed_nwh
    FROM local_slots
    WHERE energy_nwh IS NOT NULL
  ) b
), priced_hours AS (
  SELECT DISTINCT tenant_id, user_id, date, local_hour, local_weekday
  FROM local_slots
  WHERE energy_nwh IS NOT NULL
), candidates AS (
  SELECT
    h.tenant_id, h.user_id, h.date, h.local_hour,
    t.user_id AS tariff_user, t.tenant_id AS tariff_tenant, t.weekdays, t.hour_from, t.hour_to, t.season_from, t.season_to,
    t.tariff_version, t.valid_from, t.band, t.energy_rate_kwh, h.local_weekday
  FROM priced_hours h
  JOIN tariffs t ON t.user_id = h.user_id AND h.date >= t.valid_from AND h.date < coalesce(t.valid_to, CAST('9999-12-31' AS DATE))
  UNION ALL
  SELECT
    h.tenant_id, h.user_id, h.date, h.local_hour,
    t.user_id AS tariff_user, t.tenant_id AS tariff_tenant, t.weekdays, t.hour_from, t.hour_to, t.season_from, t.season_to,
    t.tariff_version, t.valid_from, t.band, t.energy_rate_kwh, h.local_weekday
  FROM priced_hours h
  JOIN tariffs t ON t.user_id IS NULL AND h.date >= t.valid_from AND h.date < coalesce(t.valid_to, CAST('9999-12-31' AS DATE))
), prices AS (
  SELECT
    tenant_id, user_id, date, local_hour, tariff_version,
    CAST(CAST(energy_rate_kwh AS DECIMAL(28,9)) * 1000000000 AS BIGINT) AS rate_nano
  FROM candidates
  WHERE (tariff_tenant IS NULL OR tariff_tenant = tenant_id)
    AND local_hour >= hour_from AND local_hour < hour_to
    AND instr(weekdays, CAST(local_weekday AS STRING)) > 0
    AND (season_from IS NULL OR (month(date) * 100 + day(date) >= season_from AND month(date) * 100 + day(date) < season_to))
  QUALIFY row_number() OVER (
    PARTITION BY tenant_id, user_id, date, local_hour
    ORDER BY
      CASE WHEN tariff_user IS NULL THEN 1 ELSE 0 END,
      CASE WHEN tariff_tenant IS NULL THEN 1 ELSE 0 END,
      tariff_version DESC NULLS LAST, valid_from DESC NULLS LAST, band NULLS LAST
  ) = 1
)
SELECT
  CAST(s.tenant_id AS STRING) AS tenant_id,
  CAST(s.device_id AS STRING) AS device_id,
  s.quarter_hour,
  CAST(CAST(s.energy_nwh AS DECIMAL(27,0)) * CAST(0.000000001 AS DECIMAL(10,9)) AS DECIMAL(38,9)) AS energy_wh,
  CAST(s.energy_method AS STRING) AS energy_method,
  int_div(s.covered_us, 1000000) AS covered_s,
  CAST(s.readings AS BIGINT) AS readings,
  CAST(s.power_sum_mw AS BIGINT) AS power_sum_mw,
  CAST(s.power_count AS BIGINT) AS power_count,
  CAST(s.power_max_w AS DOUBLE) AS power_max_w,
  CAST(s.temperature_sum_mc AS BIGINT) AS temperature_sum_mc,
  CAST(s.temperature_count AS BIGINT) AS temperature_count,
  CAST(s.temperature_min_c AS DOUBLE) AS temperature_min_c,
  CAST(s.temperature_max_c AS DOUBLE) AS temperature_max_c,
  -- Of the rest, rounded half up: trunc of the doubled cost, plus one, halved.
  CAST(CAST(
    b.billed_kwh * CAST(p.rate_nano AS DECIMAL(18,0))
      + CAST(int_div(mul_div(
          CAST(b.billed_nwh - b.billed_kwh * CAST(1000000000000 AS DECIMAL(13,0)) AS BIGINT), p.rate_nano, 500000000000
        ) + 1, 2) AS DECIMAL(18,0))
    AS DECIMAL(27,0)) * CAST(0.000000001 AS DECIMAL(10,9)) AS DECIMAL(38,9)) AS cost,
  CASE WHEN s.energy_nwh IS NOT NULL THEN CAST(p.tariff_version AS BIGINT) END AS tariff_version,
  CAST(s.user_id AS STRING) AS user_id,
  s.date
FROM local_slots s
LEFT JOIN billed_slots b ON b.tenant_id = s.tenant_id AND b.device_id = s.device_id AND b.slot_us = s.slot_us
LEFT JOIN prices p
  ON p.tenant_id = s.tenant_id AND p.user_id IS NOT DISTINCT FROM s.user_id
  AND p.date = s.date AND p.local_hour = s.local_hour
