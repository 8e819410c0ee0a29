-- Every arrival, enriched from the catalogue, with its null rules applied and its first reject reason. Columns that no
-- rule looks at stay behind in arrivals, to be fetched by position at the end.
-- grain:  one row per row of arrivals
-- key:    seq
-- inputs: arrivals (rows of bronze.telemetry), catalogue, type_limits, constants
-- window: none; seq numbers the arrivals in the order of their positions
-- checks: not null seq, tenant_id, channel
WITH numbered AS (
  SELECT
    stream_topic, stream_partition, stream_offset, stream_index,
    row_number() OVER (
      ORDER BY ingestion_time, stream_topic, stream_partition, stream_offset, stream_index
    ) AS seq
  FROM arrivals
),
enriched AS (
  SELECT
    n.seq,
    a.ingestion_time, a.stream_topic, a.stream_partition, a.stream_offset, a.stream_index,
    CASE WHEN trim(a.tenant_id) <> '' THEN a.tenant_id ELSE 'home' END AS tenant_id,
    CASE WHEN trim(a.device_id) <> '' THEN a.device_id END AS device_id,
    coalesce(a.channel, '') AS channel,
    a.timestamp,
    CASE WHEN trim(a.event_id) <> '' THEN a.event_id END AS event_id,
    CASE WHEN trim(a.device_type) <> '' THEN a.device_type ELSE c.device_type END AS device_type,
    CASE WHEN trim(a.user_id) <> '' THEN a.user_id ELSE c.user_id END AS user_id,
    a.temperature, a.power_usage, a.energy_consumption_wh, a.energy_total_wh,
    CASE WHEN trim(a.status) <> '' THEN a.status END AS status,
    CASE WHEN trim(a.alert) <> '' THEN a.alert END AS alert,
    CASE WHEN trim(a.location) <> '' THEN a.location ELSE c.location END AS location,
    CASE WHEN trim(a.manufacturer) <> '' THEN a.manufacturer ELSE c.manufacturer END AS manufacturer,
    CASE WHEN trim(a.model) <> '' THEN a.model ELSE c.model END AS model,
    coalesce(cardinality(a.metrics) > 0, false) AS has_metrics,
    a.metrics['uptime_s'] AS uptime_s,
    coalesce(a.ingest_kind, 'live') AS ingest_kind,
    a.faults,
    c.installation_date, c.rated_power_w, c.expected_interval_s, c.energy_source
  FROM arrivals a
  JOIN numbered n
    ON n.stream_offset = a.stream_offset AND n.stream_index = a.stream_index
    AND n.stream_partition = a.stream_partition AND n.stream_topic = a.stream_topic
  LEFT JOIN catalogue c
    ON c.device_id = a.device_id AND c.tenant_id = CASE WHEN trim(a.tenant_id) <> '' THEN a.tenant_id ELSE 'home' END
),
limited AS (
  SELECT
    e.*,
    coalesce(l.power_min_w, d.power_min_w) AS power_min_w,
    coalesce(l.power_max_w, d.power_max_w) AS power_max_w,
    coalesce(l.temperature_min_c, d.temperature_min_c) AS temperature_min_c,
    coalesce(l.temperature_max_c, d.temperature_max_c) AS temperature_max_c,
    coalesce(l.power_up_sentinel, d.power_up_sentinel) AS power_up_sentinel,
    l.rated_power_w AS type_rated_power_w
  FROM enriched e
  CROSS JOIN (SELECT * FROM type_limits WHERE device_type = '*') d
  LEFT JOIN type_limits l ON l.device_type = e.device_type
),
-- The rule that nulls each measured field; a comparison with NaN or an infinity holds, so that they are found.
nulled AS (
  SELECT
    x.*,
    CASE
      WHEN array_contains(x.faults, 'temperature') OR abs(x.temperature) > 1e300 THEN 'not_a_number'
      WHEN x.temperature IN (k.sentinel_int16, k.sentinel_int32, k.sentinel_uint32, k.sentinel_probe_open_c, k.sentinel_probe_top_c) THEN 'sentinel'
      WHEN x.temperature IN (k.power_up_high_c, k.power_up_low_c) AND x.power_up_sentinel
        AND x.uptime_s <= k.power_up_s THEN 'power_up'
    END AS temperature_rule,
    CASE
      WHEN array_contains(x.faults, 'power_usage') OR abs(x.power_usage) > 1e300 THEN 'not_a_number'
      WHEN x.power_usage IN (k.sentinel_int32, k.sentinel_uint32) THEN 'sentinel'
    END AS power_rule,
    CASE
      WHEN array_contains(x.faults, 'energy_consumption_wh') OR abs(x.energy_consumption_wh) > 1e300 THEN 'not_a_number'
      WHEN x.energy_consumption_wh IN (k.sentinel_int32, k.sentinel_uint32) THEN 'sentinel'
      WHEN abs(x.energy_consumption_wh) >= k.reported_limit_wh THEN 'too_large'
    END AS reported_rule,
    CASE
      WHEN array_contains(x.faults, 'energy_total_wh') OR abs(x.energy_total_wh) > 1e300 THEN 'not_a_number'
      WHEN x.energy_total_wh IN (k.sentinel_int32, k.sentinel_uint32) THEN 'sentinel'
      WHEN abs(x.energy_total_wh) >= k.counter_limit_wh THEN 'too_large'
    END AS counter_rule
  FROM limited x
  CROSS JOIN constants k
),
kept AS (
  SELECT
    seq, ingestion_time, stream_topic, stream_partition, stream_offset, stream_index,
    tenant_id, device_id, channel, timestamp, event_id, device_type, user_id,
    CASE WHEN temperature_rule IS NULL THEN temperature END AS temperature,
    CASE WHEN power_rule IS NULL THEN power_usage END AS power_usage,
    CASE WHEN reported_rule IS NULL THEN energy_consumption_wh END AS energy_consumption_wh,
    CASE WHEN counter_rule IS NULL THEN energy_total_wh END AS energy_total_wh,
    status, alert, location, manufacturer, model, has_metrics, ingest_kind,
    unix_micros(timestamp) AS t_us,
    array_contains(faults, 'not_json') OR array_contains(faults, 'not_object') AS is_not_json,
    concat_ws(' ',
      temperature_rule || ':temperature',
      power_rule || ':power_usage',
      reported_rule || ':energy_consumption_wh',
      counter_rule || ':energy_total_wh'
    ) AS null_reasons,
    temperature IS NULL AND power_usage IS NULL AND energy_consumption_wh IS NULL AND energy_total_wh IS NULL
      AND temperature_rule IS NULL AND power_rule IS NULL AND reported_rule IS NULL AND counter_rule IS NULL
      AND status IS NULL AND alert IS NULL AND NOT has_metrics AS is_empty,
    power_min_w, power_max_w, temperature_min_c, temperature_max_c,
    installation_date, energy_source,
    coalesce(rated_power_w, type_rated_power_w) AS rated_power_w,
    CAST(round(coalesce(rated_power_w, greatest(power_max_w, k.plausible_floor_w)) * 1000) AS BIGINT) AS plausible_mw,
    CAST(greatest(k.gap_floor_us, k.gap_intervals * coalesce(CAST(round(expected_interval_s * 1e6) AS BIGINT), 0)) AS BIGINT) AS max_gap_us
  FROM nulled
  CROSS JOIN constants k
)
SELECT
  x.*,
  CASE
    WHEN is_not_json THEN 'not_json'
    WHEN device_id IS NULL THEN 'missing_device_id'
    WHEN timestamp IS NULL THEN 'missing_timestamp'
    WHEN t_us < k.earliest_event_us THEN 'before_2000'
    WHEN t_us > unix_micros(ingestion_time) + k.ahead_limit_us THEN 'in_future'
    WHEN is_empty THEN 'empty'
    WHEN temperature NOT BETWEEN temperature_min_c AND temperature_max_c THEN 'temperature_out_of_range'
    WHEN power_usage NOT BETWEEN power_min_w AND power_max_w THEN 'power_out_of_range'
    WHEN energy_consumption_wh < 0 THEN 'negative_energy'
  END AS reject_reason
FROM kept x
CROSS JOIN constants k
