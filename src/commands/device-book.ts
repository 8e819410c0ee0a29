/** The devices' book for the server: the registry of what was heard, and what people say, written as a new version of the catalogue. */
import { stringify } from 'yaml'
import { shownOf, shownPresence } from '../1-source/registry/shown.ts'
import type { KnownDevice } from '../1-source/registry/registry.ts'
import type { DeviceBook } from '../6-serve/device-book.ts'
import { openDevices, type Settings, type Warehouse } from '../main.ts'
import { emptyNote, merge, type DeviceNote } from '../reference/devices.ts'
import { readCatalogue, readDeviceNotes, writeDeviceNotes } from '../reference/sync.ts'
import { recordDevices } from '../run/reference.ts'

/** The registry is another process's: it is looked at this often, ms. */
const LOOK_EVERY_MS = 2_000

export async function openDeviceBook(
  settings: Settings,
  warehouse: Warehouse,
): Promise<DeviceBook & { close(): void }> {
  const registry = await openDevices(settings)
  const { offline_s: silentAfterS } = settings.config.alerts
  let seen: { atMs: number; devices: readonly KnownDevice[] } | undefined
  // One change after the other: each is written onto what the one before has said.
  let turn: Promise<unknown> = Promise.resolve()

  return {
    heard: () => {
      const nowMs = Date.now()
      if (!seen || nowMs - seen.atMs >= LOOK_EVERY_MS) seen = { atMs: nowMs, devices: registry.devices() }
      return seen.devices.map((device) => ({
        tenant_id: device.tenant_id,
        device_id: device.device_id,
        presence: (expectedIntervalS) =>
          shownPresence(device, { nowMs: Date.now(), silentAfterS, expectedIntervalS }),
        ...shownOf(device),
      }))
    },
    unread: () =>
      registry.unknown().map(({ proposal, firstMs, lastMs, ...message }) => ({
        ...message,
        first_seen: new Date(firstMs).toISOString(),
        last_seen: new Date(lastMs).toISOString(),
        proposal: proposal === null ? null : asMapping(proposal),
      })),
    change: (tenant, { device, ...change }) => {
      const changed = turn.then(async () => {
        const { lake, engine } = warehouse
        await writeDeviceNotes(
          lake,
          engine,
          apply(await readDeviceNotes(lake, engine), tenant, device, change),
        )
        await recordDevices(settings, warehouse, (line) => process.stderr.write(`${line}\n`))
        return (await readCatalogue(lake, engine)).version
      })
      turn = changed.catch(() => undefined)
      return changed
    },
    close: () => registry.close(),
  }
}

/** Notes with what is said now; of a merge also those that it concerns. */
export function apply(
  notes: readonly DeviceNote[],
  tenant: string,
  device: string,
  { merged_into, ...change }: Partial<Omit<DeviceNote, 'tenant_id' | 'device_id'>>,
): DeviceNote[] {
  const merged =
    merged_into === undefined || merged_into === null ? [...notes] : merge(notes, tenant, device, merged_into)
  const isIt = (note: DeviceNote): boolean => note.tenant_id === tenant && note.device_id === device
  const before = merged.find(isIt) ?? emptyNote(tenant, device)
  const now = { ...before, ...change, ...(merged_into === null && { merged_into }) }
  return [...merged.filter((note) => !isIt(note)), now]
}

/** As it stands under `sources.mappings`. */
function asMapping(proposal: string): string {
  const { mapping } = JSON.parse(proposal) as { mapping: unknown }
  return stringify([mapping], { lineWidth: 100 }).trimEnd()
}
