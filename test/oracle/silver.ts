/** Silver's other columns: decision 0002, "Silver's other columns". */
import { accept, deviceKey, isLate } from './accept.ts'
import { channelEnergy } from './energy.ts'
import { HOUR_US, decimal, formatUs, parseUs, sum, toInteger, utcDate } from './exact.ts'
import { ruleOf, typeRatedPowerW } from './limits.ts'
import { groupBy, isAlert, isOffline } from './types.ts'
import type {
  Accepted,
  BronzeRow,
  DuplicateArrival,
  House,
  RejectedArrival,
  Row,
  SilverReading,
} from './types.ts'

export interface Silver {
  readings: SilverReading[]
  rejects: RejectedArrival[]
  duplicates: DuplicateArrival[]
  /** The same as rows of the tables; `reject_detail` is prose and left out. */
  tables: { 'silver.readings': Row[]; 'silver.rejects': Row[]; 'silver.duplicates': Row[] }
}

export function silver(bronze: readonly BronzeRow[], house: House): Silver {
  const { accepted, rejects, duplicates } = accept(bronze, house)
  const readings: SilverReading[] = []
  const rows: Row[] = []
  for (const device of groupBy(accepted, deviceKey).values()) {
    device.sort((a, b) => a.order - b.order)
    const offline = device.filter(isOffline)
    for (const channel of groupBy(device, (row) => row.channel).values()) {
      const energies = channelEnergy(channel, offline)
      channel.forEach((row, index) => {
        const energy = energies[index] as SilverReading['energy']
        const reading = { row, energy, qualityHundredths: qualityOf(row, house) }
        readings.push(reading)
        rows.push(readingRow(reading, channel, device, house))
      })
    }
  }
  return {
    readings,
    rejects,
    duplicates,
    tables: {
      'silver.readings': rows,
      'silver.rejects': rejects.map(rejectRow),
      'silver.duplicates': duplicates.map(duplicateRow),
    },
  }
}

function qualityOf(row: Accepted, house: House): bigint {
  const left = 100n - penalties(row, house).points
  return left < 0n ? 0n : left
}

function penalties(row: Accepted, house: House): { points: bigint; reasons: string[] } {
  const all: [string, bigint][] = []
  if (row.location === null) all.push(['unknown_location', 10n])
  if (row.manufacturer === null) all.push(['unknown_manufacturer', 10n])
  if (row.model === null) all.push(['unknown_model', 10n])
  if (row.temperature !== null && (row.temperature < 0 || row.temperature > 50))
    all.push(['temperature_unusual', 20n])
  const ratedW = row.entry?.rated_power_w ?? typeRatedPowerW(row.device_type)
  if (row.power_usage !== null && (row.power_usage > 5000 || (ratedW !== null && row.power_usage > ratedW)))
    all.push(['power_high', 20n])
  const found = all.flatMap(([rule, points]) => {
    const { on, points: weight } = ruleOf(house, rule, row.device_type)
    return on ? [{ rule, points: weight === null ? points : BigInt(weight) }] : []
  })
  return { points: sum(found.map(({ points }) => points)), reasons: found.map(({ rule }) => rule) }
}

function thresholdAlerts(row: Accepted, house: House): string[] {
  const limitOf = (rule: string, published: number): number | null => {
    const { on, limit } = ruleOf(house, rule, row.device_type)
    return on ? (limit ?? published) : null
  }
  const beyond = (value: number | null, limit: number | null, sign: number): boolean =>
    value !== null && limit !== null && sign * (value - limit) > 0
  return [
    ...(beyond(row.temperature, limitOf('high_temperature', 35), 1) ? ['high_temperature'] : []),
    ...(beyond(row.temperature, limitOf('low_temperature', 5), -1) ? ['low_temperature'] : []),
    ...(beyond(row.power_usage, limitOf('high_power', 3500), 1) ? ['high_power'] : []),
  ]
}

/** Mean of a field over the rows of (t − 1 h, t]: integer sum / count, then by 1000. */
function hourMean(
  row: Accepted,
  channel: readonly Accepted[],
  field: 'temperature' | 'power_usage',
): number | null {
  const values = lastHour(row, channel).flatMap((other) =>
    other[field] === null ? [] : [toInteger(other[field], 1000)],
  )
  return values.length === 0 ? null : Number(sum(values)) / values.length / 1000
}

const lastHour = (row: Accepted, rows: readonly Accepted[]): Accepted[] =>
  rows.filter((other) => other.at > row.at - HOUR_US && other.at <= row.at)

function deviceAgeDays(row: Accepted): number | null {
  const installed = row.installation_date
  if (installed === null) return null
  return (Date.parse(utcDate(row.at)) - Date.parse(installed)) / 86_400_000
}

function readingRow(
  { row, energy, qualityHundredths }: SilverReading,
  channel: readonly Accepted[],
  device: readonly Accepted[],
  house: House,
): Row {
  return {
    ...asReceived(row),
    quality_score: decimal(qualityHundredths * 10_000n, 6),
    quality_reasons: [...row.nulled, ...penalties(row, house).reasons, ...energy.reasons],
    is_valid: qualityHundredths >= 50n,
    processing_delay_hours: Number(row.arrivedAt - row.at) / 3.6e9,
    is_late_event: isLate(row, house),
    device_age_days: deviceAgeDays(row),
    temp_1h_avg: hourMean(row, channel, 'temperature'),
    power_1h_avg: hourMean(row, channel, 'power_usage'),
    alert_frequency_1h: lastHour(row, device).filter(isAlert).length,
    energy_efficiency:
      row.energy_consumption_wh !== null && row.power_usage !== null && row.power_usage > 0
        ? row.energy_consumption_wh / row.power_usage
        : null,
    energy_wh: energy.nwh === null ? null : decimal(energy.nwh, 9),
    energy_from: energy.from === null ? null : formatUs(energy.from),
    energy_to: energy.to === null ? null : formatUs(energy.to),
    energy_method: energy.method,
    threshold_alerts: thresholdAlerts(row, house),
    event_date: utcDate(row.at),
  }
}

function rejectRow({ arrival, reason, countedAt }: RejectedArrival): Row {
  return { ...asReceived(arrival), reject_reason: reason, counted_date: utcDate(countedAt) }
}

function duplicateRow({ arrival, of }: DuplicateArrival): Row {
  return {
    ingestion_time: formatUs(arrival.arrivedAt),
    stream_topic: arrival.stream_topic,
    stream_partition: arrival.stream_partition,
    stream_offset: arrival.stream_offset,
    stream_index: arrival.stream_index,
    tenant_id: arrival.tenant_id,
    device_id: arrival.device_id,
    channel: arrival.channel,
    timestamp: formatUs(arrival.at),
    of_stream_topic: of.stream_topic,
    of_stream_partition: of.stream_partition,
    of_stream_offset: of.stream_offset,
    of_stream_index: of.stream_index,
    event_date: utcDate(arrival.at),
  }
}

/** The columns of Bronze, but its partition. */
function asReceived(row: BronzeRow): Row {
  return {
    ingestion_time: formatUs(parseUs(row.ingestion_time)),
    stream_topic: row.stream_topic,
    stream_partition: row.stream_partition,
    stream_offset: row.stream_offset,
    stream_index: row.stream_index,
    tenant_id: row.tenant_id,
    device_id: row.device_id,
    channel: row.channel,
    timestamp: row.timestamp === null ? null : formatUs(parseUs(row.timestamp)),
    event_id: row.event_id,
    device_type: row.device_type,
    user_id: row.user_id,
    temperature: row.temperature,
    power_usage: row.power_usage,
    energy_consumption_wh: row.energy_consumption_wh,
    energy_total_wh: row.energy_total_wh,
    status: row.status,
    alert: row.alert,
    location: row.location,
    manufacturer: row.manufacturer,
    model: row.model,
    metrics: row.metrics,
    ingest_kind: row.ingest_kind,
    protocol: row.protocol,
    source_topic: row.source_topic,
    raw: row.raw,
    faults: row.faults,
  }
}
