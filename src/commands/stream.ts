import { setTimeout as sleep } from 'node:timers/promises'
import { decodedOf, findMessages, parsePath, textOf } from '../2-stream/messages.ts'
import { replay } from '../2-stream/replay.ts'
import type { StreamRecord } from '../2-stream/log.ts'
import type { GroupView, MessageFilter, MessageQuery, StreamView } from '../2-stream/types.ts'
import { dataFolderAt } from '../data-folder.ts'
import { PlatformError } from '../errors.ts'
import { dataPath, openConfig, openSettings, openStreamView, openWarehouse } from '../main.ts'
import { DEAD_LETTER_TOPIC, TELEMETRY_TOPIC } from '../reading.ts'
import { bytesText, nearest } from '../units.ts'
import {
  COMMON_OPTIONS,
  JSON_OPTION,
  refuseForeign,
  wholeNumber,
  type Arguments,
  type Command,
} from './command.ts'

const TREND_OVER_MS = 2_000
const FOLLOW_EVERY_MS = 250
const MOST_MESSAGES = 100_000

/** What each does with the stream, by its name. */
const ACTIONS = { topics, offsets, groups, tail, replay: replayDeadLetters } as const
type Action = keyof typeof ACTIONS

/** Those of the command's options that mean something to each. */
const TAKES: Readonly<Record<Action, readonly string[]>> = {
  topics: [],
  offsets: [],
  groups: [],
  tail: ['partition', 'offset', 'since', 'limit', 'follow', 'key', 'text', 'path', 'raw'],
  replay: ['partition', 'offset', 'all'],
}

export const STREAM: Command = {
  name: 'stream',
  summary: 'look into the stream: topics, offsets, groups and their lag, messages, dead letters',
  positional: 'topics|offsets|groups|tail|replay [TOPIC]',
  options: {
    ...COMMON_OPTIONS,
    ...JSON_OPTION,
    partition: { value: 'N', description: 'tail, replay: this partition only' },
    offset: { value: 'N', description: 'tail: from this offset on; replay: this message' },
    since: { value: 'TIME', description: 'tail: from this time on, for example 2026-01-15T10:00:00Z' },
    limit: { value: 'N', description: 'tail: messages of each partition; default 20' },
    follow: { description: 'tail: go on with what arrives' },
    key: { value: 'KEY', blank: true, description: 'tail: only messages of this key' },
    text: { value: 'TEXT', blank: true, description: 'tail: only messages in which this stands' },
    path: { value: 'PATH', description: 'tail: only with $.device_id=plug-1, or where $.alert is there' },
    raw: { description: 'tail: the bytes in base64, not decoded' },
    all: { description: 'replay: every dead letter' },
  },
  examples: [
    'smarthouse stream topics',
    'smarthouse stream groups',
    'smarthouse stream tail --follow --path $.device_id=plug-1',
    `smarthouse stream tail ${DEAD_LETTER_TOPIC}`,
    'smarthouse stream replay --partition 0 --offset 17',
  ],
  async run(args, stop) {
    const [name = '', topic, ...others] = args.positionals
    if (!Object.hasOwn(ACTIONS, name)) {
      const known = Object.keys(ACTIONS)
      const guess = nearest(name, known)
      throw new PlatformError(
        'usage',
        name === '' ? 'smarthouse stream needs to know what to show' : `smarthouse stream has no "${name}"`,
        guess ? `Did you mean ${guess}?` : `Write one of ${known.join(', ')}.`,
      )
    }
    refuseForeign(STREAM, name, args, TAKES[name as Action])
    if (others.length > 0)
      throw new PlatformError(
        'usage',
        `stream ${name} takes no "${others[0]}"`,
        'See smarthouse stream --help.',
      )
    const query = queryOf(args)
    if (name === 'replay') requireChosen(args)
    // A stream on Kafka is there without a folder; an embedded one lies in it.
    const { config, baseDir } = openConfig(args)
    const isEmbedded = config.stream.type === 'embedded'
    const settings = isEmbedded
      ? openSettings(args)
      : { config, baseDir, folder: dataFolderAt(dataPath(args)) }
    // Only the lake knows how far the embedded log has been landed.
    const needsLake = isEmbedded && name === 'groups'
    const warehouse = needsLake ? await openWarehouse(settings) : null
    const view = await openStreamView(settings, warehouse?.lake ?? null)
    try {
      await ACTIONS[name as Action](view, args, { topic, stop, query })
      return 0
    } finally {
      await view.close()
      await warehouse?.close()
    }
  },
}

interface Context {
  topic: string | undefined
  stop: AbortSignal
  query: MessageQuery
}

const json = (value: unknown): void => console.log(JSON.stringify(value, null, 2))
const number = (value: number): string => value.toLocaleString('en')

async function topics(view: StreamView, args: Arguments): Promise<void> {
  const found = await view.topics()
  if (args.flag('json')) return json(found)
  if (found.length === 0) console.log('There is no topic yet.')
  for (const { topic, partitions, bytes, retentionMs, replication } of found) {
    const messages = partitions.reduce((sum, { start, end }) => sum + end - start, 0)
    const rate = partitions.reduce((sum, { ratePerS }) => sum + (ratePerS ?? 0), 0)
    const kept = retentionMs === null ? 'for ever' : `${number(Math.round(retentionMs / 3_600_000))} h`
    const words = [`${partitions.length} partitions`, `${number(messages)} offsets`, `${rate.toFixed(1)}/s`]
    const size = bytes === null ? '–' : bytesText(bytes)
    console.log(
      `${topic.padEnd(36)} ${[...words, size, `kept ${kept}`, `${replication} replicas`].join('  ')}`,
    )
  }
}

async function offsets(view: StreamView, args: Arguments, { topic }: Context): Promise<void> {
  const found = (await view.topics()).filter((one) => topic === undefined || one.topic === topic)
  if (args.flag('json')) return json(found)
  for (const one of found)
    for (const { partition, start, end, leader, inSync, replicas } of one.partitions) {
      const place = leader === null ? '' : `leader ${leader}, in step ${inSync.length} of ${replicas.length}`
      console.log(`${`${one.topic}/${partition}`.padEnd(40)} ${start}–${end}  ${place}`)
    }
}

async function groups(view: StreamView, args: Arguments, { stop }: Context): Promise<void> {
  const before = await view.groups()
  await sleep(TREND_OVER_MS, undefined, { signal: stop }).catch(() => undefined)
  const found = await view.groups()
  const trends = found.map((group) => ({ ...group, lag_trend_per_s: trendOf(before, group) }))
  if (args.flag('json')) return json(trends)
  for (const { group, state, members, partitions, lag_trend_per_s: trend } of trends) {
    const lag = partitions.reduce((sum, one) => sum + one.lag, 0)
    const way =
      trend === 0
        ? 'steady'
        : trend > 0
          ? `growing ${trend.toFixed(1)}/s`
          : `shrinking ${(-trend).toFixed(1)}/s`
    console.log(`${group}  ${state}  ${members.length} members  lag ${number(lag)}, ${way}`)
    for (const one of partitions)
      console.log(
        `  ${`${one.topic}/${one.partition}`.padEnd(38)} at ${one.committed} of ${one.end}, lag ${number(one.lag)}`,
      )
  }
}

/** Messages a second by which a group's lag grows (or, below 0, shrinks). */
function trendOf(before: readonly GroupView[], now: GroupView): number {
  const lag = (group: GroupView | undefined): number =>
    group?.partitions.reduce((sum, one) => sum + one.lag, 0) ?? 0
  const then = before.find(({ group }) => group === now.group)
  return then ? ((lag(now) - lag(then)) * 1000) / TREND_OVER_MS : 0
}

async function tail(
  view: StreamView,
  args: Arguments,
  { topic = TELEMETRY_TOPIC, stop, query: asked }: Context,
): Promise<void> {
  const log = await view.open(topic)
  try {
    let query = asked
    for (;;) {
      const { messages, next } = await findMessages(log, query)
      for (const message of messages) print(message, args)
      if (!args.flag('follow') || stop.aborted) return
      query = { ...query, from: next, limit: MOST_MESSAGES }
      await sleep(FOLLOW_EVERY_MS, undefined, { signal: stop }).catch(() => undefined)
    }
  } finally {
    await log.close()
  }
}

function queryOf(args: Arguments): MessageQuery {
  const whole = (name: string, most: number): number | undefined => {
    const text = args.text(name)
    return text === undefined ? undefined : wholeNumber(`--${name}`, text, 0, most)
  }
  const since = args.text('since')
  const sinceMs = since === undefined ? undefined : Date.parse(since)
  if (Number.isNaN(sinceMs))
    throw new PlatformError(
      'usage',
      `--since ${since} is no time`,
      'Write for example --since 2026-01-15T10:00:00Z.',
    )
  const partition = whole('partition', 1_000_000)
  const offset = whole('offset', Number.MAX_SAFE_INTEGER)
  const filter = Object.fromEntries(
    ['key', 'text', 'path'].map((name) => [name, args.text(name)]).filter(([, text]) => text !== undefined),
  ) as MessageFilter
  parsePath(filter.path)
  return {
    limit: whole('limit', MOST_MESSAGES) ?? 20,
    filter,
    ...(partition !== undefined && { partition }),
    ...(offset !== undefined && { offset }),
    ...(sinceMs !== undefined && { sinceMs }),
  }
}

function print(record: StreamRecord, args: Arguments): void {
  const { partition, offset, ingestionTimeUs, key, headers, value, isTombstone } = record
  const time = new Date(ingestionTimeUs / 1000).toISOString()
  const text = args.flag('raw') ? null : textOf(record)
  const shown = text ?? Buffer.from(value).toString('base64')
  if (args.flag('json'))
    return console.log(
      JSON.stringify({
        partition,
        offset,
        time,
        key,
        headers: headers ?? {},
        value: shown,
        decoded: decodedOf(record),
      }),
    )
  const told = Object.entries(headers ?? {}).map(([name, value_]) => `${name}=${value_}`)
  console.log(
    [`${partition}/${offset}`, time, key ?? '–', ...told, isTombstone ? '(no value)' : shown].join('  '),
  )
}

function requireChosen(args: Arguments): void {
  if (!args.flag('all') && !(args.flag('partition') && args.flag('offset')))
    throw new PlatformError(
      'usage',
      'smarthouse stream replay needs to know which dead letter',
      'Write --partition N --offset N as `stream tail` shows them, or --all.',
    )
}

async function replayDeadLetters(view: StreamView, args: Arguments, { query }: Context): Promise<void> {
  const { partition, offset } = query
  const chosen = args.flag('all') ? null : { partition: partition!, offset: offset! }
  const count = await replay(view, chosen)
  if (args.flag('json')) return json({ replayed: count })
  console.log(
    `${number(count)} dead letters were put on ${TELEMETRY_TOPIC} again; Bronze lands them as new arrivals.`,
  )
}
