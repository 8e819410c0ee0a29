import type { StreamMessage } from '../source.ts'
import { DAY_S, QUARTER_S, createClimate, type Climate } from './climate.ts'
import { createFleet, type Device } from './devices.ts'
import { createFaultInjector, isoTime, type FaultInjector, type FaultName } from './faults.ts'
import type { House } from './house.ts'
import { intervalS, quarterOf, readingSeconds, type Rate } from './schedule.ts'
import { createLedger, type TruthRow } from './truth.ts'

/** A stretch of event time with one rate: readings at fromS < t ≤ toS, seconds since 1970. */
export interface Span {
  fromS: number
  /** Infinity: without an end. */
  toS: number
  rate: Rate
  ingestKind: 'live' | 'backfill'
}

export interface SimulationOptions {
  devices: number
  seed: number
  tenantId: string
  /** IANA zone by whose clock the people live. */
  timeZone: string
  faults: readonly FaultName[]
  /** One after the other, without a gap. */
  spans: readonly Span[]
}

export interface SimulatedMessage extends StreamMessage {
  key: string
  /** When it is sent, event time, ms since 1970; never decreases. A delayed reading's own time lies before it. */
  atMs: number
}

export interface SimulationCounts {
  /** Readings that the devices made, whatever became of them. */
  readings: number
  /** Messages sent. */
  messages: number
  faults: Partial<Record<FaultName, number>>
}

export interface Simulation {
  readonly counts: SimulationCounts
  /** When the next reading is due, ms since 1970; undefined when all are made. */
  nextAtMs(): number | undefined
  /** The next messages due by then, about `maxMessages` at most; empty where none is due. */
  next(untilMs: number, maxMessages: number): SimulatedMessage[]
  /** What faults still hold back; the simulation is over then. */
  flush(): SimulatedMessage[]
  /** Quarter-hours whose truth is settled, each once; after `flush` all that are left. */
  takeTruth(): TruthRow[]
}

interface Sender {
  device: Device
  injector: FaultInjector
  /** JSON up to the timestamp, and after the numbers. */
  head: string
  tail: string
  /** Ninths of a nWh that the last reading of this quarter-hour left over. */
  ninthsLeft: number
  /** Energy of the readings made in this quarter-hour. */
  quarterNwh: number
}

/** Days before the begin's (UTC) from which the rooms are computed, so that walls and heaters are in their course. */
const WARM_UP_DAYS = 1

/**
 * The simulated houses. Physics runs second by second whatever the rate: a reading only adds up the seconds since
 * the device's last one, so energy of a quarter-hour does not depend on the rate. The state of the rooms is computed
 * from the day before the begin on; all else follows from seed and time alone.
 */
export function createSimulation(options: SimulationOptions): Simulation {
  return new FleetSimulation(options)
}

class FleetSimulation implements Simulation {
  readonly counts: SimulationCounts = { readings: 0, messages: 0, faults: {} }
  readonly #houses: readonly House[]
  readonly #senders: readonly Sender[]
  readonly #climate: Climate
  readonly #ledger = createLedger()
  /** What faults hold back, by the second in which it is due. */
  readonly #delayed = new Map<number, Held[]>()
  readonly #ticks: Generator<Tick, undefined>
  #tick: Tick | undefined
  /** Time of the last readings; of the begin before there are any. */
  #lastS: number
  /** Start of the quarter-hour that the houses are in. */
  #quarterS: number
  #over = false

  constructor(options: SimulationOptions) {
    const { houses, devices } = createFleet(options.devices, options.seed)
    this.#houses = houses
    this.#senders = devices.map((device) => createSender(device, options))
    this.#climate = createClimate(options.seed, options.timeZone)
    this.#ticks = readingTimes(options.spans)
    this.#tick = this.#ticks.next().value
    this.#lastS = options.spans[0]!.fromS
    this.#quarterS = this.#lastS - (this.#lastS % DAY_S) - WARM_UP_DAYS * DAY_S - QUARTER_S
  }

  nextAtMs(): number | undefined {
    return this.#tick && this.#tick.timeS * 1000
  }

  next(untilMs: number, maxMessages: number): SimulatedMessage[] {
    const out: SimulatedMessage[] = []
    while (this.#tick && this.#tick.timeS * 1000 <= untilMs && out.length < maxMessages) {
      const { timeS } = this.#tick
      this.#read(this.#tick, out)
      this.#sendDelayed(timeS, out)
      this.#lastS = timeS
      this.#tick = this.#ticks.next().value
    }
    this.counts.messages += out.length
    return out
  }

  flush(): SimulatedMessage[] {
    this.#settleQuarter()
    this.#tick = undefined
    this.#over = true
    const atMs = this.#lastS * 1000
    const out = [...this.#delayed]
      .toSorted(([a], [b]) => a - b)
      .flatMap(([, held]) => held.map(({ key, text }) => ({ key, value: Buffer.from(text), atMs })))
    this.#delayed.clear()
    this.counts.messages += out.length
    return out
  }

  takeTruth(): TruthRow[] {
    return this.#ledger.take(this.#over ? Infinity : this.#lastS)
  }

  #read({ timeS, span }: Tick, out: SimulatedMessage[]): void {
    if (quarterOf(timeS) !== this.#quarterS) this.#advanceTo(quarterOf(timeS))
    const iso = isoTime(timeS)
    const nominalS = intervalS(span.rate)
    const from = Math.max(this.#lastS - this.#quarterS, 0)
    const end = span.ingestKind === 'backfill' ? ',"ingest_kind":"backfill"}' : '}'
    this.counts.readings += this.#senders.length
    for (const sender of this.#senders) {
      const text = readingText(sender, from, timeS - this.#quarterS, iso) + end
      const fault = sender.injector.draw(timeS, nominalS)
      if (fault === undefined)
        out.push({ key: sender.device.deviceId, value: Buffer.from(text), atMs: timeS * 1000 })
      else this.#suffer(fault, sender, text, timeS, nominalS, out)
    }
  }

  #suffer(
    fault: FaultName,
    { device, injector }: Sender,
    text: string,
    timeS: number,
    nominalS: number,
    out: SimulatedMessage[],
  ): void {
    const key = device.deviceId
    this.counts.faults[fault] = (this.counts.faults[fault] ?? 0) + 1
    const fate = injector.suffer(fault, text, timeS, nominalS)
    for (const touchedS of fate.touchedS) this.#ledger.fault(key, quarterOf(touchedS), fault)
    for (const delivery of fate.deliveries) {
      if (delivery.delayS === 0) out.push({ key, value: Buffer.from(delivery.text), atMs: timeS * 1000 })
      else {
        const dueS = timeS + delivery.delayS
        this.#delayed.set(dueS, [...(this.#delayed.get(dueS) ?? []), { key, text: delivery.text }])
      }
    }
  }

  /** Sends what is due by now, behind the readings of now. */
  #sendDelayed(timeS: number, out: SimulatedMessage[]): void {
    if (this.#delayed.size === 0) return
    for (let dueS = this.#lastS + 1; dueS <= timeS; dueS += 1) {
      for (const { key, text } of this.#delayed.get(dueS) ?? [])
        out.push({ key, value: Buffer.from(text), atMs: timeS * 1000 })
      this.#delayed.delete(dueS)
    }
  }

  #advanceTo(startS: number): void {
    this.#settleQuarter()
    while (this.#quarterS < startS) {
      this.#quarterS += QUARTER_S
      const quarter = this.#climate.quarter(this.#quarterS)
      for (const house of this.#houses) house.advance(quarter)
      if (this.#quarterS < startS) continue
      for (const { device } of this.#senders) device.physics.advance(quarter, device.powerMw)
    }
  }

  #settleQuarter(): void {
    if (this.counts.readings === 0) return
    for (const sender of this.#senders) {
      this.#ledger.add(sender.device.deviceId, this.#quarterS, sender.quarterNwh)
      sender.quarterNwh = 0
      sender.ninthsLeft = 0
    }
  }
}

interface Held {
  key: string
  text: string
}

interface Tick {
  timeS: number
  span: Span
}

function* readingTimes(spans: readonly Span[]): Generator<Tick, undefined> {
  for (const span of spans) {
    const seconds = readingSeconds(span.rate)
    for (let startS = quarterOf(span.fromS + 1); startS < span.toS; startS += QUARTER_S)
      for (const second of seconds) {
        const timeS = startS + second
        if (timeS > span.fromS && timeS <= span.toS) yield { timeS, span }
      }
  }
  return undefined
}

function createSender(device: Device, options: SimulationOptions): Sender {
  const { product } = device
  const own = { location: device.location, manufacturer: product.manufacturer, model: product.model }
  const said = Object.fromEntries(product.says.map((field) => [field, own[field]]))
  const head = { device_id: device.deviceId, device_type: device.deviceType, user_id: device.userId }
  return {
    device,
    injector: createFaultInjector(options.faults, device.seed),
    head: `${JSON.stringify(head).slice(0, -1)},"timestamp":"`,
    tail: `,${JSON.stringify({ ...said, tenant_id: options.tenantId }).slice(1, -1)},"metrics":`,
    ninthsLeft: 0,
    quarterNwh: 0,
  }
}

/**
 * The reading of the seconds (from, to] of the quarter-hour, as JSON without its last brace. 1 mW over 1 s is
 * 2500/9 nWh; the ninths that remain go to the next reading, so that the readings of a quarter-hour add up to its
 * energy to the nWh, at any rate.
 */
function readingText(sender: Sender, from: number, to: number, iso: string): string {
  const { device } = sender
  const { powerMw, physics } = device
  let milliwattSeconds = 0
  for (let second = from; second < to; second += 1) milliwattSeconds += powerMw[second]!
  const ninths = milliwattSeconds * 2500 + sender.ninthsLeft
  const energyNwh = Math.floor(ninths / 9)
  sender.ninthsLeft = ninths - energyNwh * 9
  sender.quarterNwh += energyNwh
  const second = to - 1
  const mw = powerMw[second]!
  const temperatureC = physics.temperatureC(second)
  const temperature = temperatureC === undefined ? '' : `,"temperature":${temperatureC}`
  return (
    `${sender.head}${iso}"${temperature},"power_usage":${mw / 1000},"energy_consumption_wh":${energyNwh / 1e9}` +
    `,"status":"${physics.status(second)}","alert":"${physics.alert(second, mw)}"${sender.tail}${physics.metrics(second, mw)}`
  )
}
