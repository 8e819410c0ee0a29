/**
 * Home Assistant's history: entities, their states and when those changed. Every entity is a device, named as live data
 * of the integration `mqtt_statestream` names it. What is measured stands in the entity's device class or in its name.
 */
import { isQuantity, putNamed, splitName } from '../decoders/quantities.ts'
import { putMetric, type Measures } from '../decoders/draft.ts'
import { slug, switchOf } from '../decoders/values.ts'
import { DEFAULT_TENANT } from '../../reading.ts'
import { unitSuffix } from '../../units.ts'
import type { StreamMessage } from '../source.ts'
import { kindOf, matchesName, unitOptions, type MappingOptions } from './options.ts'
import { isMissing, parseNumber } from './values.ts'

export const PROTOCOL = 'homeassistant'

/** An entity and what is known of it. */
export interface Entity {
  id: string
  unit?: string | undefined
  /** `device_class`, for example `energy`. */
  deviceClass?: string | undefined
  /** `state_class`, for example `total_increasing`. */
  stateClass?: string | undefined
}

/** What an entity's states are taken for. */
export interface Understanding {
  quantity: string
  unit: string | undefined
  /** Of its long-term statistics, where it is another one. */
  statisticsUnit?: string | undefined
  /** Energy that no unit is known of: 1 and 1,000 are equally likely. */
  isUnclear: boolean
  deviceType?: 'solar'
}

/** The quantity by device class, else by name; the unit as given, by a person or by the entity. */
export function understandEntity(
  { id, unit, deviceClass, stateClass }: Entity,
  options: MappingOptions,
): Understanding {
  const object = id.slice(id.indexOf('.') + 1)
  const { quantity: inName } = splitName(object)
  const known = deviceClass !== undefined && isQuantity(deviceClass) ? deviceClass : undefined
  const isCounter = stateClass === undefined || stateClass.startsWith('total')
  const quantity = known === 'energy' && !isCounter ? 'energy' : (known ?? (inName === '' ? object : inName))
  const units = unitOptions(options)
  const own = units.find(
    ({ of }) => of !== undefined && (matchesName(of, id) || of === quantity || of === fieldOf(quantity)),
  )
  const kind = kindOf(fieldOf(quantity) ?? '')
  const all = units.find(
    (given) => given.of === undefined && kind !== undefined && unitSuffix(given.unit) === kind,
  )
  const given = own?.unit ?? unit ?? all?.unit
  const isEnergy = fieldOf(quantity) === 'energy_total_wh' || /energy/.test(quantity)
  return {
    quantity,
    unit: given,
    isUnclear: isEnergy && given === undefined,
    ...(isFlow(quantity) &&
      /(?:^|_)(?:solar|pv|photovoltaic)(?:_|$)/.test(slug(object)) && { deviceType: 'solar' }),
  }
}

function fieldOf(quantity: string): string | undefined {
  const measures: Measures = { metrics: {} }
  putNamed(measures, quantity, 1, /energy/.test(quantity) ? 'Wh' : undefined)
  return Object.keys(measures).find((name) => name !== 'metrics')
}

const isFlow = (quantity: string): boolean =>
  ['power_usage', 'energy_total_wh'].includes(fieldOf(quantity) ?? '')

/** A state as fields of a reading; why not, where it is none. */
export function stateFields(
  state: unknown,
  entity: string,
  { quantity, unit }: Understanding,
): Partial<Measures> | 'no_value' | 'bad_number' {
  if (isMissing(state)) return 'no_value'
  const measures: Measures = { metrics: {} }
  const number = parseNumber(state)
  if (number !== undefined) {
    if (isQuantity(quantity)) putNamed(measures, quantity, number, unit)
    else putNamed(measures, slug(quantity), number, unit)
  } else {
    const object = entity.slice(entity.indexOf('.') + 1)
    const on = switchOf(state)
    if (on === undefined) return 'bad_number'
    putMetric(measures, entity.startsWith('binary_sensor.') ? slug(object) : 'on', on)
  }
  const { metrics, ...fields } = measures
  return { ...fields, ...(Object.keys(metrics).length > 0 && { metrics }) }
}

/** A message of an entity. @param timestamp ISO 8601 in UTC */
export function entityMessage(
  entity: string,
  fields: object,
  {
    timestamp,
    source,
    type,
    tenant,
  }: { timestamp: string; source: string; type: string | undefined; tenant: string | undefined },
): StreamMessage {
  const reading = {
    protocol: PROTOCOL,
    source_topic: source,
    ...fields,
    device_id: entity,
    ...(type !== undefined && { device_type: type }),
    timestamp,
    ...(tenant !== undefined && tenant !== DEFAULT_TENANT && { tenant_id: tenant }),
    ingest_kind: 'backfill',
  }
  const key = tenant === undefined || tenant === DEFAULT_TENANT ? entity : `${tenant}/${entity}`
  return { key, value: Buffer.from(JSON.stringify(reading)) }
}

/**
 * Entities that measure the same flow, as power and as energy: the first lies behind the second, so that the house counts
 * it once. Only where each name stands for one of either.
 */
export function siblings(entities: ReadonlyMap<string, Understanding>): { device: string; parent: string }[] {
  const flows = new Map<string, { powers: string[]; energies: string[] }>()
  for (const [id, { quantity }] of entities) {
    const { endpoint } = splitName(id.slice(id.indexOf('.') + 1))
    const field = fieldOf(quantity)
    const flow = flows.get(endpoint) ?? { powers: [], energies: [] }
    flows.set(endpoint, flow)
    if (field === 'power_usage') flow.powers.push(id)
    if (field === 'energy_total_wh') flow.energies.push(id)
  }
  return [...flows.values()].flatMap(({ powers, energies }) =>
    powers.length === 1 && energies.length === 1 ? [{ device: powers[0]!, parent: energies[0]! }] : [],
  )
}
