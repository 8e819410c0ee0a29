import { spawn, spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { dashboardIsStale } from '../7-dashboard/build.ts'
import { PlatformError } from '../errors.ts'
import { openSettings, PROJECT_ROOT, type Settings } from '../main.ts'
import { clearStatus, lockInstance, readStatus, stopRequested, writeStatus } from '../run/instance.ts'
import { pause } from '../run/loop.ts'
import { supervise, type PartSpec } from '../run/supervisor.ts'
import { COMMON_OPTIONS, wholeNumber, type Arguments, type Command } from './command.ts'

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
    const settings = openSettings(args, { create: true })
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
      const portText = args.text('port')
      const port =
        portText === undefined ? settings.config.server.port : wholeNumber('--port', portText, 0, 65_535)
      await checkPort(settings.config.server.host, port)
      if (await dashboardIsStale()) build()
      await superviseAll(settings, args, port, stop)
      return 0
    } finally {
      clearStatus(run)
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

async function superviseAll(
  settings: Settings,
  args: Arguments,
  port: number,
  stop: AbortSignal,
): Promise<void> {
  const { run, root } = settings.folder
  const started = new Date().toISOString()
  let url = `http://${settings.config.server.host}:${port}`
  let announced = false
  console.log(`Data: ${root}`)
  const supervisor = supervise(partSpecs(settings, args, port), {
    line: (part, text) => console.log(`${part.padEnd(8)} ${text}`),
    died: (part, how, ms) =>
      console.log(`${part.padEnd(8)} ended (${how}); starting it again in ${ms / 1000} s`),
    listening: (address) => {
      url = address
      if (announced) return
      announced = true
      console.log(`\nDashboard: ${url}\nStop with Ctrl-C.\n`)
      if (!args.flag('no-open')) openBrowser(url)
    },
  })
  let toldMs = Date.now()
  while (!stop.aborted && !stopRequested(run)) {
    const parts = supervisor.status()
    writeStatus(run, { pid: process.pid, url, started, updated: new Date().toISOString(), parts })
    if (Date.now() - toldMs >= TELL_EVERY_MS) {
      toldMs = Date.now()
      console.log(`running  ${parts.map((part) => `${part.name}: ${part.doing}`).join(' | ')}`)
    }
    await pause(STATUS_EVERY_MS / 4, stop)
  }
  console.log('Stopping …')
  await supervisor.stop()
  console.log('Stopped. Everything that was acknowledged is in the data folder.')
}

/** In a process of its own, so that the supervisor does not keep the build tool in memory. */
function build(): void {
  console.log('Building the dashboard …')
  const { status } = spawnSync(process.execPath, [cli, 'build'], { stdio: 'inherit' })
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
              `Port ${port} on ${host} is in use by another program`,
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
