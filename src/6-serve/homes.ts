/** The homes of the platform, and which one to open. */
import { DEFAULT_TENANT, DEMO_TENANT } from '../reading.ts'
import type { Homes } from './contract.ts'
import { homeIn, type Directory } from './directory.ts'
import type { Live } from './live.ts'

/** The person's own home and the simulated one where it is on, and every other that has a device or a reading. */
export function homesOf(directory: Directory, live: Live | null, demo: boolean): Homes {
  const names = new Set([
    DEFAULT_TENANT,
    ...(demo ? [DEMO_TENANT] : []),
    ...directory.homes.keys(),
    ...(live?.homes().keys() ?? []),
  ])
  const homes = [...names].map((tenant) => {
    const known = homeIn(directory, tenant)
    const heard = live?.home(tenant)
    return {
      tenant,
      simulated: tenant === DEMO_TENANT,
      has_data: known.hasData || heard !== undefined,
      devices: new Set([...known.devices, ...(heard?.devices() ?? [])]).size,
      last_reading_at: heard ? new Date(heard.newestMs).toISOString() : null,
    }
  })
  const ordered = homes.toSorted(
    (a, b) =>
      Number(a.simulated) - Number(b.simulated) ||
      Number(b.tenant === DEFAULT_TENANT) - Number(a.tenant === DEFAULT_TENANT) ||
      (a.tenant < b.tenant ? -1 : 1),
  )
  const opened =
    ordered.find((home) => home.has_data && !home.simulated) ??
    ordered.find((home) => home.simulated && (home.has_data || demo)) ??
    ordered[0]!
  return { homes: ordered, default: opened.tenant }
}
