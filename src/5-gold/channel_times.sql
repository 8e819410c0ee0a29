-- Event times of one channel in one quarter-hour, set against the channel's median of the day: enough to see whether
-- that median still holds when rows come. Only where the catalogue gives no interval. A step of the Gold tables.
-- grain: one channel, one quarter-hour with a reading
-- key: tenant_id, device_id, date, channel, slot_us
-- inputs: day_times, channel_medians, catalogue
-- window: one channel of one local day
-- check differences_within_slot: below + equal <= differences
WITH times AS (
  SELECT
    t.tenant_id, t.device_id, t.date, t.channel, t.slot_us, t.t_us, m.median_us,
    CASE WHEN t.channel_previous_us >= t.slot_us AND t.t_us > t.channel_previous_us
      THEN greatest(t.t_us - t.channel_previous_us, 1000000) END AS difference_us
  FROM day_times t
  LEFT JOIN catalogue c ON c.tenant_id = t.tenant_id AND c.device_id = t.device_id
  LEFT JOIN channel_medians m
    ON m.tenant_id = t.tenant_id AND m.device_id = t.device_id AND m.date = t.date AND m.channel = t.channel
  WHERE c.expected_interval_s IS NULL
)
SELECT
  tenant_id, device_id, date, channel, slot_us,
  min(t_us) AS first_us,
  max(t_us) AS last_us,
  count(difference_us) AS differences,
  count(CASE WHEN difference_us < median_us THEN 1 END) AS below,
  count(CASE WHEN difference_us = median_us THEN 1 END) AS equal
FROM times
GROUP BY tenant_id, device_id, date, channel, slot_us
