-- Every row with power, as a hold: from when, at what power, and what ends it before the next one does.
-- grain:  one row per row of methods with p
-- key:    channel_no, p_no
-- inputs: methods, channels
-- window: one device that has been offline, in row order (an `offline` on any channel ends the hold)
-- check hold_begins: t_us IS NOT NULL AND p_mw IS NOT NULL
WITH placed AS (
  SELECT h.device_no, m.channel_no, m.t_us, m.seq, m.p_no, m.p, m.offline
  FROM methods m
  JOIN channels h ON h.channel_no = m.channel_no
  WHERE m.p IS NOT NULL OR m.offline
),
ends AS (
  SELECT
    m.channel_no, m.p_no, m.p,
    min(CASE WHEN m.offline THEN m.t_us END) OVER (
      PARTITION BY m.device_no ORDER BY m.t_us DESC, m.seq DESC
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS offline_us
  FROM placed m
  JOIN (SELECT DISTINCT device_no FROM placed WHERE offline) d ON d.device_no = m.device_no
)
SELECT
  m.channel_no, m.p_no, m.t_us, m.p AS p_mw, m.reported_spans, m.hold_dropped,
  coalesce(m.held_until_us, e.offline_us) AS held_until_us
FROM methods m
LEFT JOIN ends e ON e.channel_no = m.channel_no AND e.p_no = m.p_no AND e.p IS NOT NULL
WHERE m.p IS NOT NULL
