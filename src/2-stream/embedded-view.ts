/** The embedded logs as they are seen from outside: each file is a topic, and Bronze is the group that reads them. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { PlatformError } from '../errors.ts'
import { BRONZE_GROUP } from '../reading.ts'
import { isStreamFile } from './embedded-file.ts'
import { openEmbeddedLog } from './embedded.ts'
import { firstOffsetSince } from './seek.ts'
import type { GroupPartition, StreamView, TopicView } from './types.ts'
import { RATE_OVER_S } from './types.ts'

const ENDING = '.sqlite'

export interface EmbeddedViewOptions {
  dir: string
  /** The next offset that Bronze reads of a topic; undefined where it reads none of it. */
  landed(topic: string): Promise<number | undefined>
  /** How long what was landed is kept, ms. */
  retentionMs: number
}

export function openEmbeddedView({ dir, landed, retentionMs }: EmbeddedViewOptions): StreamView {
  const names = (): string[] =>
    existsSync(dir)
      ? readdirSync(dir)
          .filter((file) => file.endsWith(ENDING) && isStreamFile(join(dir, file)))
          .map((file) => file.slice(0, -ENDING.length))
          .toSorted()
      : []
  const topicOf = async (topic: string): Promise<TopicView> => {
    const log = await openEmbeddedLog({ dir, topic })
    try {
      const [bounds] = await log.bounds()
      const since = await firstOffsetSince(log, bounds!, (Date.now() - RATE_OVER_S * 1000) * 1000)
      const place = { leader: null, replicas: [], inSync: [] }
      const files = ['', '-wal'].map((ending) => join(dir, `${topic}${ENDING}${ending}`))
      const bytes = files.reduce((sum, file) => sum + (existsSync(file) ? statSync(file).size : 0), 0)
      const partition = { ...bounds!, ratePerS: (bounds!.end - since) / RATE_OVER_S, ...place }
      return { topic, partitions: [partition], bytes, retentionMs, replication: 1 }
    } finally {
      await log.close()
    }
  }
  const topics = async (): Promise<TopicView[]> => {
    const views: TopicView[] = []
    for (const name of names()) views.push(await topicOf(name))
    return views
  }
  return {
    topics,
    async groups() {
      const partitions: GroupPartition[] = []
      for (const { topic, partitions: own } of await topics()) {
        const committed = await landed(topic)
        if (committed === undefined) continue
        for (const { partition, end } of own)
          partitions.push({ topic, partition, committed, end, lag: Math.max(0, end - committed) })
      }
      return [{ group: BRONZE_GROUP, state: 'embedded', members: [], partitions }]
    },
    async open(topic) {
      // Looking at a topic never creates one.
      if (names().includes(topic)) return await openEmbeddedLog({ dir, topic })
      throw new PlatformError(
        'stream_topic_missing',
        `There is no topic ${topic}`,
        `There are: ${names().join(', ') || 'none yet'}.`,
      )
    },
    close: async () => undefined,
  }
}
