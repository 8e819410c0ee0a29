-- Every arrival with its null rules applied and its first reject reason. Narrow: measured fields in integer units;
-- all else stays behind in arrivals, to be fetched by seq at the end. What few rows need stands in branches of CASE, which
-- are computed for these rows alone.
-- grain:  one row per row of arrivals
-- key:    seq
-- inputs: arrivals, channels, described, corrected, type_limits, constants
-- window: none
-- check candidate_is_placed: reject_reason IS NOT NULL OR (channel_no IS NOT NULL AND t_us IS NOT NULL)
-- check candidate_is_plausible: reject_reason IS NOT NULL OR plausible_mw > 0
WITH typed AS (
  SELECT
    a.seq, a.channel_no, a.device_no, a.ingestion_time, a.timestamp,
    CASE WHEN x.temperature_by IS NULL THEN a.temperature ELSE x.temperature END AS temperature,
    CASE WHEN x.power_by IS NULL THEN a.power_usage ELSE x.power_usage END AS power_usage,
    CASE WHEN x.reported_by IS NULL THEN a.energy_consumption_wh ELSE x.energy_consumption_wh END AS energy_consumption_wh,
    CASE WHEN x.counter_by IS NULL THEN a.energy_total_wh ELSE x.energy_total_wh END AS energy_total_wh,
    x.temperature_by IS NOT NULL AS temperature_corrected,
    x.power_by IS NOT NULL AS power_corrected,
    x.reported_by IS NOT NULL AS reported_corrected,
    x.counter_by IS NOT NULL AS counter_corrected,
    x.excluded_by, a.status, a.alert, a.faults,
    a.metrics, coalesce(filled(a.device_type), p.device_type, c.device_type) AS device_type,
    c.rated_power_w
  FROM arrivals a
  LEFT JOIN channels c ON c.channel_no = a.channel_no
  LEFT JOIN described p
    ON p.device_no = a.device_no AND unix_micros(a.timestamp) >= p.from_us AND unix_micros(a.timestamp) < p.to_us
  LEFT JOIN corrected x ON x.seq = a.seq
),
limited AS (
  SELECT
    e.*,
    coalesce(l.power_min_w, d.power_min_w) AS power_min_w,
    coalesce(l.power_max_w, d.power_max_w) AS power_max_w,
    coalesce(l.temperature_min_c, d.temperature_min_c) AS temperature_min_c,
    coalesce(l.temperature_max_c, d.temperature_max_c) AS temperature_max_c,
    coalesce(l.sentinel, d.sentinel) AS sentinel,
    coalesce(l.power_up_sentinel, d.power_up_sentinel) AS power_up_sentinel,
    coalesce(l.negative_energy, d.negative_energy) AS negative_energy,
    coalesce(l.points_power, d.points_power) AS points_power,
    coalesce(l.plausible_w, d.plausible_w) AS plausible_w,
    l.rated_power_w AS type_rated_power_w
  FROM typed e
  CROSS JOIN (SELECT * FROM type_limits WHERE device_type = '*') d
  LEFT JOIN type_limits l ON l.device_type = e.device_type
),
-- The rule that nulls each measured field, or that a person has said what counts instead; a comparison with NaN or an infinity holds, so that they are found.
nulled AS (
  SELECT
    x.*,
    CASE
      WHEN x.temperature_corrected THEN 'corrected'
      WHEN x.faults IS NOT NULL AND array_contains(x.faults, 'temperature') OR abs(x.temperature) > 1e300 THEN 'not_a_number'
      WHEN x.temperature IN (k.sentinel_int16, k.sentinel_int32, k.sentinel_uint32, k.sentinel_probe_open_c, k.sentinel_probe_top_c)
        AND x.sentinel THEN 'sentinel'
      WHEN x.temperature IN (k.power_up_high_c, k.power_up_low_c) AND x.power_up_sentinel
        AND x.metrics['uptime_s'] <= k.power_up_s THEN 'power_up'
    END AS temperature_rule,
    CASE
      WHEN x.power_corrected THEN 'corrected'
      WHEN x.faults IS NOT NULL AND array_contains(x.faults, 'power_usage') OR abs(x.power_usage) > 1e300 THEN 'not_a_number'
      WHEN x.power_usage IN (k.sentinel_int32, k.sentinel_uint32) AND x.sentinel THEN 'sentinel'
    END AS power_rule,
    CASE
      WHEN x.reported_corrected THEN 'corrected'
      WHEN x.faults IS NOT NULL AND array_contains(x.faults, 'energy_consumption_wh') OR abs(x.energy_consumption_wh) > 1e300 THEN 'not_a_number'
      WHEN x.energy_consumption_wh IN (k.sentinel_int32, k.sentinel_uint32) AND x.sentinel THEN 'sentinel'
      WHEN abs(x.energy_consumption_wh) >= k.reported_limit_wh THEN 'too_large'
    END AS reported_rule,
    CASE
      WHEN x.counter_corrected THEN 'corrected'
      WHEN x.faults IS NOT NULL AND array_contains(x.faults, 'energy_total_wh') OR abs(x.energy_total_wh) > 1e300 THEN 'not_a_number'
      WHEN x.energy_total_wh IN (k.sentinel_int32, k.sentinel_uint32) AND x.sentinel THEN 'sentinel'
      WHEN abs(x.energy_total_wh) >= k.counter_limit_wh THEN 'too_large'
    END AS counter_rule
  FROM limited x
  CROSS JOIN constants k
),
kept AS (
  SELECT
    seq, channel_no, device_no, ingestion_time, excluded_by, unix_micros(timestamp) AS t_us,
    CASE WHEN coalesce(temperature_rule, 'corrected') = 'corrected' THEN temperature END AS temperature,
    CASE WHEN coalesce(power_rule, 'corrected') = 'corrected' THEN power_usage END AS power_usage,
    CASE WHEN coalesce(reported_rule, 'corrected') = 'corrected' THEN energy_consumption_wh END AS energy_consumption_wh,
    CASE WHEN coalesce(counter_rule, 'corrected') = 'corrected' THEN energy_total_wh END AS energy_total_wh,
    coalesce(status = 'offline', false) AS offline,
    coalesce(filled(alert) <> 'none', false) AS has_alert,
    CASE WHEN faults IS NOT NULL THEN array_contains(faults, 'not_json') OR array_contains(faults, 'not_object') END AS is_not_json,
    CASE
      WHEN coalesce(temperature_rule, power_rule, reported_rule, counter_rule) IS NULL THEN ''
      ELSE concat_ws(' ',
        temperature_rule || ':temperature',
        power_rule || ':power_usage',
        reported_rule || ':energy_consumption_wh',
        counter_rule || ':energy_total_wh')
    END AS null_reasons,
    CASE
      WHEN coalesce(temperature, power_usage, energy_consumption_wh, energy_total_wh) IS NOT NULL THEN false
      ELSE coalesce(temperature_rule, power_rule, reported_rule, counter_rule, filled(status), filled(alert)) IS NULL
        AND NOT coalesce(cardinality(metrics) > 0, false)
    END AS is_empty,
    power_min_w, power_max_w, temperature_min_c, temperature_max_c, negative_energy, points_power,
    coalesce(rated_power_w, type_rated_power_w) AS rated_power_w,
    CAST(round(coalesce(rated_power_w, plausible_w) * 1000) AS BIGINT) AS plausible_mw
  FROM nulled
),
judged AS (
  SELECT
    x.*,
    points_power >= 0 AND coalesce(x.power_usage > k.usual_power_max_w OR x.power_usage > x.rated_power_w, false) AS power_is_high,
    CASE
      WHEN is_not_json THEN 'not_json'
      WHEN channel_no IS NULL THEN 'missing_device_id'
      WHEN t_us IS NULL THEN 'missing_timestamp'
      WHEN t_us < k.earliest_event_us THEN 'before_2000'
      WHEN t_us > unix_micros(ingestion_time) + k.ahead_limit_us THEN 'in_future'
      WHEN is_empty THEN 'empty'
      WHEN temperature NOT BETWEEN temperature_min_c AND temperature_max_c THEN 'temperature_out_of_range'
      WHEN power_usage NOT BETWEEN power_min_w AND power_max_w THEN 'power_out_of_range'
      WHEN energy_consumption_wh < 0 AND negative_energy THEN 'negative_energy'
      WHEN excluded_by IS NOT NULL THEN 'excluded'
    END AS reject_reason
  FROM kept x
  CROSS JOIN constants k
)
-- A value outside its limits may not fit an integer, so rejected arrivals have none.
SELECT
  seq, channel_no, device_no, t_us,
  CASE WHEN reject_reason IS NULL THEN CAST(round(temperature * 1e3) AS BIGINT) END AS temperature_mc,
  CASE WHEN reject_reason IS NULL THEN CAST(round(power_usage * 1e3) AS BIGINT) END AS power_mw,
  CASE WHEN reject_reason IS NULL THEN CAST(round(energy_consumption_wh * 1e9) AS BIGINT) END AS reported_nwh,
  CASE WHEN reject_reason IS NULL THEN CAST(round(energy_total_wh * 1e6) AS BIGINT) END AS counter_uwh,
  has_alert, offline, power_is_high, plausible_mw, null_reasons, reject_reason
FROM judged
