/** Two topics on three nodes, a group that falls behind, messages of every kind: what the Streams page is shown. */
import type {
  StreamGroup,
  StreamMessage,
  StreamMessages,
  Streams,
  StreamTopic,
} from '../../src/6-serve/contract.ts'
import type { FakeState } from './fake-api.ts'

const TELEMETRY = 'smart_home.telemetry'
const DEAD = 'smart_home.telemetry.dead-letter'

/** Messages that a follower has been given besides the first ones. */
let arrived = 0
/** What was asked to be put back. */
export const replays: unknown[] = []

/** The answer to a path of the stream; undefined: it is none of ours. */
export function streamsBody(state: FakeState, url: URL, body: string): unknown {
  switch (url.pathname) {
    case '/api/v1/streams':
      return streams(state === 'empty')
    case '/api/v1/streams/messages':
      return messagesOf(url.searchParams, state === 'empty')
    case '/api/v1/streams/replay':
      replays.push(JSON.parse(body))
      return { replayed: 'all' in JSON.parse(body) ? 2 : 1 }
    default:
      return undefined
  }
}

function streams(empty: boolean): Streams {
  return {
    adapter: 'kafka',
    where: 'kafka-1:9092, kafka-2:9092',
    generated_at: new Date().toISOString(),
    sample_s: 5,
    topics: [topic(TELEMETRY, 'telemetry', empty ? 0 : 60_000), topic(DEAD, 'dead_letter', empty ? 0 : 2)],
    groups: empty ? [] : [group()],
  }
}

function topic(name: string, kind: StreamTopic['kind'], messages: number): StreamTopic {
  const share = [3, 2, 1].map((part) => Math.round((messages * part) / 6))
  return {
    topic: name,
    kind,
    partitions: share.map((count, partition) => ({
      partition,
      start: 1_000,
      end: 1_000 + count,
      rate_per_s: messages === 0 ? 0 : 12.5,
      leader: partition + 1,
      replicas: [1, 2, 3],
      in_sync: partition === 2 ? [1, 3] : [1, 2, 3],
    })),
    messages,
    rate_per_s: messages === 0 ? 0 : 37.5,
    bytes: messages * 140,
    retention_ms: 604_800_000,
    replication: 3,
  }
}

function group(): StreamGroup {
  const lags = [120, 0, 30]
  return {
    group: 'smarthouse-bronze',
    state: 'stable',
    members: [
      { client: 'smarthouse-1', host: '10.0.0.4', partitions: [`${TELEMETRY}/0`, `${TELEMETRY}/1`] },
      { client: 'smarthouse-2', host: '10.0.0.5', partitions: [`${TELEMETRY}/2`] },
    ],
    lag: 150,
    lag_trend_per_s: 4.5,
    lag_history: [0, 10, 40, 30, 90, 120, 150],
    partitions: lags.map((lag, partition) => ({
      topic: TELEMETRY,
      partition,
      committed: 5_000 - lag,
      end: 5_000,
      lag,
      lag_trend_per_s: [4.5, 0, -1][partition]!,
    })),
  }
}

function messagesOf(asked: URLSearchParams, empty: boolean): StreamMessages {
  const name = asked.get('topic')!
  const nothing = { topic: name, messages: [], next: '0:1000', scanned: 0 }
  if (empty) return nothing
  if (asked.get('text') === 'nowhere') return { ...nothing, scanned: 48_000 }
  if (asked.has('after')) {
    arrived++
    return {
      topic: name,
      messages: [message(arrived + 90, json(`new-${arrived}`))],
      next: `0:${arrived}`,
      scanned: 1,
    }
  }
  const all = [
    message(41, Buffer.from([0xca, 0xfe, 0x00]), { kind: 'binary', key: null, text: null }),
    message(42, Buffer.from('plain words'), { kind: 'text', text: 'plain words' }),
    message(43, Buffer.alloc(0), { kind: 'tombstone', text: null }),
    message(44, json('plug-1')),
  ]
  const offset = Number(asked.get('offset') ?? 0)
  return { topic: name, messages: all.filter((one) => one.offset >= offset), next: '0:45', scanned: 4 }
}

const json = (device: string): Buffer =>
  Buffer.from(JSON.stringify({ device_id: device, timestamp: '2026-03-09T10:00:00Z', power_usage: 120.5 }))

function message(offset: number, value: Buffer, other: Partial<StreamMessage> = {}): StreamMessage {
  return {
    partition: 0,
    offset,
    time: new Date(Date.now() - (100 - offset) * 1000).toISOString(),
    key: 'plug-1',
    headers: { origin: 'attic' },
    kind: 'json',
    text: value.toString(),
    raw: value.toString('base64'),
    bytes: value.byteLength,
    cut: false,
    ...other,
  }
}
