/**
 * Devices that send until they are answered, through every door. What was acknowledged is written down here, in the one process
 * that is never killed: it is what the lake must hold in the end, each reading once.
 */
import mqtt from 'mqtt'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StreamLog } from '../../src/2-stream/log.ts'
import type { Random } from './random.ts'

/** A reading's name in the lake: its device, and the id that its message carried. */
export type ReadingId = `${string}/${string}`

export interface Sender {
  name: string
  /** All that was acknowledged so far. */
  acknowledged: readonly ReadingId[]
  /** Sends on until what it has begun is acknowledged, then ends. */
  finish(): Promise<void>
}

const START_MS = Date.UTC(2026, 0, 10)
const STEP_MS = 10_000
const BATCH = 20
const AGAIN_MS = 200
const PAUSE_MS = 150

interface Numbered {
  device: string
  n: number
}

/** A reading of the n-th step; one in twenty is an hour older than those before it. */
function reading({ device, n }: Numbered, isLate: boolean): Record<string, unknown> {
  const atMs = START_MS + n * STEP_MS - (isLate ? 3_605_000 : 0)
  const kind = n % 3
  return {
    device_id: device,
    event_id: `e${n}`,
    timestamp: new Date(atMs).toISOString(),
    power_usage: 100 + (n % 50),
    ...(kind === 1 ? { temperature: 18 + (n % 7) } : {}),
    ...(device.endsWith('0') ? { energy_total_wh: n } : {}),
    ...(n % 41 === 0 ? { alert: 'high_power' } : {}),
  }
}

interface Batch {
  ids: ReadingId[]
  lines: Buffer[]
  /** Names the batch wherever it is sent again. */
  key: string
}

/** Sends batch after batch until it is told to end; `send` resolves once a batch is acknowledged, and throws where it was not. */
function sendBatches(name: string, random: Random, send: (batch: Batch) => Promise<void>): Sender {
  const acknowledged: ReadingId[] = []
  let isEnding = false
  const work = (async () => {
    for (let number = 0; !isEnding; number++) {
      const batch = batchOf(name, number, random)
      await untilSent(() => send(batch))
      acknowledged.push(...batch.ids)
      // A device that did not hear the answer says it all again.
      if (random() < 0.05) await send(batch).catch(() => undefined)
      await sleep(random.between(0, 2 * PAUSE_MS))
    }
  })()
  return {
    name,
    acknowledged,
    async finish() {
      isEnding = true
      await work
    },
  }
}

function batchOf(name: string, number: number, random: Random): Batch {
  const batch: Batch = { ids: [], lines: [], key: `${name}-${number}` }
  for (let k = 0; k < BATCH; k++) {
    const index = number * BATCH + k
    const numbered = { device: `${name}-${index % 3}`, n: Math.floor(index / 3) }
    batch.ids.push(`${numbered.device}/e${numbered.n}`)
    batch.lines.push(Buffer.from(JSON.stringify(reading(numbered, random() < 0.05))))
  }
  return batch
}

async function untilSent(send: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await send()
    } catch {
      await sleep(AGAIN_MS)
    }
  }
}

/** Over HTTP: each second batch with a key by which the server knows it again. */
export function httpSender(name: string, url: string, random: Random): Sender {
  return sendBatches(name, random, async ({ lines, key }) => {
    const answer = await fetch(`${url}/api/v1/telemetry`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-ndjson',
        ...(key.endsWith('1') || key.endsWith('3') ? { 'idempotency-key': key } : {}),
      },
      body: Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')])),
      signal: AbortSignal.timeout(5_000),
    })
    const said = await answer.text()
    if (!answer.ok) throw new Error(`${answer.status} ${said}`)
  })
}

/** As any other producer: straight to the stream. */
export function streamSender(name: string, log: StreamLog, random: Random): Sender {
  return sendBatches(name, random, ({ ids, lines }) =>
    log.append(lines.map((value, k) => ({ key: ids[k]!.split('/')[0]!, value }))),
  )
}

/** Devices of the field (Tasmota), one message at a time, QoS 1. The power is the message's name. */
export function mqttSender(name: string, url: string, random: Random): Sender {
  const acknowledged: ReadingId[] = []
  const client = mqtt.connect(url, {
    clientId: name,
    clean: false,
    reconnectPeriod: 200,
    connectTimeout: 3_000,
    keepalive: 5,
  })
  client.on('error', () => undefined)
  let isEnding = false
  const work = (async () => {
    for (let n = 1; !isEnding; n++) {
      const at = new Date(START_MS + n * STEP_MS).toISOString().slice(0, 19)
      const message = JSON.stringify({ Time: `${at}Z`, ENERGY: { Power: n, Total: n / 1000 } })
      await untilSent(
        async () => void (await client.publishAsync(`tele/${name}/SENSOR`, message, { qos: 1 })),
      )
      acknowledged.push(`${name}/p${n}`)
      await sleep(random.between(20, PAUSE_MS))
    }
    await client.endAsync(true)
  })()
  return {
    name,
    acknowledged,
    async finish() {
      isEnding = true
      await work
    },
  }
}

/** A file for `smarthouse import`, and what it must come to. */
export function importFile(device: string, rows: number): { text: string; ids: ReadingId[] } {
  const lines: string[] = []
  const ids: ReadingId[] = []
  for (let n = 1; n <= rows; n++) {
    lines.push(JSON.stringify(reading({ device, n }, false)))
    ids.push(`${device}/e${n}`)
  }
  return { text: `${lines.join('\n')}\n`, ids }
}
