-- Energy of each Silver row, split at quarter-hour boundaries. An intermediate step of the Gold tables.
-- grain: one Silver row in one quarter-hour
-- key: tenant_id, device_id, row_order, slot_us
-- inputs: device_rows, calendar
-- window: none; each row is split by itself
-- An interval (from, to] gives each quarter-hour trunc(energy × part / length), the last one the remainder;
-- since all parts between the first and the last are whole quarter-hours, the remainder needs no sum over rows.
-- A reported value belongs to the quarter-hour (start, end] of its event time; `energy_nwh` is null where it
-- merely covers.
WITH spans AS (
  SELECT
    tenant_id, device_id, channel, row_order, device_type, user_id, location, energy_method, energy_nwh,
    energy_method = 'reported' AS is_reported,
    CASE
      WHEN energy_method <> 'reported' THEN from_us
      WHEN channel_previous_us IS NULL THEN t_us
      ELSE greatest(channel_previous_us, t_us - max_gap_us)
    END AS lo_us,
    CASE WHEN energy_method = 'reported' THEN t_us ELSE to_us END AS hi_us,
    max_gap_us
  FROM device_rows
  WHERE energy_nwh IS NOT NULL AND energy_method IN ('reported', 'counter', 'integrated')
), slotted AS (
  SELECT
    *,
    hi_us - lo_us AS length_us,
    least(lo_us - lo_us % 900000000, hi_us - 1 - (hi_us - 1) % 900000000) AS first_slot_us,
    hi_us - 1 - (hi_us - 1) % 900000000 AS last_slot_us
  FROM spans
), parts AS (
  SELECT s.*, s.last_slot_us AS slot_us
  FROM slotted s
  WHERE s.first_slot_us = s.last_slot_us
  UNION ALL
  SELECT s.*, unix_micros(c.quarter_hour) AS slot_us
  FROM slotted s
  JOIN calendar c
    ON c.quarter_hour >= timestamp_micros(s.first_slot_us) AND c.quarter_hour <= timestamp_micros(s.last_slot_us)
  WHERE s.first_slot_us < s.last_slot_us
)
SELECT
  tenant_id, device_id, channel, row_order, device_type, user_id, location, energy_method, slot_us,
  CASE
    WHEN is_reported THEN CASE WHEN slot_us = last_slot_us THEN energy_nwh END
    WHEN first_slot_us = last_slot_us THEN energy_nwh
    WHEN slot_us = first_slot_us THEN mul_div(energy_nwh, first_slot_us + 900000000 - lo_us, length_us)
    WHEN slot_us < last_slot_us THEN mul_div(energy_nwh, 900000000, length_us)
    ELSE energy_nwh
      - mul_div(energy_nwh, first_slot_us + 900000000 - lo_us, length_us)
      - CAST(round((last_slot_us - first_slot_us) / 900000000 - 1) AS BIGINT) * mul_div(energy_nwh, 900000000, length_us)
  END AS energy_nwh,
  CASE
    WHEN is_reported OR length_us <= max_gap_us
      THEN least(hi_us, slot_us + 900000000) - greatest(lo_us, slot_us)
    ELSE 0
  END AS covered_us
FROM parts
