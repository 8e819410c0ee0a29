-- The accepted rows, each with the fields that it keeps, in integer units.
-- grain:  one row per candidate that is neither a conflict nor a duplicate
-- key:    seq
-- inputs: candidates, resolved
-- window: none
-- checks: not null seq, tenant_id, device_id, channel, t_us, max_gap_us, plausible_mw
WITH kept AS (
  SELECT
    c.seq, c.ingestion_time, c.stream_topic, c.stream_partition, c.stream_offset, c.stream_index,
    c.tenant_id, c.device_id, c.channel, c.timestamp, c.event_id, c.device_type, c.user_id,
    CASE WHEN coalesce(r.keeps_temperature, true) THEN c.temperature END AS temperature,
    CASE WHEN coalesce(r.keeps_power, true) THEN c.power_usage END AS power_usage,
    CASE WHEN coalesce(r.keeps_reported, true) THEN c.energy_consumption_wh END AS energy_consumption_wh,
    CASE WHEN coalesce(r.keeps_counter, true) THEN c.energy_total_wh END AS energy_total_wh,
    CASE WHEN coalesce(r.keeps_status, true) THEN c.status END AS status,
    CASE WHEN coalesce(r.keeps_alert, true) THEN c.alert END AS alert,
    c.location, c.manufacturer, c.model,
    c.has_metrics AND coalesce(r.keeps_metrics, true) AS keeps_metrics,
    c.ingest_kind,
    c.t_us, c.null_reasons, c.installation_date, c.energy_source, c.rated_power_w, c.plausible_mw, c.max_gap_us
  FROM candidates c
  LEFT JOIN resolved r ON r.seq = c.seq
  WHERE coalesce(r.outcome, 'row') = 'row'
)
SELECT
  x.*,
  CAST(round(temperature * 1e3) AS BIGINT) AS temperature_mc,
  CAST(round(power_usage * 1e3) AS BIGINT) AS power_mw,
  CAST(round(energy_consumption_wh * 1e9) AS BIGINT) AS reported_nwh,
  CAST(round(energy_total_wh * 1e6) AS BIGINT) AS counter_uwh,
  coalesce(alert <> 'none', false) AS has_alert
FROM kept x
