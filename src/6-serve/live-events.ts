/**
 * Live events to browsers (Server-Sent Events). An event is serialised once for all who listen, at most ten times
 * a second; a short ring of them lets a client that lost its connection go on where it was.
 */
import type { ServerResponse } from 'node:http'
import type { Alert, DataStatus, LiveEvent, LiveEventName, LiveReading } from './contract.ts'
import type { TimedReading } from './live-reading.ts'

const FLUSH_MS = 100
const HEARTBEAT_MS = 15_000
const RETRY_MS = 2_000
/** Events kept for those who come back; at ten a second a minute's worth. */
const RING_EVENTS = 600
const RING_CHARS = 4_000_000
/** After the last client has gone, events are kept for so long. */
const GRACE_MS = 30_000
const MOST_READINGS = 500
/** Above this a client is slow: it gets nothing more, and a fresh start when it has caught up. */
const MOST_BUFFERED_BYTES = 256_000
const SLOW_TIMEOUT_MS = 30_000

interface Client {
  response: ServerResponse
  slowSinceMs: number | null
}

export interface LiveEvents {
  readings(readings: readonly TimedReading[]): void
  alerts(alerts: readonly Alert[]): void
  status(status: DataStatus): void
  power(tenant: string, power: LiveEvent<'power'>): void
  /** Takes over a response: it gets the events of the home until it is closed. */
  connect(tenant: string, response: ServerResponse, lastEventId: string | undefined): void
  clients(): number
  /** Homes that somebody listens to. */
  heard(): string[]
  close(): void
}

export interface LiveEventsOptions {
  snapshot(tenant: string): LiveEvent<'snapshot'>
  clock: () => number
}

export function createLiveEvents(options: LiveEventsOptions): LiveEvents {
  const numbering = new Numbering(options.clock())
  const homes = new Map<string, HomeEvents>()
  const heartbeat = setInterval(() => {
    for (const home of homes.values()) home.beat()
  }, HEARTBEAT_MS).unref()

  return {
    readings: (readings) => {
      for (const { reading } of readings) homes.get(reading.tenant_id)?.add(reading)
    },
    alerts: (alerts) => {
      for (const alert of alerts) homes.get(alert.tenant)?.publish('alert', alert)
    },
    status: (status) => {
      for (const home of homes.values()) home.publish('status', status)
    },
    power: (tenant, power) => homes.get(tenant)?.publish('power', power),
    connect: (tenant, response, lastEventId) => {
      const home = homes.get(tenant) ?? new HomeEvents(tenant, numbering, options)
      homes.set(tenant, home)
      home.connect(response, lastEventId)
    },
    clients: () => [...homes.values()].reduce((sum, home) => sum + home.clients.size, 0),
    heard: () => [...homes].filter(([, home]) => home.clients.size > 0).map(([tenant]) => tenant),
    close: () => {
      clearInterval(heartbeat)
      for (const home of homes.values()) home.close()
    },
  }
}

/** Ids of events, over all homes: with the time of the start in front, an id of an earlier run is known as such. */
class Numbering {
  readonly epoch: string
  last = 0

  constructor(startedMs: number) {
    this.epoch = startedMs.toString(36)
  }

  text<Name extends LiveEventName>(name: Name, data: LiveEvent<Name>): string {
    return `event: ${name}\nid: ${this.epoch}-${this.last}\ndata: ${JSON.stringify(data)}\n\n`
  }
}

/** The events of one home and those who listen to them. */
class HomeEvents {
  readonly clients = new Set<Client>()
  readonly #tenant: string
  readonly #numbering: Numbering
  readonly #options: LiveEventsOptions
  #ring: { id: number; text: string }[] = []
  #ringChars = 0
  /** Events up to this one are not in the ring any more. */
  #lostUpTo = 0
  #readings: LiveReading[] = []
  #timer: NodeJS.Timeout | null = null
  #flushedMs = 0
  #leftMs = Number.NEGATIVE_INFINITY

  constructor(tenant: string, numbering: Numbering, options: LiveEventsOptions) {
    this.#tenant = tenant
    this.#numbering = numbering
    this.#options = options
  }

  add(reading: LiveReading): void {
    if (!this.#isHeard()) return
    this.#readings.push(reading)
    const waitMs = Math.max(0, this.#flushedMs + FLUSH_MS - this.#options.clock())
    this.#timer ??= setTimeout(() => this.#flush(), waitMs).unref()
  }

  publish<Name extends LiveEventName>(name: Name, data: LiveEvent<Name>): void {
    if (!this.#isHeard()) return
    this.#numbering.last += 1
    const text = this.#numbering.text(name, data)
    this.#ring.push({ id: this.#numbering.last, text })
    this.#ringChars += text.length
    while (this.#ring.length > RING_EVENTS || this.#ringChars > RING_CHARS) {
      const gone = this.#ring.shift()!
      this.#ringChars -= gone.text.length
      this.#lostUpTo = gone.id
    }
    for (const client of this.clients) this.#send(client, text)
  }

  connect(response: ServerResponse, lastEventId: string | undefined): void {
    this.#flush()
    const client: Client = { response, slowSinceMs: null }
    const missed = this.#missedSince(lastEventId)
    response.write(`retry: ${RETRY_MS}\n\n`)
    if (Array.isArray(missed)) for (const text of missed) this.#send(client, text)
    else this.#freshStart(client, missed)
    this.clients.add(client)
    response.on('drain', () => {
      if (client.slowSinceMs === null) return
      client.slowSinceMs = null
      this.#freshStart(client, 'slow')
    })
    response.on('close', () => {
      this.clients.delete(client)
      this.#leftMs = this.#options.clock()
    })
  }

  /** Keeps connections through proxies alive, and lets go who has not read for too long. */
  beat(): void {
    const slowBeforeMs = this.#options.clock() - SLOW_TIMEOUT_MS
    for (const client of this.clients) {
      if (client.slowSinceMs !== null && client.slowSinceMs < slowBeforeMs) client.response.destroy()
      else this.#send(client, ': heartbeat\n\n')
    }
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer)
    for (const { response } of this.clients) {
      response.end()
      response.socket?.destroySoon()
    }
  }

  /** True where somebody listens, or did a moment ago; else what happens is not kept. */
  #isHeard(): boolean {
    if (this.clients.size > 0 || this.#options.clock() - this.#leftMs < GRACE_MS) return true
    this.#numbering.last += 1
    this.#lostUpTo = this.#numbering.last
    this.#ring = []
    this.#ringChars = 0
    this.#readings = []
    return false
  }

  #flush(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#readings.length === 0) return
    const { kept, omitted } = newestOf(this.#readings)
    this.#readings = []
    this.#flushedMs = this.#options.clock()
    this.publish('readings', { readings: kept, omitted })
  }

  #freshStart(client: Client, reason: LiveEvent<'resync'>['reason'] | null): void {
    if (reason) this.#send(client, this.#numbering.text('resync', { reason }))
    this.#send(client, this.#numbering.text('snapshot', this.#options.snapshot(this.#tenant)))
  }

  /** Writes, unless the client does not keep up: what it misses is made good by a fresh start, never by a queue. */
  #send(client: Client, text: string): void {
    if (client.slowSinceMs !== null) return
    client.response.write(text)
    if (client.response.writableLength > MOST_BUFFERED_BYTES) client.slowSinceMs = this.#options.clock()
  }

  /** The events after the one named; null for a first visit; else why they cannot be given. */
  #missedSince(lastEventId: string | undefined): string[] | null | LiveEvent<'resync'>['reason'] {
    if (lastEventId === undefined) return null
    const match = /^([0-9a-z]+)-(\d{1,15})$/.exec(lastEventId)
    if (match?.[1] !== this.#numbering.epoch) return 'restarted'
    const last = Number(match[2])
    if (last < this.#lostUpTo || last > this.#numbering.last) return 'gap'
    return this.#ring.filter((event) => event.id > last).map((event) => event.text)
  }
}

/** At most so many readings of a batch: the newest of each channel first of all, then the newest arrivals. */
function newestOf(readings: readonly LiveReading[]): { kept: LiveReading[]; omitted: number } {
  if (readings.length <= MOST_READINGS) return { kept: [...readings], omitted: 0 }
  const lastOfChannel = new Map(
    readings.map((reading, index) => [`${reading.device_id}\u0000${reading.channel}`, index]),
  )
  const chosen = new Set([...lastOfChannel.values()].slice(-MOST_READINGS))
  for (let i = readings.length - 1; chosen.size < MOST_READINGS; i -= 1) chosen.add(i)
  const kept = [...chosen].toSorted((a, b) => a - b).map((index) => readings[index]!)
  return { kept, omitted: readings.length - kept.length }
}
