/** Reading a partition of Kafka from an offset on: what a fetch brought, as records, with what is no record left out. */
import type { Consumer, KafkaRecord, RecordsBatch } from './kafka-library.ts'
import type { StreamRecord } from './log.ts'

/** Bits of a batch's attributes: <https://kafka.apache.org/documentation/#recordbatch>. */
const IS_STAMPED_BY_BROKER = 0x08
const IS_TRANSACTIONAL = 0x10
const IS_CONTROL = 0x20
/** Type of a control record, the second half-word of its key: the transaction was aborted. */
const ABORT = 0

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>
/** One partition of the broker's answer. */
export type FetchedPartition = FetchResponse['responses'][number]['partitions'][number]

export interface Fetched {
  records: StreamRecord[]
  /** Where the next fetch begins: after all that was looked at, records or not. */
  next: number
}

/**
 * The committed records of a fetched partition from the wanted offset on. Control batches and aborted transactions
 * are passed over: the batches of an aborted producer, from the first offset of its transaction to its abort marker.
 */
export function recordsOf(topic: string, fetched: FetchedPartition, from: number, nowUs: number): Fetched {
  const aborted = (fetched.abortedTransactions ?? []).toSorted((a, b) =>
    Number(a.firstOffset - b.firstOffset),
  )
  const aborting = new Set<bigint>()
  const records: StreamRecord[] = []
  let next = from
  for (const batch of fetched.records ?? []) {
    while (aborted.length > 0 && aborted[0]!.firstOffset <= batch.firstOffset)
      aborting.add(aborted.shift()!.producerId)
    const first = Number(batch.firstOffset)
    next = Math.max(next, first + batch.lastOffsetDelta + 1)
    if (batch.attributes & IS_CONTROL) {
      if (batch.records[0]?.key?.readInt16BE(2) === ABORT) aborting.delete(batch.producerId)
      continue
    }
    if (batch.attributes & IS_TRANSACTIONAL && aborting.has(batch.producerId)) continue
    addBatch(records, batch, { topic, partition: fetched.partitionIndex, from, nowUs })
  }
  return { records, next }
}

interface Place {
  topic: string
  partition: number
  from: number
  nowUs: number
}

function addBatch(
  records: StreamRecord[],
  batch: RecordsBatch,
  { topic, partition, from, nowUs }: Place,
): void {
  const first = Number(batch.firstOffset)
  // A topic that keeps the producers' times does not say when it took a message: then it is taken now.
  const ingestionTimeUs = batch.attributes & IS_STAMPED_BY_BROKER ? Number(batch.maxTimestamp) * 1000 : nowUs
  for (const one of batch.records) {
    const offset = first + one.offsetDelta
    if (offset < from) continue
    const record: StreamRecord = {
      topic,
      partition,
      offset,
      ingestionTimeUs,
      key: one.key === null ? null : one.key.toString(),
      value: one.value ?? EMPTY,
    }
    if (one.value === null) record.isTombstone = true
    if (one.headers.length > 0) record.headers = headersOf(one)
    records.push(record)
  }
}

const EMPTY = Buffer.alloc(0)

/** Kafka allows a header several times: the last one counts, as with its own `lastHeader`. */
const headersOf = ({ headers }: KafkaRecord): Record<string, string> =>
  Object.fromEntries(headers.map(([name, value]) => [name?.toString() ?? '', value?.toString() ?? '']))
