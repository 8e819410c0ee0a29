import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { ROOT } from '../house/run-cli.ts'

const isWindows = process.platform === 'win32'

/** As npm installs it, but that the packages it needs are links to ours: nothing is fetched. */
function install(tarball: string, folder: string): void {
  const modules = join(folder, 'node_modules')
  mkdirSync(modules)
  const unpacked = spawnSync('tar', ['-xzf', tarball, '-C', modules], { encoding: 'utf8' })
  assert.equal(unpacked.status, 0, unpacked.stderr)
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  ) as Record<string, Record<string, string>>
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const from = join(ROOT, 'node_modules', name)
    if (!existsSync(from)) continue
    mkdirSync(join(modules, name, '..'), { recursive: true })
    symlinkSync(from, join(modules, name), 'junction')
  }
  // npm unpacks into a folder of the package's name.
  mkdirSync(join(modules, '.bin'))
  symlinkSync(join(modules, 'package'), join(modules, 'smarthouse'), 'junction')
  if (!isWindows) symlinkSync('../package/bin/smarthouse.mjs', join(modules, '.bin', 'smarthouse'))
}

test('npm pack gives a package that runs from an empty folder, dashboard and all', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'smarthouse-pack-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  const packed = spawnSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: ROOT,
    encoding: 'utf8',
    shell: isWindows,
  })
  assert.equal(packed.status, 0, packed.stderr)
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!
  const home = join(folder, 'empty')
  mkdirSync(home)
  install(join(folder, tarball), home)
  const content = readdirSync(join(home, 'node_modules', 'package'), { recursive: true }).map((name) =>
    String(name).replaceAll('\\', '/'),
  )
  assert.deepEqual(
    content.filter((name) => /^(src|test|bench)\/|\.tsx?$/.test(name)),
    [],
    'nothing that must be compiled first',
  )
  for (const file of [
    'README.md',
    'LICENSE',
    'lib/cli.js',
    'lib/5-gold/hourly_energy.sql',
    'config/device_catalog.csv',
  ])
    assert.ok(content.includes(file), file)

  const npx = (...words: string[]) =>
    spawnSync('npx', ['smarthouse', ...words], { cwd: home, encoding: 'utf8', shell: isWindows })
  const help = npx('--help')
  assert.equal(help.status, 0, help.stderr)
  assert.match(help.stdout, /doctor/)
  const cli = join(home, 'node_modules', 'package', 'bin', 'smarthouse.mjs')
  const up = spawn(process.execPath, [cli, 'up', '--no-open', '--port', '0'], {
    cwd: home,
    env: { ...process.env, SMARTHOUSE_SIMULATOR_HISTORY: '1h' },
  })
  let output = ''
  for (const stream of [up.stdout, up.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = new Promise<number | null>((resolve) => up.once('close', resolve))
  t.after(() => up.kill('SIGKILL'))
  const until = async <T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> => {
    for (;;) {
      const found = await look()
      if (found !== undefined) return found
      assert.equal(up.exitCode, null, output)
      await sleep(100)
    }
  }
  const url = await until(() => /Dashboard: (http:\S+)/.exec(output)?.[1])
  assert.match(await (await fetch(url)).text(), /<script type="module"[^>]* src="\/assets\//)
  // Figures: readings went through stream, Bronze, Silver and Gold.
  await until(async () => {
    const { kpis } = (await (await fetch(`${url}/api/v1/overview`)).json()) as {
      kpis?: { total_energy_kwh: { value: number | null } }
    }
    return kpis?.total_energy_kwh.value ?? undefined
  })
  up.kill('SIGINT')
  assert.equal(await ended, 0, output)
  assert.ok(existsSync(join(home, 'data', 'lake')), 'the data lies in the folder where it was started')
  const doctor = npx('doctor', '--json', '--port', '0')
  assert.equal((JSON.parse(doctor.stdout) as { ok: boolean }).ok, true, doctor.stdout)
})
