import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { dataFolder, smarthouse, smarthouseHere, sql, start } from './run-cli.ts'

/** A shorter history than a person gets and a quieter house, so that the test is short. */
const ENV = { SMARTHOUSE_SIMULATOR_HISTORY: '3h', SMARTHOUSE_SIMULATOR_RATE: '1/5s' }
const PATIENCE_MS = 60_000

interface Status {
  running: boolean
  instance: {
    pid: number
    url: string
    parts: { name: string; pid: number | null; restarts: number }[]
  } | null
}

async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`waited ${PATIENCE_MS / 1000} s in vain for ${what}`)
    await sleep(100)
  }
}

function up(t: TestContext, data: string, ...words: string[]) {
  const platform = start(['up', '--no-open', '--port', '0', '--data', data, ...words], { env: ENV })
  t.after(() => platform.child.kill('SIGKILL'))
  const url = until('the dashboard', () => /Dashboard: (http:\S+)/.exec(platform.output())?.[1])
  return { ...platform, url }
}

const status = async (data: string): Promise<Status> =>
  JSON.parse((await smarthouseHere('status', '--json', '--data', data)).stdout) as Status

async function energyKwh(url: string): Promise<number> {
  return await until('the first figure', async () => {
    const answer = await fetch(`${url}/api/v1/overview?range=7d`)
    const { kpis } = (await answer.json()) as { kpis?: { total_energy_kwh: { value: number | null } } }
    return kpis?.total_energy_kwh.value ?? undefined
  })
}

test('one command starts everything, a second one is refused, a dead part comes back, Ctrl-C stops it all', async (t) => {
  const data = dataFolder(t)
  const platform = up(t, data)
  const url = await platform.url
  assert.ok((await energyKwh(url)) > 0, 'energy of the history')

  const second = smarthouse('up', '--no-open', '--data', data)
  assert.equal(second.status, 1)
  assert.match(second.stderr, /already running/)
  assert.ok(second.stderr.includes(url), 'it says where')

  const before = await status(data)
  assert.equal(before.running, true)
  const victim = before.instance!.parts.find((part) => part.name === 'stages')!
  process.kill(victim.pid!, 'SIGKILL')
  await until('the restart', async () => {
    const part = (await status(data)).instance?.parts.find(({ name }) => name === 'stages')
    return part?.pid && part.pid !== victim.pid && part.restarts === 1 ? part : undefined
  })
  await until(
    'the word of it',
    () =>
      /"part":"stages","message":"ended \(SIGKILL\); starting it again/.exec(platform.output()) ?? undefined,
  )

  platform.child.kill('SIGINT')
  assert.equal(await platform.ended, 0, platform.output())
  assert.match(platform.output(), /Stopped\./)
  assert.equal((await smarthouseHere('status', '--data', data)).status, 3)
  for (const { pid } of before.instance!.parts) if (pid) assert.equal(alive(pid), false, `${pid} is gone`)

  // What was acknowledged is whole: the stages, run to the end, leave nothing pending, and the rebuild agrees.
  for (const stage of ['bronze', 'silver', 'gold'])
    assert.equal((await smarthouseHere(stage, '--once', '--data', data)).status, 0)
  const verified = await smarthouseHere('verify', '--data', data)
  assert.equal(verified.status, 0, verified.stdout + verified.stderr)

  // The folder, copied elsewhere, shows the same figures.
  const copy = `${data}-copy`
  cpSync(data, copy, { recursive: true })
  const query =
    'SELECT tenant_id, date, total_energy_wh, total_cost FROM gold.daily_business_summary ORDER BY ALL'
  const original = await sql(data, query)
  assert.ok(original.length > 0)
  const elsewhere = up(t, copy, '--no-simulator')
  assert.ok((await energyKwh(await elsewhere.url)) > 0)
  assert.equal((await smarthouseHere('down', '--data', copy)).status, 0)
  assert.equal(await elsewhere.ended, 0)
  assert.deepEqual(await sql(copy, query), original)
})

test('a supervisor that was killed leaves nothing running, and the next start goes on', async (t) => {
  const data = dataFolder(t)
  const platform = up(t, data)
  await energyKwh(await platform.url)
  const pids = (await status(data)).instance!.parts.flatMap(({ pid }) => (pid ? [pid] : []))
  platform.child.kill('SIGKILL')
  await platform.ended
  await until('the parts to end', () => (pids.some(alive) ? undefined : true))
  const down = await smarthouseHere('down', '--data', data)
  assert.equal(down.status, 0)
  assert.match(down.stdout, /without a clean stop/)
  const again = up(t, data)
  assert.ok((await energyKwh(await again.url)) > 0)
  assert.equal((await smarthouseHere('down', '--data', data)).status, 0)
  assert.equal(await again.ended, 0)
})

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
