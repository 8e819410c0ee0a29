/** A view of the stream for many short looks, as a page takes them: topics that were opened stay open for a while. */
import { decodedOf, findMessages, textOf } from './messages.ts'
import { replay } from './replay.ts'
import type { StreamLog, StreamRecord } from './log.ts'
import type { MessageKind, SeenMessage, StreamLook, StreamView } from './types.ts'

/** So long after the last look a topic is closed. */
const KEEP_OPEN_MS = 60_000

export function openLook(
  view: StreamView,
  { adapter, where }: Pick<StreamLook, 'adapter' | 'where'>,
): StreamLook {
  const open = new Map<string, { log: Promise<StreamLog>; looks: number; timer: NodeJS.Timeout | null }>()
  const letGo = async (topic: string): Promise<void> => {
    const kept = open.get(topic)
    open.delete(topic)
    clearTimeout(kept?.timer ?? undefined)
    await kept?.log.then((log) => log.close()).catch(() => undefined)
  }
  const withTopic = async <T>(topic: string, look: (log: StreamLog) => Promise<T>): Promise<T> => {
    const kept = open.get(topic) ?? { log: view.open(topic), looks: 0, timer: null }
    open.set(topic, kept)
    kept.looks++
    clearTimeout(kept.timer ?? undefined)
    try {
      return await look(await kept.log)
    } catch (error) {
      // What could not be opened, or reached, is opened anew at the next look.
      if (open.get(topic) === kept) await letGo(topic)
      throw error
    } finally {
      if (--kept.looks === 0 && open.get(topic) === kept)
        kept.timer = setTimeout(() => void letGo(topic), KEEP_OPEN_MS).unref()
    }
  }
  return {
    adapter,
    where,
    topics: () => view.topics(),
    groups: () => view.groups(),
    messages: (topic, query) =>
      withTopic(topic, async (log) => {
        const found = await findMessages(log, query)
        return { ...found, messages: found.messages.map(seen) }
      }),
    replay: (chosen) => replay(view, chosen),
    async close() {
      await Promise.all([...open.keys()].map(letGo))
      await view.close()
    },
  }
}

function seen(record: StreamRecord): SeenMessage {
  const kind = kindOf(record)
  const value = kind === 'registry_json' ? record.value.subarray(5) : record.value
  return { ...record, kind, text: textOf({ ...record, value }) }
}

function kindOf(record: StreamRecord): MessageKind {
  if (record.isTombstone) return 'tombstone'
  if (decodedOf(record) !== undefined) return record.value[0] === 0 ? 'registry_json' : 'json'
  return textOf(record) === null ? 'binary' : 'text'
}
