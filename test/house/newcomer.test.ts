import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { missingPackages } from '../../bin/installation.mjs'
import { buildDashboard, DASHBOARD_DIST } from '../../src/7-dashboard/build.ts'
import { ROOT } from './run-cli.ts'

/** A week of history takes a newcomer some seconds more, and what is imported up to a minute; the house is a quieter one. */
const ENV = {
  ...process.env,
  SMARTHOUSE_SIMULATOR_HISTORY: '2h',
  SMARTHOUSE_SIMULATOR_RATE: '1/5s',
  SMARTHOUSE_SILVER_LATE_PASS: '5s',
}

/** The command lines of the README: what stands in its blocks, without the remark behind it. */
const COMMANDS = readFileSync(join(ROOT, 'README.md'), 'utf8')
  .split(/\r?\n/)
  .filter((line) => /^ {4}(\.\/|npx |npm |docker )/.test(line))
  .map((line) => line.replace(/\s+#.*$/, '').trim())

/** What a test of its own shows, or what would take another machine; and forms that no shell takes. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'npm cit': 'is what CI runs; this test is part of it',
  'npm pack': 'test/packages/pack.test.ts',
  './uninstall': 'test/packages/files.test.ts',
  'docker compose up -d': 'untried; test/packages/files.test.ts reads it',
  'docker compose --profile kafka up -d': 'untried; test/packages/files.test.ts reads it',
  'npx smarthouse import FILE…': 'a form; an example follows it',
  'npx smarthouse COMMAND --help': 'a form; test/commands/bad-input.test.ts asks every command',
}

test(
  'a newcomer goes through the README in a clean clone, command by command',
  { skip: process.platform === 'win32' && 'the README shows the words of other shells' },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'smarthouse-newcomer-'))
    t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
    const clone = join(folder, 'smarthouse')
    const cloned = spawnSync('git', ['clone', '--quiet', '--depth', '1', `file://${ROOT}`, clone], {
      encoding: 'utf8',
    })
    assert.equal(cloned.status, 0, cloned.stderr)
    // What is committed is what a newcomer gets; packages and the built dashboard are ours, which spares a minute.
    symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'), 'junction')
    await buildDashboard()
    cpSync(DASHBOARD_DIST, join(clone, 'src', '7-dashboard', 'dist'), { recursive: true })
    // Or ./start would install what is missing, through the link.
    assert.deepEqual(missingPackages(clone), [], 'npm ci is done')
    writeFileSync(
      join(clone, 'plugs.csv'),
      'time,watt\n2026-01-15 10:00:00,2000\n2026-01-15 10:15:00,0\n2026-01-15 10:30:00,0\n',
    )
    const shell = (line: string): string => {
      const { status, stdout, stderr } = spawnSync(line, {
        cwd: clone,
        encoding: 'utf8',
        shell: true,
        env: ENV,
      })
      assert.equal(status, 0, `${line}: ${stdout}${stderr}`)
      return stdout
    }
    // The port is the system's choice, since another platform may run here.
    const start = spawn('./start --no-open --port 0', { cwd: clone, shell: true, env: ENV })
    let output = ''
    for (const stream of [start.stdout, start.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    const ended = new Promise<number | null>((resolve) => start.once('close', resolve))
    t.after(() => shellKill(start.pid))
    const until = async <T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> => {
      for (;;) {
        const found = await look()
        if (found !== undefined) return found
        assert.equal(start.exitCode, null, output)
        await sleep(200)
      }
    }
    const seen = new Set<string>()
    const run = (line: string): string => {
      assert.ok(COMMANDS.includes(line), `the README shows ${line}`)
      seen.add(line)
      return shell(line)
    }
    seen.add('./start')
    const url = await until(() => /Dashboard: (http:\S+)/.exec(output)?.[1])
    assert.match(await (await fetch(url)).text(), /<script type="module"/)
    const energyKwh = async (range: string): Promise<number | undefined> => {
      const answer = await fetch(`${url}/api/v1/overview?range=${range}`)
      const { kpis } = (await answer.json()) as {
        kpis?: { total_energy_kwh: { value: number | null } }
      }
      return kpis?.total_energy_kwh.value ?? undefined
    }
    await until(() => energyKwh('7d'))
    assert.match(run('./status'), /Running on[\s\S]*gold\.daily_business_summary/)
    const importing = COMMANDS.find((line) => line.startsWith('npx smarthouse import plugs.csv'))!
    assert.match(run(importing), /3 rows read, 3 taken/)
    const query = COMMANDS.find((line) => line.startsWith('npx smarthouse sql'))!
    // 2 kW for a quarter of an hour, at 0.12 a kWh.
    await until(() => energyKwh('custom&from=2026-01-15&to=2026-01-15'))
    // Gold's summary is written a moment after what the server reads.
    await until(() => (/0\.5000?0* +0\.0600?0*/.test(run(query)) ? true : undefined))
    assert.match(run('npx smarthouse logs'), /stages/)
    const doctor = run('npx smarthouse doctor')
    assert.match(doctor, /Nothing is wrong\./)
    run('./stop')
    assert.equal(await ended, 0, output)
    shell('node_modules/.bin/node bin/smarthouse.mjs stages --once')
    assert.match(run('npx smarthouse verify'), /equal|same/i)
    assert.ok(existsSync(join(clone, 'data', 'lake')))
    assert.deepEqual(
      COMMANDS.filter((line) => !seen.has(line) && !(line in ELSEWHERE)),
      [],
      'every command that the README shows was run',
    )
    assert.deepEqual(
      Object.keys(ELSEWHERE).filter((line) => !COMMANDS.includes(line)),
      [],
      'what is shown elsewhere still stands in the README',
    )
  },
)

/** Ends what the shell started, if the test did not come so far. */
function shellKill(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(pid, 'SIGTERM')
  } catch {
    // It has ended.
  }
}
