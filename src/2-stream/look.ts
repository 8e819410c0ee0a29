/** A view of the stream for many short looks, as a page takes them: topics that were opened stay open for a while. */
import { isUtf8 } from 'node:buffer'
import { decodedOf, findMessages, textOf } from './messages.ts'
import { replay } from './replay.ts'
import type { StreamLog, StreamRecord } from './log.ts'
import type { MessageKind, SeenMessage, StreamLook, StreamView } from './types.ts'

/** So long after the last look a topic is closed. */
const KEEP_OPEN_MS = 60_000
/** One answer looks at about so many bytes of values; whoever wants more reads on from `next`. */
const MOST_BYTES = 32 * 1024 * 1024

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
    messages: (topic, query, cutBytes) =>
      withTopic(topic, (log) =>
        findMessages(log, { mostBytes: MOST_BYTES, ...query }, (record) => seen(record, cutBytes)),
      ),
    replay: (chosen) => replay(view, chosen),
    async close() {
      await Promise.all([...open.keys()].map(letGo))
      await view.close()
    },
  }
}

/** Copies what is cut, so that the whole is not held any longer. */
function seen(record: StreamRecord, cutBytes: number): SeenMessage {
  const { value } = record
  const kind = kindOf(record)
  const body = kind === 'registry_json' ? value.subarray(5) : value
  const isCut = value.byteLength > cutBytes
  return {
    ...record,
    value: isCut ? value.slice(0, cutBytes) : value,
    kind,
    bytes: value.byteLength,
    text: isCut && isUtf8(body) ? beginning(body, cutBytes) : textOf({ value: body }),
  }
}

/** Ends at a whole character. */
const beginning = (text: Uint8Array, bytes: number): string =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(text.subarray(0, bytes), { stream: true })

function kindOf(record: StreamRecord): MessageKind {
  if (record.isTombstone) return 'tombstone'
  if (decodedOf(record) !== undefined) return record.value[0] === 0 ? 'registry_json' : 'json'
  return textOf(record) === null ? 'binary' : 'text'
}
