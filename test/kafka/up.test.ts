/** The whole platform on Kafka as a person runs it: begun before the broker is there, looked at on both ports, verified. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { DataStatus, Streams } from '../../src/6-serve/contract.ts'
import { smarthouseHere, start } from '../house/run-cli.ts'
import { kafkaSkip } from '../servers/kafka.ts'
import { freePorts } from '../servers/ports.ts'
import { until } from './setting.ts'

interface Status {
  instance: { parts: { name: string; problem: string | null; last_error: string | null }[] }
}

test(
  '`up` on Kafka: without a broker it says so and devices wait; with one everything flows',
  { skip: kafkaSkip() },
  async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'smarthouse-up-kafka-'))
    // The broker's, the one after it for its controller, and the page's.
    const [broker, , ui] = await freePorts(3)
    const config = join(dir, 'smarthouse.yaml')
    const at = `127.0.0.1:${broker}`
    writeFileSync(
      config,
      `stream: { type: kafka, brokers: ['${at}'], partitions: 2, ui_port: ${ui} }\nsimulator: { history: 0s }\n`,
    )
    const words = ['--data', join(dir, 'data'), '--config', config]
    const platform = start(['up', '--no-open', '--port', '0', ...words])
    const started = [platform]
    t.after(async () => {
      for (const { child } of started) child.kill('SIGTERM')
      await Promise.all(started.map(({ ended }) => ended))
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
    })
    let url = ''
    await until(() => {
      url = /Dashboard: (http:\S+)/.exec(platform.output())?.[1] ?? ''
      return url !== ''
    })
    const ask = async <T>(path: string): Promise<T> => (await (await fetch(`${url}${path}`)).json()) as T

    // The broker is not there: the dashboard is, and says what is wrong; so does `status`; a device gets no acknowledgement.
    const sentence = new RegExp(`Kafka at ${at.replaceAll('.', '\\.')} cannot .*Check that the broker runs`)
    const problem = await ask<{ code: string; detail: string; cure: string }>('/api/v1/streams')
    assert.equal(problem.code, 'stream_unreachable')
    assert.match(`${problem.detail}. ${problem.cure}`, sentence)
    const before = await ask<DataStatus>('/api/v1/data-status')
    assert.deepEqual([before.state, before.stream], ['error', null])
    assert.match(before.reason, sentence)
    await until(async () => {
      const told = JSON.parse((await smarthouseHere('status', '--json', ...words)).stdout) as Status
      return told.instance.parts.every(({ problem: now, last_error }) =>
        sentence.test(`${now} ${last_error}`),
      )
    })
    const send = (signal?: AbortSignal) =>
      fetch(`${url}/api/v1/telemetry`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ device_id: 'plug-1', timestamp: new Date().toISOString(), power_usage: 12 }),
        ...(signal && { signal }),
      })
    await assert.rejects(send(AbortSignal.timeout(500)), { name: 'TimeoutError' })

    // Killed as it formats its folder or as it starts, it takes all that it started with it; said again it is there.
    const kafkaUp = ['kafka', 'up', '--port', String(broker), '--data', join(dir, 'broker')]
    const killed = start(kafkaUp)
    started.push(killed)
    await until(() => killed.output().includes('Starting Apache Kafka'))
    const formatted = join(dir, 'broker', 'kafka', 'data', 'meta.properties')
    if (Math.random() < 0.5) await until(() => existsSync(formatted))
    killed.child.kill('SIGKILL')
    const kafka = start(kafkaUp)
    started.push(kafka)
    await until(() => kafka.output().includes('not for a house'))
    assert.equal((await send()).status, 202)
    const rowsOf = ({ layers }: DataStatus, layer: string): number =>
      layers.find((one) => one.layer === layer)?.rows ?? 0
    await until(async () => {
      const now = await ask<DataStatus>('/api/v1/data-status')
      return now.stream !== null && rowsOf(now, 'bronze') > 0 && rowsOf(now, 'gold') > 0
    })

    // The page's port leads to the page, and answers as the first one does.
    const home = await fetch(`http://127.0.0.1:${ui}/`, { redirect: 'manual' })
    assert.deepEqual([home.status, home.headers.get('location')], [302, '/streams'])
    const look = async (): Promise<Streams> =>
      (await (await fetch(`http://127.0.0.1:${ui}/api/v1/streams`)).json()) as Streams
    const groupIn = ({ groups }: Streams) => groups.find((one) => one.group === 'smarthouse-bronze')
    // The page is a sample taken every few seconds: the one before the worker had joined does not know it.
    await until(async () => groupIn(await look())?.members.length === 1)
    const streams = await look()
    assert.deepEqual([streams.adapter, streams.where], ['kafka', at])
    const telemetry = streams.topics.find(({ kind }) => kind === 'telemetry')!
    assert.equal(telemetry.partitions.length, 2)
    const group = groupIn(streams)!
    assert.equal(group.members.length, 1)
    assert.ok(group.partitions.every(({ topic }) => topic === telemetry.topic))
    // A second one on the same port leaves it alone, and says so.
    const second = start(['serve', '--port', '0', ...words])
    started.push(second)
    await until(() => second.output().includes(`Port ${ui} (stream.ui_port) is taken`))

    second.child.kill('SIGTERM')
    assert.equal(await second.ended, 0, second.output())
    assert.equal((await smarthouseHere('down', '--data', join(dir, 'data'))).status, 0)
    assert.equal(await platform.ended, 0, platform.output())
    const worked = await smarthouseHere('stages', '--once', ...words)
    assert.equal(worked.status, 0, worked.stderr)
    const verified = await smarthouseHere('verify', ...words)
    assert.equal(verified.status, 0, verified.stdout + verified.stderr)
    kafka.child.kill('SIGTERM')
    assert.equal(await kafka.ended, 0, kafka.output())
  },
)
