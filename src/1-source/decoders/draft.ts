/** The readings of one message of one device while they are being put together, channel by channel. */
import type { Reading } from '../../reading.ts'
import { toPlatformUnit } from '../../units.ts'
import type { Clock, Context, Decoded, DeviceFact, Kept, Lesson, Presence } from './decoder.ts'
import type { Message } from './message.ts'
import { dropSentinels } from './sentinels.ts'
import { eventTime } from './time.ts'
import { numberOf } from './values.ts'

/** What one endpoint measured. */
export interface Measures {
  temperature?: number
  /** W */
  power_usage?: number
  energy_total_wh?: number
  alert?: string
  metrics: Record<string, number>
}

/** A reading holds at most so many other numbers; a message that has more is no measurement. */
const MAX_METRICS = 500

export interface DraftOptions {
  protocol: string
  device_id: string
  /** The time that the message names, in any form. */
  time?: unknown
  /** Tells the kinds of message apart that a device sends in the same second. */
  event_id?: string
}

export class Draft {
  readonly #options: DraftOptions
  readonly #channels = new Map<string, Measures>()
  #facts: Omit<DeviceFact, 'device_id' | 'protocol'> | undefined
  #status: Presence['status'] | undefined
  readonly lessons: Lesson[] = []

  constructor(options: DraftOptions) {
    this.#options = options
  }

  channel(name = ''): Measures {
    let measures = this.#channels.get(name)
    if (!measures) {
      measures = { metrics: {} }
      this.#channels.set(name, measures)
    }
    return measures
  }

  /** What the message says of the device itself. */
  tell(facts: Omit<DeviceFact, 'device_id' | 'protocol'>): void {
    this.#facts = { ...this.#facts, ...facts }
  }

  presence(status: Presence['status']): void {
    this.#status = status
  }

  /** Readings where there is anything in them; else the message is kept as it is. */
  finish(message: Message, context: Context): Decoded | Kept {
    const { protocol, device_id } = this.#options
    if (device_id.trim() === '') return { why: 'no_device', protocol }
    const faults: string[] = message.notNumbers > 0 ? [`not_a_number:${message.notNumbers}`] : []
    let isEmpty = this.#status === undefined
    for (const measures of this.#channels.values()) {
      dropOverflow(measures)
      dropSentinels(measures, faults)
      dropSurplus(measures)
      if (!isFilled(measures)) continue
      isEmpty = false
      if (this.#facts?.device_type === undefined && flowsOut(measures)) this.tell({ device_type: 'grid' })
    }
    if (isEmpty && !this.#facts && this.lessons.length === 0)
      return { why: faults.length > 0 ? 'no_value' : 'no_telemetry', protocol }
    const time = eventTime(this.#options.time, context, device_id)
    if (time.lesson) this.lessons.push(time.lesson)
    const clock: Clock = { device_id, rule: time.rule }
    if (time.offset_ms !== undefined) clock.offset_ms = time.offset_ms
    const decoded: Decoded = { protocol, readings: [], clock }
    const { readings } = decoded
    for (const [channel, measures] of this.#channels)
      if (isFilled(measures)) readings.push(this.#reading(channel, measures, time.timestamp))
    if (readings.length === 0 && this.#status !== undefined)
      readings.push(this.#reading('', { metrics: {} }, time.timestamp))
    if (this.#facts) decoded.devices = [{ device_id, protocol, ...this.#facts }]
    if (this.#status !== undefined) decoded.presence = [{ device_id, status: this.#status }]
    if (this.lessons.length > 0) decoded.lessons = this.lessons
    if (faults.length > 0) decoded.faults = faults
    return decoded
  }

  #reading(channel: string, measures: Measures, timestamp: string): Reading {
    const { protocol, device_id, event_id } = this.#options
    const reading: Reading = { device_id, timestamp }
    const facts = this.#facts
    if (facts?.device_type !== undefined) reading.device_type = facts.device_type
    if (measures.temperature !== undefined) reading.temperature = measures.temperature
    if (measures.power_usage !== undefined) reading.power_usage = measures.power_usage
    if (this.#status !== undefined) reading.status = this.#status
    if (measures.alert !== undefined) reading.alert = measures.alert
    if (facts?.location !== undefined) reading.location = facts.location
    if (facts?.manufacturer !== undefined) reading.manufacturer = facts.manufacturer
    if (facts?.model !== undefined) reading.model = facts.model
    if (channel !== '') reading.channel = channel
    if (event_id !== undefined) reading.event_id = event_id
    if (measures.energy_total_wh !== undefined) reading.energy_total_wh = measures.energy_total_wh
    if (hasAny(measures.metrics)) reading.metrics = measures.metrics
    reading.protocol = protocol
    return reading
  }
}

/** What measures both ways is a meter of the grid until somebody says that it is something else: its power is signed. */
function flowsOut({ power_usage, metrics }: Measures): boolean {
  return (power_usage ?? 0) < 0 || (metrics.export_total_wh ?? 0) > 0
}

/** A number so large that its conversion is none any more is no measurement. */
function dropOverflow(measures: Measures): void {
  if (measures.temperature !== undefined && !Number.isFinite(measures.temperature))
    delete measures.temperature
  if (measures.power_usage !== undefined && !Number.isFinite(measures.power_usage))
    delete measures.power_usage
  if (measures.energy_total_wh !== undefined && !Number.isFinite(measures.energy_total_wh))
    delete measures.energy_total_wh
}

/** What stands first is kept. Looked at once a message: a look at each number would cost most of a decoder's time. */
function dropSurplus(measures: Measures): void {
  let count = 0
  for (const name in measures.metrics) {
    count += 1
    if (count > MAX_METRICS) delete measures.metrics[name]
  }
}

function hasAny(metrics: Record<string, number>): boolean {
  for (const _ in metrics) return true
  return false
}

function isFilled({ temperature, power_usage, energy_total_wh, alert, metrics }: Measures): boolean {
  return (
    temperature !== undefined ||
    power_usage !== undefined ||
    energy_total_wh !== undefined ||
    alert !== undefined ||
    hasAny(metrics)
  )
}

/** Puts a further number under its name, where the value is one. */
export function putMetric(measures: Measures, name: string, value: number | undefined): void {
  if (value === undefined || !Number.isFinite(value)) return
  measures.metrics[name] = value
}

/** Puts a number in a written unit under its name and the platform's unit; one without a known unit under the bare name. */
export function putQuantity(measures: Measures, name: string, value: unknown, unit: string): void {
  const number = numberOf(value)
  if (number === undefined) return
  const measured = toPlatformUnit(number, unit)
  if (measured) putMetric(measures, `${name}_${measured.suffix}`, measured.value)
  else putMetric(measures, name, number)
}
