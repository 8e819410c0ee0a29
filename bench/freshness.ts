/** How old a reading is when it is seen: in the live view, in Silver, in Gold. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDuckDb, openLake, type Lake, type Session } from '../src/lake/index.ts'
import { until } from './house.ts'
import { percentile, type Row } from './rows.ts'

/** A home of its own, so that the figures of the others stay what they are. */
const TENANT = 'bench'
const PROBE_EVERY_MS = 250

/** Readings sent over HTTP one by one, and the ms until the live stream of events tells each. */
export async function probeLive(url: string, forMs: number): Promise<number[]> {
  const end = new AbortController()
  const sentMs: number[] = []
  const takenMs: number[] = []
  // The first one makes the home known; what is sent before anybody listens is told by no event.
  await send(url, -1)
  const answer = await until('the live events', async () => {
    const tried = await fetch(`${url}/api/v1/live?tenant=${TENANT}`, { signal: end.signal })
    if (tried.ok) return tried
    await tried.body?.cancel()
    return undefined
  })
  const listening = listen(answer, end.signal, (n) => {
    const sent = sentMs[n]
    if (sent !== undefined) takenMs[n] = performance.now() - sent
  })
  const untilMs = performance.now() + forMs
  for (let n = 0; performance.now() < untilMs; n++) {
    sentMs[n] = performance.now()
    await send(url, n)
    await sleep(PROBE_EVERY_MS)
  }
  await sleep(2_000)
  end.abort()
  await listening
  const lost = sentMs.length - takenMs.filter((ms) => ms !== undefined).length
  if (lost > 0) throw new Error(`${lost} of ${sentMs.length} readings were never told`)
  return takenMs
}

async function send(url: string, power: number): Promise<void> {
  const answer = await fetch(`${url}/api/v1/telemetry`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      tenant_id: TENANT,
      device_id: 'probe',
      timestamp: new Date().toISOString(),
      power_usage: power,
    }),
  })
  if (answer.status !== 202) throw new Error(`a reading was answered with ${answer.status}`)
}

/** Calls back with the power of each reading that the stream of events tells. */
async function listen(answer: Response, stop: AbortSignal, heard: (power: number) => void): Promise<void> {
  try {
    let text = ''
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      const events = (text + chunk).split('\n\n')
      text = events.pop()!
      for (const event of events) {
        if (!/^event: readings$/m.test(event)) continue
        const { readings } = JSON.parse(/^data: (.*)$/m.exec(event)![1]!) as {
          readings: { power_usage: number }[]
        }
        for (const { power_usage } of readings) heard(power_usage)
      }
    }
  } catch (error) {
    if (!stop.aborted) throw error
  }
}

export interface Freshness {
  silverS: number[]
  goldS: number[]
  /** Readings of that time that a layer does not hold yet. */
  missing: number
}

/**
 * How long each reading that was accepted between two moments took until it stood in Silver and in Gold, s: the time of the commit that first
 * covers its Bronze version, minus its `ingestion_time`. Taken from the tables' own logs afterwards, so that measuring costs nothing meanwhile.
 */
export async function freshness(data: string, fromMs: number, toMs: number): Promise<Freshness> {
  const engine = await openDuckDb({ memoryLimitMb: 512 })
  const lake = await openLake({ root: join(data, 'lake'), engine })
  const session = await engine.session()
  const silver = await commits(lake, 'silver.readings', 'bronze.telemetry')
  const gold = await commits(lake, 'gold.quarter_hourly_energy', 'silver.readings')
  const found: Freshness = { silverS: [], goldS: [], missing: 0 }
  const { version: newest } = await lake.snapshot('bronze.telemetry')
  for (let version = 1; version <= newest; version++) {
    const accepted = await acceptedMs(lake, session, version)
    const inSilver = silver.find(({ input }) => input >= version)
    const inGold = inSilver && gold.find(({ input }) => input >= inSilver.version)
    for (const ms of accepted.filter((each) => each >= fromMs && each < toMs)) {
      if (!inSilver || !inGold) found.missing += 1
      if (inSilver) found.silverS.push((inSilver.ms - ms) / 1000)
      if (inGold) found.goldS.push((inGold.ms - ms) / 1000)
    }
  }
  session.close()
  await lake.close()
  await engine.close()
  return found
}

/** The commits of a table in order, with the version of the input that each covers. */
async function commits(
  lake: Lake,
  table: string,
  input: string,
): Promise<{ version: number; ms: number; input: number }[]> {
  const all = await lake.history(table)
  return all
    .map(({ version, timestampMs, inputs }) => ({ version, ms: timestampMs, input: inputs[input] ?? -1 }))
    .toReversed()
}

async function acceptedMs(lake: Lake, session: Session, version: number): Promise<number[]> {
  const { added } = await lake.changes('bronze.telemetry', version - 1, version)
  if (added.length === 0) return []
  const rows = await session.rows<{ ms: number }>(
    `SELECT epoch_ms(ingestion_time)::DOUBLE AS ms FROM ${lake.scan('bronze.telemetry', added)}`,
  )
  return rows.map(({ ms }) => ms)
}

/** p50, p95 and p99 of each, with the budgets of the last. */
export function freshnessRows(rate: string, liveMs: readonly number[], { silverS, goldS }: Freshness): Row[] {
  return [
    ...percentiles(`${rate}: sent to live view`, liveMs, 'ms', 250),
    ...percentiles(`${rate}: accepted to Silver`, silverS, 's', 5),
    ...percentiles(`${rate}: accepted to Gold`, goldS, 's', 15),
  ]
}

function percentiles(what: string, figures: readonly number[], unit: string, p99: number): Row[] {
  return [0.5, 0.95, 0.99].map((share) => ({
    what: `${what}, p${share * 100}`,
    figure: percentile(figures, share),
    unit,
    data: `${figures.length.toLocaleString('en')} readings`,
    ...(share === 0.99 ? { budget: { atMost: p99 } } : {}),
  }))
}
