import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { dataFolder, start } from '../house/run-cli.ts'

/** Nobody listens on port 1. */
const AWAY = { type: 'kafka', brokers: ['127.0.0.1:1'], ui_port: 0 }
const KEY = 'a-key-for-the-hall-0123456789'

test('a stop while Kafka is away ends the requests that wait: the sender is told, and the server is gone', async (t) => {
  const data = dataFolder(t)
  writeFileSync(`${data}.yaml`, JSON.stringify({ stream: AWAY }))
  const server = start(['serve', '--port', '0', '--data', data, '--config', `${data}.yaml`])
  t.after(() => server.child.kill('SIGKILL'))
  let url: string | undefined
  while (url === undefined) {
    url = /Dashboard: (http:\S+)/.exec(server.output())?.[1]
    assert.equal(server.child.exitCode, null, server.output())
    await sleep(50)
  }
  const body = JSON.stringify({ device_id: 'plug', timestamp: '2026-01-15T10:00:00Z', power_usage: 12 })
  const headers = { 'content-type': 'application/json' }
  let answered = false
  const sent = fetch(`${url}/api/v1/telemetry`, { method: 'POST', headers, body }).finally(() => {
    answered = true
  })
  // Answered behind it: the one before has been taken up, and waits.
  assert.equal((await fetch(`${url}/api/v1/health`)).status, 200)
  assert.equal(answered, false)
  server.child.kill('SIGTERM')
  const answer = await sent
  // Kept open, the connection would hold the server up for 72 s.
  assert.deepEqual([answer.status, answer.headers.get('connection')], [503, 'close'])
  assert.equal(((await answer.json()) as { code: string }).code, 'stream_unreachable')
  assert.equal(await server.ended, 0, server.output())
})

test('a start that fails leaves nothing running, though readings were taken by then', async (t) => {
  const data = dataFolder(t)
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const { port } = other.address() as { port: number }
  const http = { host: '127.0.0.1', port: 0, keys: [{ key: KEY, tenant_id: 'home' }] }
  writeFileSync(`${data}.yaml`, JSON.stringify({ stream: AWAY, sources: { http } }))
  const server = start(['serve', '--port', String(port), '--data', data, '--config', `${data}.yaml`])
  t.after(() => server.child.kill('SIGKILL'))
  assert.equal(await server.ended, 1, server.output())
  assert.match(server.output(), /Readings over HTTP: http:/)
  assert.match(server.output(), new RegExp(`Port ${port} on 127.0.0.1 is in use`))
})
