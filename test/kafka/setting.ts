/** A topic, a lake that lands it, and clients of others around it. */
import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  Admin,
  ConfigResourceTypes,
  IncrementalAlterConfigOperationTypes,
  Producer,
} from '@platformatic/kafka'
import { joinShare } from '../../src/2-stream/kafka-share.ts'
import { openKafkaLog } from '../../src/2-stream/kafka.ts'
import type { Share, StreamLog } from '../../src/2-stream/log.ts'
import { createBronzeStage } from '../../src/3-bronze/land.ts'
import { openDuckDb, openLake } from '../../src/lake/index.ts'
import { openHouse, type House } from '../3-bronze/house.ts'
import type { Kafka } from '../servers/kafka.ts'

let topics = 0

export interface Setting {
  topic: string
  log: StreamLog
  house: House
  admin: Admin
  /** A producer of somebody else's. */
  other(options?: { transactionalId?: string }): Producer
  gaps(): Promise<Record<string, unknown>[]>
}

export const reading = (n: number): Buffer =>
  Buffer.from(`{"device_id":"d${n % 5}","timestamp":"2024-01-15T10:30:00Z","power_usage":${n}}`)
export const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, n) => from + n)

export interface Producing {
  /** Of the readings from 0 on. */
  acknowledged(): number
  /** Ends it once what is under way has been acknowledged; throws what an append threw. */
  stop(): Promise<void>
}

/** Appends readings to a log, fifty at a time, until it is stopped. */
export function produceOn(log: StreamLog, pauseMs: number): Producing {
  let sent = 0
  let running = true
  const producing = (async () => {
    while (running) {
      await log.append(upTo(50, sent).map((n) => ({ key: `k${n}`, value: reading(n) })))
      sent += 50
      await sleep(pauseMs)
    }
  })()
  producing.catch(() => undefined) // Told to who stops it.
  return {
    acknowledged: () => sent,
    stop: () => {
      running = false
      return producing
    },
  }
}

export function settingsOn(kafka: () => Kafka) {
  const clients = () => ({ clientId: 'somebody', bootstrapBrokers: kafka().brokers, retries: 5 })

  return async function withSetting(
    options: { partitions: number; configs?: Record<string, string> },
    body: (setting: Setting) => Promise<void>,
  ): Promise<void> {
    const topic = `bronze-${++topics}`
    const admin = new Admin(clients())
    if (options.configs) {
      const configs = Object.entries(options.configs).map(([name, value]) => ({ name, value }))
      await admin.createTopics({ topics: [topic], partitions: options.partitions, replicas: 1, configs })
    }
    const log = await openTopic(kafka(), topic, options.partitions)
    const house = await openHouse(undefined, { log, keepStreamMs: null, maxRecords: 1_000 })
    const closing: (() => Promise<unknown>)[] = []
    try {
      await body({
        topic,
        log,
        house,
        admin,
        other: (own = {}) => {
          const producer = new Producer({
            ...clients(),
            ...own,
            ...(own.transactionalId && { idempotent: true }),
          })
          closing.push(() => producer.close(true))
          return producer
        },
        gaps: () => rowsOf(house, 'bronze.stream_gaps'),
      })
    } finally {
      for (const close of closing) await close()
      await house.remove()
      await admin.close()
    }
  }
}

export const powersOf = (rows: Record<string, unknown>[]): number[] =>
  rows.map((row) => Number(row.power_usage)).toSorted((a, b) => a - b)

export const missingOf = (gaps: Record<string, unknown>[], reason: string): number =>
  gaps.filter((gap) => gap.reason === reason).reduce((sum, gap) => sum + Number(gap.missing_offsets), 0)

async function rowsOf(house: House, table: string): Promise<Record<string, unknown>[]> {
  const { files } = await house.lake.snapshot(table)
  const session = await house.engine.session()
  const rows = await session.rows(`SELECT * FROM ${house.lake.scan(table, files)} ORDER BY ALL`)
  await session.close()
  return rows
}

export function openTopic(kafka: Kafka, topic: string, partitions: number): Promise<StreamLog> {
  return openKafkaLog({
    connection: { brokers: kafka.brokers },
    topic,
    create: true,
    partitions,
    replication: 1,
    retentionMs: 3_600_000,
  })
}

export async function alterTopic(kafka: Kafka, topic: string, name: string, value: string): Promise<void> {
  const admin = new Admin({ clientId: 'somebody', bootstrapBrokers: kafka.brokers, retries: 5 })
  const configs = [{ name, configOperation: IncrementalAlterConfigOperationTypes.SET, value }]
  await admin.incrementalAlterConfigs({
    resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs }],
  })
  await admin.close()
}

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, 'it did not come about')
    await sleep(50)
  }
}

/** A worker on the house's lake, with an engine and a membership of its own. */
export async function worker(house: House, kafka: Kafka, topic: string, groupId: string) {
  const engine = await openDuckDb({
    threads: 1,
    tempDirectory: mkdtempSync(join(tmpdir(), 'smarthouse-worker-')),
  })
  const lake = await openLake({ root: join(house.dir, 'lake'), engine })
  const log = await openTopic(kafka, topic, 1)
  const connection = { brokers: kafka.brokers }
  const share: Share = await joinShare({ connection, topic, groupId, onProblem: () => undefined })
  let hold: { reached: () => void; woken: Promise<void> } | undefined
  const stage = await createBronzeStage({
    lake: {
      ...lake,
      commit: async (table, request) => {
        const held = table === 'bronze.telemetry' ? hold : undefined
        hold = undefined
        held?.reached()
        await held?.woken
        return await lake.commit(table, request)
      },
    },
    engine,
    log,
    share,
    keepStreamMs: null,
    maxRecords: 500,
  })
  return {
    stage,
    share,
    stallNextCommit() {
      const reached = Promise.withResolvers<void>()
      const woken = Promise.withResolvers<void>()
      hold = { reached: reached.resolve, woken: woken.promise }
      return { reached: reached.promise, wake: woken.resolve }
    },
    async close() {
      await stage.close()
      await share.close()
      await log.close()
      await lake.close()
      await engine.close()
    },
  }
}

export async function workOff(
  workers: readonly {
    stage: { step(options: { final: boolean }): Promise<{ more: boolean; rows: number }> }
  }[],
): Promise<void> {
  for (let quiet = 0; quiet < 3;) {
    let busy = false
    for (const { stage } of workers) {
      const { more, rows } = await stage.step({ final: false })
      busy ||= more || rows > 0
    }
    quiet = busy ? 0 : quiet + 1
  }
}
