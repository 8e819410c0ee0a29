/**
 * Devices that only answer: each address is asked at its interval, one request at a time, and what it answers goes the way of
 * every message. Only addresses that the configuration names are asked; no answer sends us to another.
 */
import type { Intake } from '../intake.ts'
import type { Say } from '../../log.ts'

/** What is asked, and as which message the decoders know the answer. */
const KINDS = {
  shelly_gen1: { path: '/status' },
  shelly_gen2: { path: '/rpc/Shelly.GetStatus' },
  tasmota: { path: '/cm?cmnd=Status%200' },
  homewizard: { path: '/api/v1/data' },
  /** Any JSON: the address is asked as it stands, and a mapping says how to read it. */
  json: { path: '' },
} as const

export type PollKind = keyof typeof KINDS
export const POLL_KINDS = Object.keys(KINDS) as PollKind[]

export interface PolledDevice {
  kind: PollKind
  /** `http://192.168.1.20`; of `json` the whole address. */
  url: string
  device_id: string
  tenant_id: string
  /** ms */
  interval: number
  username?: string | undefined
  password?: string | undefined
}

/** Larger answers are cut off: no meter sends so much. */
const MOST_BYTES = 1_000_000
const PATIENCE_MS = 5_000

export interface PollOptions {
  intake: Intake
  stop: AbortSignal
  say: Say
}

/** Asks one device until it is stopped. A failure is said when it begins and when it is over. */
export async function poll(device: PolledDevice, options: PollOptions): Promise<void> {
  const { intake, stop, say } = options
  let failing = ''
  while (!stop.aborted) {
    const startedMs = performance.now()
    try {
      const { topic, payload } = await ask(device, stop)
      await intake.take({
        topic,
        payload,
        retained: false,
        redelivered: false,
        tenant: device.tenant_id,
        device: device.device_id,
      })
      if (failing !== '') say(`${device.device_id} answers again`)
      failing = ''
    } catch (error) {
      if (stop.aborted) return
      const { message, cause } = error as Error
      const why = cause instanceof Error ? cause.message : message
      if (why !== failing) say(`${device.device_id} does not answer: ${why}`, 'warn')
      failing = why
    }
    await wait(Math.max(0, device.interval - (performance.now() - startedMs)), stop)
  }
}

/** One question and its answer, as a message. */
export async function ask(
  { kind, url, device_id, username, password }: PolledDevice,
  stop: AbortSignal,
): Promise<{ topic: string; payload: Uint8Array }> {
  const { path } = KINDS[kind]
  const address = new URL(path === '' ? url : url.replace(/\/+$/, '') + path)
  const secret = Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64')
  const response = await fetch(address, {
    redirect: 'error',
    signal: AbortSignal.any([stop, AbortSignal.timeout(PATIENCE_MS)]),
    headers: {
      accept: 'application/json',
      ...(username !== undefined && { authorization: `Basic ${secret}` }),
    },
  })
  if (!response.ok) throw new Error(`it answers ${response.status}`)
  // What was asked, wherever the device is: a mapping names it, a decoder knows the question.
  const topic = kind === 'json' ? `poll/${device_id}` : `GET ${path}`
  return { topic, payload: await bodyOf(response) }
}

async function bodyOf(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.byteLength
    if (bytes > MOST_BYTES) throw new Error(`its answer is larger than ${MOST_BYTES} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

async function wait(ms: number, stop: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms)
    function done(): void {
      clearTimeout(timer)
      stop.removeEventListener('abort', done)
      resolve()
    }
    stop.addEventListener('abort', done)
    if (stop.aborted) done()
  })
}
