-- How often a channel reports on a day, where the catalogue does not say: the lower median of the differences between
-- its consecutive distinct event times, at least a second. An intermediate step of the Gold tables.
-- grain: one channel, one local day with three distinct event times
-- key: tenant_id, device_id, date, channel
-- inputs: day_times, catalogue
-- window: one channel of one local day
SELECT
  t.tenant_id, t.device_id, t.date, t.channel,
  CAST(greatest(percentile_disc(0.5) WITHIN GROUP (ORDER BY t.t_us - t.channel_previous_us), 1000000) AS BIGINT) AS median_us
FROM day_times t
LEFT JOIN catalogue c ON c.tenant_id = t.tenant_id AND c.device_id = t.device_id
WHERE t.channel_previous_us >= t.day_start_us AND t.t_us > t.channel_previous_us AND c.expected_interval_s IS NULL
GROUP BY t.tenant_id, t.device_id, t.date, t.channel
HAVING count(*) >= 2
