-- What the catalogue says of a device from when to when, where it says that at all.
-- grain:  one row per device and period
-- key:    device_no, from_us
-- inputs: numbers, periods (rows of reference.catalogue_periods)
-- window: none
-- check period_forward: from_us < to_us
SELECT DISTINCT
  n.device_no,
  unix_micros(p.valid_from) AS from_us,
  coalesce(unix_micros(p.valid_to), 9000000000000000) AS to_us,
  p.device_type, p.user_id, p.location, p.manufacturer, p.model, p.installation_date
FROM periods p
JOIN numbers n ON n.device_id = p.device_id AND n.tenant_id = p.tenant_id
