/**
 * Numbers, units and times as people read them. Every quantity is a number and its unit apart, so that the
 * unit can be set smaller. `Intl` has no watt and no kilowatt-hour: the units are our own.
 */

/** Shown for what is not known. Never 0: a missing figure and a zero are different facts. */
export const NOT_KNOWN = '—'

export interface Quantity {
  value: string
  unit: string
}

const LOCALE = 'en'
const significant = numbers({ maximumSignificantDigits: 3 })
const oneDecimal = numbers({ minimumFractionDigits: 1, maximumFractionDigits: 1 })
const whole = numbers({ maximumFractionDigits: 0 })

/** Made when first needed: making one takes a phone longer than all that it formats. */
function numbers(options: Intl.NumberFormatOptions): { format: (value: number) => string } {
  let made: Intl.NumberFormat | undefined
  return { format: (value) => (made ??= new Intl.NumberFormat(LOCALE, options)).format(value) }
}

/** Three significant figures; W below 1,000, kW from there. */
export function formatPower(w: number): Quantity {
  // 999.6 would round to "1,000 W".
  return Math.abs(w) < 999.5
    ? { value: significant.format(w), unit: 'W' }
    : { value: significant.format(w / 1000), unit: 'kW' }
}

/** One decimal of kWh; below a tenth of a kWh three significant figures of Wh, or it would read as nothing. */
export function formatEnergy(wh: number): Quantity {
  return Math.abs(wh) < 100 && wh !== 0
    ? { value: significant.format(wh), unit: 'Wh' }
    : { value: oneDecimal.format(wh / 1000), unit: 'kWh' }
}

export function formatTemperature(c: number): Quantity {
  return { value: oneDecimal.format(c), unit: '°C' }
}

/** A share of 0…1 as whole per cent. */
export function formatShare(share: number): Quantity {
  return { value: whole.format(share * 100), unit: '%' }
}

/** Two decimals; an amount that would round to nothing says that it is less than a hundredth. */
export function formatMoney(amount: number, currency: string): string {
  const format = new Intl.NumberFormat(LOCALE, {
    style: 'currency',
    currency,
    currencyDisplay: 'narrowSymbol',
  })
  return amount > 0 && amount < 0.005 ? `< ${format.format(0.01)}` : format.format(amount)
}

/** A count: whole, and short from a million on. */
export function formatCount(count: number): string {
  if (count < 1e6) return whole.format(count)
  return new Intl.NumberFormat(LOCALE, { notation: 'compact', maximumSignificantDigits: 3 }).format(count)
}

/** `999 B`, `1.5 kB`, `12.3 MB`: three figures, in powers of a thousand. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${Number(value.toPrecision(3))} ${units[unit]}`
}

/** A change as a signed whole percentage; with a typographic minus, as wide as the plus. */
export function formatChange(ratio: number): string {
  const percent = whole.format(Math.abs(ratio) * 100)
  if (percent === '0') return '0 %'
  return `${ratio < 0 ? '−' : '+'}${percent} %`
}

/** How long ago, in the largest unit that says it: `now`, `2 s`, `5 min`, `3 h`, `4 d`. */
export function formatAge(ms: number): string {
  if (ms < 1000) return 'now'
  if (ms < 60_000) return `${Math.floor(ms / 1000)} s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h`
  return `${Math.floor(ms / 86_400_000)} d`
}

const clocks = new Map<string, Intl.DateTimeFormat>()

function clock(timeZone: string, style: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${timeZone} ${style}`
  let format = clocks.get(key)
  if (!format) {
    format = new Intl.DateTimeFormat(LOCALE, { timeZone, hourCycle: 'h23', ...options })
    clocks.set(key, format)
  }
  return format
}

const DAY = { day: 'numeric', month: 'short' } as const
const TIME = { hour: '2-digit', minute: '2-digit' } as const
const SECONDS = { ...TIME, second: '2-digit' } as const

/** `10:42`, in the house's time zone. */
export const formatTime = (ms: number, zone: string) => clock(zone, 'time', TIME).format(ms)
/** `10:42:07`, in the house's time zone. */
export const formatSeconds = (ms: number, zone: string) => clock(zone, 'seconds', SECONDS).format(ms)
/** `Nov 3`, in the house's time zone. */
export const formatDay = (ms: number, zone: string) => clock(zone, 'day', DAY).format(ms)
/** `Nov 3, 2015`, of a local date. */
export const formatDate = (date: string) =>
  clock('UTC', 'date', { ...DAY, year: 'numeric' }).format(Date.parse(date))
/** `Nov 3, 2026, 10:42:07 GMT+1`: the whole truth, for titles and tooltips. */
export const formatInstant = (ms: number, zone: string) =>
  clock(zone, 'instant', { ...DAY, year: 'numeric', ...SECONDS, timeZoneName: 'short' }).format(ms)

let zoneOfMachine: string | undefined
/** The zone of times that belong to the platform, such as those of its tables, and not to a house. */
export const machineZone = () => (zoneOfMachine ??= Intl.DateTimeFormat().resolvedOptions().timeZone)

/** `living_room` and `smart_plug` as people write them: `Living room`, `Smart plug`. */
export function humanize(name: string): string {
  const words = name.replace(/[_\s]+/g, ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}
