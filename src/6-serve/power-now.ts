/** The power of the house at this moment, of what the devices said last: for the Overview and as a live event. */
import type { z } from 'zod'
import type { PowerNow } from './contract.ts'
import { ratio } from './decimal.ts'
import { countsInTotal, homeIn, priceNow, type Directory } from './directory.ts'
import type { LiveHome } from './live-home.ts'
import { counted, localTime } from './picture.ts'

export interface PowerNowSource {
  tenant: string
  directory: Directory
  live: LiveHome | undefined
  /** IANA zone of the home. */
  timeZone: string
  /** ISO 4217 */
  currency: string
  nowMs: number
  /** Silence after which a device's last power is not "now" any more, s. */
  freshS: number
}

export function powerNowOf(source: PowerNowSource): z.infer<typeof PowerNow> {
  const { live, nowMs, freshS, currency, timeZone } = source
  const home = homeIn(source.directory, source.tenant)
  const minutes = Math.round(freshS / 60)
  const devices = [...(live?.power(nowMs - freshS * 1000) ?? [])].filter(([device, { device_type }]) =>
    countsInTotal(home, device, device_type),
  )
  const what = `Sum of the newest power of each device, of the last ${minutes} minutes: devices that lie behind no meter, without solar and battery. As received, not yet checked.`
  if (devices.length === 0) {
    const last = live?.newestMs ? `; the last reading is of ${localTime(live.newestMs, timeZone)}` : ''
    return {
      value_w: null,
      reason: `No device has told its power in the last ${minutes} minutes${last}.`,
      cost_per_hour: null,
      devices: 0,
      as_of: null,
      within_s: freshS,
      definition: { what, formula: 'sum of power of the devices' },
    }
  }
  const watts = Math.round(devices.reduce((sum, [, { power_w }]) => sum + power_w, 0) * 10) / 10
  const cost = costPerHour(source, devices)
  return {
    value_w: watts,
    reason: null,
    cost_per_hour: cost,
    devices: devices.length,
    as_of: new Date(Math.max(...devices.map(([, { eventMs }]) => eventMs))).toISOString(),
    within_s: freshS,
    definition: {
      what,
      formula: `sum over ${counted(devices.length, 'device')} = ${watts} W; each × its price per kWh now = ${cost ?? '–'} ${currency} per hour`,
    },
  }
}

type DevicePower = ReturnType<LiveHome['power']> extends Map<string, infer Power> ? Power : never

/** null where one of the devices has no price now: a part of a sum would look like the sum. */
function costPerHour(
  { directory, tenant, nowMs, timeZone }: PowerNowSource,
  devices: readonly [string, DevicePower][],
): number | null {
  const local = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timeZone)
  const { catalogue } = homeIn(directory, tenant)
  let sum = 0
  for (const [device, { power_w, user_id }] of devices) {
    const user = catalogue.get(device)?.user_id ?? user_id
    const price = priceNow(directory.tariffs, { tenant, user }, local)
    if (price === null) return null
    sum += (Math.max(0, power_w) / 1000) * Number(price.energy_rate_kwh)
  }
  return ratio(sum)
}
