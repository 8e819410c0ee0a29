/** Bronze rows written by hand, for the tests of the oracle and the kept cases. */
import { formatUs, parseUs } from './exact.ts'
import type { BronzeRow, CatalogueEntry, House, Tariff } from './types.ts'

/** One arrival per entry, in this order; each arrives a second after its event time unless it says otherwise. */
export function arrivals(...given: (Partial<BronzeRow> & { timestamp: string | null })[]): BronzeRow[] {
  return given.map((fields, offset) => {
    const at = fields.timestamp === null ? '2024-06-01T00:00:00Z' : fields.timestamp
    return {
      ingestion_time: formatUs(parseUs(at) + 1_000_000n),
      stream_topic: 't',
      stream_partition: 0,
      stream_offset: offset,
      stream_index: 0,
      tenant_id: 'home',
      device_id: 'd',
      channel: '',
      event_id: null,
      device_type: 'smart_plug',
      user_id: 'u',
      temperature: null,
      power_usage: null,
      energy_consumption_wh: null,
      energy_total_wh: null,
      status: null,
      alert: null,
      location: 'kitchen',
      manufacturer: 'm',
      model: 'x',
      metrics: null,
      ingest_kind: 'live',
      protocol: null,
      source_topic: null,
      raw: null,
      faults: null,
      ...fields,
    }
  })
}

export function catalogued(fields: Partial<CatalogueEntry> = {}): CatalogueEntry {
  return {
    tenant_id: 'home',
    device_id: 'd',
    device_type: null,
    user_id: null,
    location: null,
    installation_date: null,
    manufacturer: null,
    model: null,
    rated_power_w: null,
    expected_interval_s: null,
    energy_source: null,
    parent_device_id: null,
    ...fields,
  }
}

/** $0.12 per kWh for everybody, always. */
export const DEFAULT_TARIFF: Tariff = {
  tariff_version: 1,
  tenant_id: null,
  user_id: null,
  valid_from: '1970-01-01',
  valid_to: null,
  band: 'flat',
  weekdays: '1234567',
  hour_from: 0,
  hour_to: 24,
  season_from: null,
  season_to: null,
  energy_rate_kwh: '0.120000000',
  base_charge_month: '15.000000000',
  currency: 'USD',
}

export function house(fields: Partial<House> = {}): House {
  return { catalogue: [], tariffs: [DEFAULT_TARIFF], timeZone: 'UTC', lateWatermarkHours: 48, ...fields }
}
