import { spawn, spawnSync } from 'node:child_process'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { dashboardIsStale } from '../7-dashboard/build.ts'
import { ACCEPTED_CONFIG, type LoadedConfig } from '../config-file.ts'
import { PlatformError } from '../errors.ts'
import { reaches, redactor, secretsOf, type LogRecord, type Say } from '../log.ts'
import { beginSettings, configFile, openConfig, PROJECT_ROOT, type Settings } from '../main.ts'
import {
  clearStatus,
  lockInstance,
  readStatus,
  stopRequested,
  writeStatus,
  type PartStatus,
} from '../run/instance.ts'
import { watchConfig } from '../run/config-watch.ts'
import { shown } from '../run/log.ts'
import { openLogFile } from '../run/log-file.ts'
import { pause } from '../run/loop.ts'
import { portOwner } from '../run/port-owner.ts'
import { supervise, type PartSpec } from '../run/supervisor.ts'
import { COMMON_OPTIONS, portOf, type Arguments, type Command } from './command.ts'

const STATUS_EVERY_MS = 1000
const TELL_EVERY_MS = 30_000

export const UP: Command = {
  name: 'up',
  summary: 'start everything: simulated house, stream, lake, dashboard',
  options: {
    ...COMMON_OPTIONS,
    port: { value: 'PORT', description: 'port of the dashboard and the API; default 8501' },
    'no-open': { description: 'do not open the browser' },
    'no-simulator': { description: 'leave the simulated house off' },
  },
  examples: ['smarthouse up', 'smarthouse up --data /srv/house --port 8600 --no-open'],
  async run(args, stop) {
    const asked = portOf(args)
    const settings = await beginSettings(args)
    const { root, run } = settings.folder
    const lock = lockInstance(run)
    if (!lock) {
      const other = readStatus(run)
      throw new PlatformError(
        'already_running',
        `The platform is already running on ${root}${other ? ` (process ${other.pid}): ${other.url}` : ''}`,
        'Open that address, stop it with `smarthouse down` (or ./stop), or choose another folder with --data DIR.',
      )
    }
    try {
      clearStatus(run)
      const port = asked ?? settings.config.server.port
      await checkPort(settings.config.server.host, port)
      if (await dashboardIsStale()) build(houseLog(settings))
      await superviseAll(settings, args, port, stop)
      return 0
    } finally {
      clearStatus(run)
      rmSync(acceptedFile(settings), { force: true })
      lock.release()
    }
  },
}

const cli = join(PROJECT_ROOT, 'bin', 'smarthouse.mjs')

/** The parts, as the words that start them by hand. */
function partSpecs(settings: Settings, args: Arguments, port: number): PartSpec[] {
  const common = ['--data', settings.folder.root]
  const config = args.text('config')
  if (config !== undefined) common.push('--config', config)
  const specs: PartSpec[] = [
    { name: 'stages', args: [cli, 'stages', ...common] },
    { name: 'serve', args: [cli, 'serve', ...common, '--port', String(port)] },
  ]
  const { mqtt, brokers, poll } = settings.config.sources
  if (mqtt.enabled) specs.push({ name: 'broker', args: [cli, 'broker', ...common] })
  if (poll.length > 0) specs.push({ name: 'poll', args: [cli, 'poll', ...common] })
  if (brokers.length > 0) specs.push({ name: 'listen', args: [cli, 'listen', ...common] })
  const { enabled, devices, rate, seed, faults, history, history_interval } = settings.config.simulator
  if (!enabled || args.flag('no-simulator')) return specs
  const options = {
    devices: String(devices),
    rate,
    seed: String(seed),
    faults,
    history: `${history}ms`,
    'history-interval': `${history_interval}ms`,
  }
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
  return [{ name: 'simulate', args: [cli, 'simulate', ...common, ...words] }, ...specs]
}

/** Where the parts read the configuration that counts: one that fails must not come back with a change that the others do not know. */
function acceptedFile({ folder }: Settings): string {
  return join(folder.run, 'configuration.yaml')
}

/** Hands a configuration to the parts: whole or not at all, and for nobody else's eyes, since passwords may stand in it. */
function accept(settings: Settings, { config, text }: Pick<LoadedConfig, 'config' | 'text'>): Settings {
  const file = acceptedFile(settings)
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return { ...settings, config }
}

async function superviseAll(
  began: Settings,
  args: Arguments,
  port: number,
  stop: AbortSignal,
): Promise<void> {
  let settings = accept(began, openConfig(args))
  const { run, root } = settings.folder
  const started = new Date().toISOString()
  let url = `http://${settings.config.server.host}:${port}`
  let servePort = port
  let announced = false
  let take = houseLog(settings)
  const say =
    (part: string): Say =>
    (message, level = 'info') =>
      take({ time: new Date().toISOString(), level, part, message })
  const tell = say('up')
  const lookAtConfig = watchConfig({
    file: configFile(args),
    config: settings.config,
    read: () => openConfig(args),
    say: tell,
  })
  tell(`Data: ${root}`)
  const events = {
    said: (record: LogRecord) => take(record),
    died: (part: string, how: string, ms: number) =>
      say(part)(`ended (${how}); starting it again in ${ms / 1000} s`, 'warn'),
    listening: (address: string) => {
      url = address
      if (announced) return
      announced = true
      tell(`Dashboard: ${url} – stop with Ctrl-C`)
      if (!args.flag('no-open')) openBrowser(url)
    },
  }
  const supervisor = supervise(partSpecs(settings, args, port), events, {
    [ACCEPTED_CONFIG]: acceptedFile(settings),
  })
  const showOnTerminal = terminal()
  while (!stop.aborted && !stopRequested(run)) {
    const parts = supervisor.status()
    writeStatus(run, { pid: process.pid, url, started, updated: new Date().toISOString(), parts })
    showOnTerminal(parts)
    const changed = lookAtConfig()
    if (changed) {
      settings = accept(settings, changed)
      take = houseLog(settings)
      // Started again, the server comes back where the browsers look for it, also where the port was the system's choice.
      if (changed.parts.has('serve')) servePort = Number(new URL(url).port) || port
      await supervisor.apply(partSpecs(settings, args, servePort), changed.parts)
    }
    await pause(STATUS_EVERY_MS / 4, stop)
  }
  tell('Stopping …')
  await supervisor.stop()
  tell('Stopped. Everything that was acknowledged is in the data folder.')
}

/** For whoever looks on; `status` tells it to everybody else. */
function terminal(): (parts: readonly PartStatus[]) => void {
  let toldMs = performance.now()
  return (parts) => {
    if (!process.stdout.isTTY || performance.now() - toldMs < TELL_EVERY_MS) return
    toldMs = performance.now()
    console.log(`running  ${parts.map((part) => `${part.name}: ${part.doing}`).join(' | ')}`)
  }
}

/** Takes what the parts and `up` say: into the file of the part, and onto the terminal. */
function houseLog({ config, folder }: Settings): (record: LogRecord) => void {
  const { level, max_mb } = config.logs
  const redact = redactor(secretsOf(config))
  const files = new Map<string, (record: LogRecord) => void>()
  return (told) => {
    if (!reaches(told, level)) return
    const record = { ...told, message: redact(told.message) }
    const write = files.get(told.part) ?? openLogFile(folder.logs, told.part, max_mb * 1e6)
    files.set(told.part, write)
    write(record)
    process.stdout.write(shown(record, process.stdout))
  }
}

/** In a process of its own, so that the supervisor does not keep the build tool in memory. */
function build(take: (record: LogRecord) => void): void {
  const tell = (message: string): void =>
    take({ time: new Date().toISOString(), level: 'info', part: 'up', message })
  tell('Building the dashboard …')
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'build'], { encoding: 'utf8' })
  for (const line of `${stdout}${stderr}`.split('\n')) if (line.trim() !== '') tell(line.trim())
  if (status !== 0)
    throw new PlatformError(
      'dashboard_not_built',
      'The dashboard could not be built; the reason stands above',
      'Mend it, or run `npm ci` again.',
    )
}

/** Says before anything is started that the port is taken. */
async function checkPort(host: string, port: number): Promise<void> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        cause.code === 'EADDRINUSE'
          ? new PlatformError(
              'port_in_use',
              `Port ${port} on ${host} is in use by ${ownerOf(port)}`,
              `Choose another one, for example --port ${port + 1}.`,
              { cause },
            )
          : new PlatformError(
              'port_in_use',
              `Cannot listen on ${host}:${port}: ${cause.message}`,
              'Choose another port with --port.',
              { cause },
            ),
      ),
    )
    probe.listen(port, host, () => probe.close(() => resolve()))
  })
}

function ownerOf(port: number): string {
  const owner = portOwner(port)
  return owner ? `${owner.name} (process ${owner.pid})` : 'another program'
}

function openBrowser(url: string): void {
  const [program, ...words] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '', url]
        : ['xdg-open', url]
  // A machine without a browser is no failure: the address has been printed.
  spawn(program!, words, { stdio: 'ignore', detached: true, windowsHide: true })
    .on('error', () => undefined)
    .unref()
}
