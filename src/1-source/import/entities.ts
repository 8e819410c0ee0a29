/** Files of Home Assistant: a history as CSV, the recorder's database. */
import { basename } from 'node:path'
import { DEFAULT_TENANT } from '../../reading.ts'
import { timeColumns, type Sample } from './columns.ts'
import type { SourceFile } from './files.ts'
import {
  entityMessage,
  siblings,
  stateFields,
  understandEntity,
  type Understanding,
} from './home-assistant.ts'
import { fromPath, notTelemetry } from './options.ts'
import { openRecorder } from './recorder.ts'
import type { RowReader } from './table.ts'
import { EventTimes, isoTime } from './times.ts'
import { digestOf, type UnderstandOptions, type Understood } from './understood.ts'

/** A history as CSV: `entity_id,state,last_changed`. */
export async function history(
  file: SourceFile,
  sample: Sample,
  rows: Understood['rows'],
  options: UnderstandOptions,
): Promise<Understood> {
  const column = (name: string): number => sample.names.findIndex((given) => given.toLowerCase() === name)
  const [entity, state] = [column('entity_id'), column('state')]
  const changed = column('last_changed') >= 0 ? column('last_changed') : timeColumns(sample, options)[0]!
  const ids = new Set<string>()
  for await (const row of rows()) if (!('reason' in row)) ids.add(String(row.cells[entity] ?? '').trim())
  ids.delete('')
  const entities = new Map([...ids].toSorted().map((id) => [id, understandEntity({ id }, options)]))
  refuseUnclear(file, entities)
  const tenant = options.tenant === undefined ? undefined : fromPath('tenant', options.tenant, file.path)
  const type = options.type === undefined ? undefined : fromPath('type', options.type, file.path)
  const source = basename(file.path)
  const reader = (): RowReader => {
    const times = new EventTimes({ zone: options.zone, orders: {}, descending: false, midnightEnds: false })
    return ({ cells }) => {
      const id = String(cells[entity] ?? '').trim()
      const understanding = entities.get(id)
      if (!understanding) return { messages: [], badCells: 0, fault: 'no_device' }
      const fields = stateFields(cells[state], id, understanding)
      if (typeof fields === 'string') return { messages: [], badCells: 0, fault: fields }
      const time = times.read(String(cells[changed] ?? ''), id)
      if (!time) return { messages: [], badCells: 0, fault: 'no_time' }
      const form = {
        timestamp: isoTime(time.ms, time.fraction),
        source,
        tenant,
        type: type ?? understanding.deviceType,
      }
      return { messages: [{ index: 0, message: entityMessage(id, fields, form) }], badCells: 0 }
    }
  }
  return {
    file,
    ...entityFile(entities, tenant, 'a history of Home Assistant', [options.timeZone, type]),
    rows,
    reader,
  }
}

export function recorder(file: SourceFile, options: UnderstandOptions): Understood {
  const { entities, rows, reader } = openRecorder(file.path, options)
  refuseUnclear(file, entities)
  const tenant = options.tenant === undefined ? undefined : fromPath('tenant', options.tenant, file.path)
  const type = options.type === undefined ? undefined : fromPath('type', options.type, file.path)
  return {
    file,
    ...entityFile(entities, tenant, 'the recorder database of Home Assistant', [type]),
    async *rows(onShare) {
      yield* rows(onShare ?? (() => undefined))
    },
    reader: () => reader({ source: basename(file.path), type, tenant }),
  }
}

function entityFile(
  entities: ReadonlyMap<string, Understanding>,
  tenant: string | undefined,
  kind: string,
  understanding: readonly unknown[],
): Pick<Understood, 'digest' | 'device' | 'tenant' | 'width' | 'description' | 'notes' | 'devices'> {
  const solar = [...entities].filter(([, { deviceType }]) => deviceType === 'solar').map(([id]) => id)
  const pairs = siblings(entities)
  return {
    digest: digestOf([[...entities], tenant, ...understanding]),
    device: undefined,
    tenant: tenant ?? DEFAULT_TENANT,
    width: 2,
    description: [
      kind,
      ...[...entities].map(
        ([id, { quantity, unit, statisticsUnit }]) =>
          `${id}: ${quantity}${unit === undefined ? '' : ` in ${unit}`}${statisticsUnit === undefined ? '' : `, its statistics in ${statisticsUnit}`}`,
      ),
    ],
    notes: [
      ...pairs.map(
        ({ device, parent }) =>
          `${device} and ${parent} measure the same: the first is listed behind the second, so that the house counts it once.`,
      ),
      ...solar.map(
        (id) => `${id} is taken for a solar plant, which the consumption of the house leaves out.`,
      ),
    ],
    devices: pairs.map(({ device, parent }) => ({
      tenant_id: tenant ?? DEFAULT_TENANT,
      device_id: device,
      parent_device_id: parent,
    })),
  }
}

function refuseUnclear(file: SourceFile, entities: ReadonlyMap<string, Understanding>): void {
  const unclear = [...entities].filter(([, { isUnclear }]) => isUnclear).map(([id]) => id)
  if (unclear.length === 0) return
  throw notTelemetry(
    file.path,
    `the unit of the energy of ${unclear.slice(0, 3).join(', ')}${unclear.length > 3 ? ` and ${unclear.length - 3} others` : ''} stands nowhere in it`,
    'Say it: --unit kWh or --unit Wh, or --unit ENTITY=UNIT for one of them.',
  )
}
