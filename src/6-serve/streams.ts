/** What the Streams page asks: topics and groups with the course of their lag, messages, dead letters put back. */
import type { GroupView, SeenMessage, StreamLook, TopicView } from '../2-stream/types.ts'
import { isPlatformError } from '../errors.ts'
import { DEAD_LETTER_TOPIC, TELEMETRY_TOPIC } from '../reading.ts'
import type {
  ReplayRequest,
  Replayed,
  StreamGroup,
  StreamMessage,
  StreamMessages,
  Streams,
  StreamTopic,
} from './contract.ts'
import { ApiError } from './problems.ts'

const SAMPLE_MS = 5_000
/** Five minutes of lag are remembered. */
const MOST_SAMPLES = 60
/** Samples are taken for so long after somebody last looked. */
const LOOKED_AT_MS = 60_000
/** A trend is measured over about so long. */
const TREND_OVER_MS = 30_000
const CUT_BYTES = 2_000

export interface MessagesQuery {
  topic: string
  partition?: number | undefined
  offset?: number | undefined
  since?: string | undefined
  after?: string | undefined
  key?: string | undefined
  text?: string | undefined
  path?: string | undefined
  limit: number
  full: 'true' | 'false'
}

export interface StreamsReader {
  read(): Promise<Streams>
  messages(query: MessagesQuery): Promise<StreamMessages>
  replay(request: ReplayRequest): Promise<Replayed>
  close(): Promise<void>
}

interface Sample {
  atMs: number
  topics: TopicView[]
  groups: GroupView[]
}

export function createStreams(look: StreamLook, clock: () => number): StreamsReader {
  const samples: Sample[] = []
  let lookedMs = 0
  let taking: Promise<Sample> | undefined
  let timer: NodeJS.Timeout | undefined

  const take = (): Promise<Sample> => {
    taking ??= (async () => {
      const [topics, groups] = [await look.topics(), await look.groups()]
      const sample = { atMs: clock(), topics, groups }
      samples.push(sample)
      if (samples.length > MOST_SAMPLES) samples.shift()
      return sample
    })().finally(() => (taking = undefined))
    return taking
  }
  const goOn = (): void => {
    timer ??= setInterval(() => {
      if (clock() - lookedMs > LOOKED_AT_MS) {
        clearInterval(timer)
        timer = undefined
      } else void take().catch(() => undefined) // Who asks is told.
    }, SAMPLE_MS).unref()
  }
  return {
    async read() {
      lookedMs = clock()
      goOn()
      const last = samples.at(-1)
      const now = last && lookedMs - last.atMs < SAMPLE_MS ? last : await take()
      return toldOf(look, samples, now)
    },
    messages: (query) => messagesOf(look, query),
    async replay(request) {
      const replayed = await asked(() => look.replay('all' in request ? null : request))
      return { replayed }
    },
    async close() {
      clearInterval(timer)
      await taking?.catch(() => undefined)
      await look.close()
    },
  }
}

function toldOf({ adapter, where }: StreamLook, samples: readonly Sample[], now: Sample): Streams {
  // Beyond a pause of the samples there is no trend.
  const recent = samples.slice(lastPause(samples))
  const before =
    recent.findLast(({ atMs }) => now.atMs - atMs >= TREND_OVER_MS) ?? recent.find((one) => one !== now)
  return {
    adapter,
    where,
    generated_at: new Date(now.atMs).toISOString(),
    sample_s: SAMPLE_MS / 1000,
    topics: now.topics.map(topicOf),
    groups: now.groups.map((group) => groupOf(group, before, now, recent)),
  }
}

/** Index of the first sample behind the last time in which none was taken. */
function lastPause(samples: readonly Sample[]): number {
  for (let at = samples.length - 1; at > 0; at--)
    if (samples[at]!.atMs - samples[at - 1]!.atMs > SAMPLE_MS * 3) return at
  return 0
}

function topicOf({ topic, partitions, bytes, retentionMs, replication }: TopicView): StreamTopic {
  const rates = partitions.map(({ ratePerS }) => ratePerS)
  const kind = topic === TELEMETRY_TOPIC ? 'telemetry' : topic === DEAD_LETTER_TOPIC ? 'dead_letter' : 'other'
  return {
    topic,
    kind,
    partitions: partitions.map(({ partition, start, end, ratePerS, leader, replicas, inSync }) => {
      return { partition, start, end, rate_per_s: ratePerS, leader, replicas, in_sync: inSync }
    }),
    messages: partitions.reduce((sum, { start, end }) => sum + end - start, 0),
    rate_per_s: rates.includes(null) ? null : rates.reduce<number>((sum, rate) => sum + rate!, 0),
    bytes,
    retention_ms: retentionMs,
    replication,
  }
}

function groupOf(
  { group, state, members, partitions }: GroupView,
  before: Sample | undefined,
  now: Sample,
  recent: readonly Sample[],
): StreamGroup {
  const then = before?.groups.find((one) => one.group === group)
  const overS = before ? (now.atMs - before.atMs) / 1000 : 0
  const trendOf = (lag: number, lagThen: number | undefined): number | null =>
    lagThen === undefined || overS <= 0 ? null : Math.round(((lag - lagThen) / overS) * 100) / 100
  return {
    group,
    state,
    members: members.map(({ client, host, partitions: own }) => {
      return { client, host, partitions: own.map(({ topic, partition }) => `${topic}/${partition}`) }
    }),
    lag: lagOf({ partitions }),
    lag_trend_per_s: trendOf(lagOf({ partitions }), then && lagOf(then)),
    lag_history: recent.flatMap(({ groups }) => groups.filter((one) => one.group === group).map(lagOf)),
    partitions: partitions.map((one) => {
      const old = then?.partitions.find((it) => it.topic === one.topic && it.partition === one.partition)
      return { ...one, lag_trend_per_s: trendOf(one.lag, old?.lag) }
    }),
  }
}

const lagOf = ({ partitions }: Pick<GroupView, 'partitions'>): number =>
  partitions.reduce((sum, { lag }) => sum + lag, 0)

async function messagesOf(look: StreamLook, query: MessagesQuery): Promise<StreamMessages> {
  const { topic, partition, offset, since, after, limit, full, key, text, path } = query
  if (full === 'true' && limit !== 1)
    throw new ApiError('bad_request', 'Whole values are given one at a time.', 'Ask with limit=1.')
  const filter = {
    ...(key !== undefined && { key }),
    ...(text !== undefined && { text }),
    ...(path !== undefined && { path }),
  }
  const asks = {
    limit,
    filter,
    ...(partition !== undefined && { partition }),
    ...(offset !== undefined && { offset }),
    ...(since !== undefined && { sinceMs: Date.parse(since) }),
    ...(after !== undefined && { from: cursorOf(after) }),
  }
  const found = await asked(() => look.messages(topic, asks, full === 'true' ? Infinity : CUT_BYTES))
  return {
    topic,
    messages: found.messages.map(messageOf),
    next: [...found.next].map((place) => place.join(':')).join(','),
    scanned: found.scanned,
  }
}

const cursorOf = (after: string): Map<number, number> =>
  new Map(after.split(',').map((place) => place.split(':').map(Number) as [number, number]))

function messageOf(message: SeenMessage): StreamMessage {
  const { partition, offset, ingestionTimeUs, key, headers, value, kind, text, bytes } = message
  return {
    partition,
    offset,
    time: new Date(ingestionTimeUs / 1000).toISOString(),
    key,
    headers: { ...headers },
    kind,
    text,
    raw: Buffer.from(value).toString('base64'),
    bytes,
    cut: value.byteLength < bytes,
  }
}

/** What was wrong with the question is told as such. */
async function asked<T>(look: () => Promise<T>): Promise<T> {
  try {
    return await look()
  } catch (error) {
    if (isPlatformError(error) && error.code === 'usage')
      throw new ApiError('bad_request', error.message, error.cure)
    if (isPlatformError(error) && error.code === 'stream_topic_missing')
      throw new ApiError('not_found', error.message, error.cure)
    throw error
  }
}
