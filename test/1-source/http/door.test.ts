import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDoor } from '../../../src/1-source/http/door.ts'
import { openEmbeddedLog } from '../../../src/2-stream/embedded.ts'

test('the door for devices opens only with keys, and takes nothing without one', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'smarthouse-door-'))
  const log = await openEmbeddedLog({ dir })
  t.after(async () => {
    await log.close()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  })
  const options = { host: '0.0.0.0', port: 0, sink: log, requestsDir: dir }
  await assert.rejects(openDoor({ ...options, keys: [] }), { code: 'config_invalid' })
  const door = await openDoor({ ...options, keys: [{ key: 'a-key-of-sixteen', tenant_id: 'flat' }] })
  t.after(() => door.close())
  const url = `${door.url.replace('0.0.0.0', '127.0.0.1')}/api/v1/telemetry`
  const post = async (headers: Record<string, string>) =>
    (await fetch(url, { method: 'POST', headers, body: '{"device_id":"plug","power_usage":1}' })).status
  assert.equal(await post({}), 401)
  assert.equal(await post({ 'x-api-key': 'another-key-of-20-ch' }), 403)
  const { end } = (await log.bounds())[0]!
  assert.equal(await post({ 'x-api-key': 'a-key-of-sixteen' }), 202)
  assert.equal((await log.bounds())[0]!.end, end + 1, 'one message, that of the key')
})
