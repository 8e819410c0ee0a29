import { createWriteStream, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { finished } from 'node:stream/promises'
import type { Writable } from 'node:stream'
import { parseFaults } from '../1-source/simulator/faults.ts'
import { createFleet, FLEETS } from '../1-source/simulator/fleet.ts'
import { runSimulation, type RunOptions } from '../1-source/simulator/run.ts'
import { parseRate, rateOfIntervalMs, type Rate } from '../1-source/simulator/schedule.ts'
import { PlatformError } from '../errors.ts'
import { beginSettings, openConfig, openStreamAlone, type Settings } from '../main.ts'
import { DEMO_TENANT } from '../reading.ts'
import { tellDoing, isSupervised } from '../run/part.ts'
import { requireDurationMs } from '../units.ts'
import { COMMON_OPTIONS, JSON_OPTION, wholeNumber, type Arguments, type Command } from './command.ts'

export const SIMULATE: Command = {
  name: 'simulate',
  summary: 'a simulated house: physical devices that report to the stream',
  options: {
    ...COMMON_OPTIONS,
    devices: { value: 'N', description: 'number of devices; default 10' },
    rate: { value: 'N/TIME', description: 'readings of each device, for example 1/s or 1/min; default 1/s' },
    speed: { value: 'N', description: 'event time runs N times as fast, never ahead of the clock' },
    from: {
      value: 'TIME',
      description:
        'begin of event time, ISO 8601; default: now minus --for, with --speed alone 24 h ago, else now',
    },
    for: { value: 'DURATION', description: 'so much event time, as fast as it can; default: on and on' },
    seed: { value: 'N', description: 'the same seed gives the same readings; default 7' },
    faults: { value: 'none|harmless|default|LIST', description: 'what goes wrong; default none' },
    truth: {
      value: 'FILE',
      description: 'write the true energy as CSV: device_id,quarter_hour,energy_wh,faults',
    },
    out: {
      value: 'FILE|-',
      description: 'JSON lines to a file or to standard output, instead of the stream',
    },
    as: {
      value: 'PROTOCOL',
      description: `publish over MQTT what such devices do: ${FLEETS.join(', ')}`,
    },
    to: { value: 'URL', description: 'with --as: the broker; default mqtt://127.0.0.1:1883' },
    tenant: { value: 'ID', description: 'home that the devices belong to; default demo' },
    history: {
      value: 'DURATION',
      description: 'once per data folder: make this much history before going live',
    },
    'history-interval': {
      value: 'DURATION',
      description: 'time between readings of that history; default 60s',
    },
    ...JSON_OPTION,
  },
  examples: [
    'smarthouse simulate',
    'smarthouse simulate --seed 7 --for 24h --faults harmless --truth truth.csv',
    'smarthouse simulate --devices 1000 --rate 1/s --speed 60',
    'smarthouse simulate --for 1h --out -',
    'smarthouse simulate --as zigbee2mqtt --to mqtt://127.0.0.1:1883',
  ],
  async run(args, stop) {
    const out = args.text('out')
    requireOneTarget(args)
    const asked = historyAsked(args)
    const simulation = readOptions(args)
    const as = args.text('as')
    if (as !== undefined) return await toBroker(as, simulation, args, stop)
    if (out !== undefined) return await toLines(out, simulation, args, stop)
    const settings = await beginSettings(args)
    const log = await openStreamAlone(settings, isSupervised() ? stop : undefined)
    try {
      const history = historyOf(asked, settings)
      const report = await runSimulation({
        ...simulation,
        ...history?.options,
        to: { log },
        timeZone: settings.config.time_zone,
        signal: stop,
        onProgress: progressTeller((atMs) => history?.reached(atMs)),
      })
      print(report, args.flag('json'))
      return 0
    } finally {
      await log.close()
    }
  },
}

/** Readings go to one place: to the stream with its history, to a file, or to a broker. */
function requireOneTarget(args: Arguments): void {
  if (args.flag('to') && !args.flag('as'))
    throw new PlatformError('usage', '--to names the broker for --as', 'Write for example --as tasmota too.')
  const target = ['as', 'out'].find((name) => args.flag(name))
  const other = ['out', 'history', 'history-interval'].find((name) => name !== target && args.flag(name))
  if (target !== undefined && other !== undefined)
    throw new PlatformError(
      'usage',
      `--${target} and --${other} exclude each other`,
      'Leave one of them out.',
    )
}

/** The devices as clients of a broker; each message of a device is acknowledged before its next. */
async function toBroker(
  as: string,
  simulation: Simulation,
  args: Arguments,
  stop: AbortSignal,
): Promise<number> {
  const name = FLEETS.find((fleet) => fleet === as)
  const url = args.text('to') ?? 'mqtt://127.0.0.1:1883'
  if (name === undefined)
    throw new PlatformError('usage', `No fleet speaks "${as}"`, `Write one of ${FLEETS.join(', ')}.`)
  const { connectAsync } = await import('mqtt')
  const timeZone = openConfig(args).config.time_zone
  const client = await connectAsync(url, {}, false).catch((cause: Error) => {
    throw new PlatformError(
      'mqtt_unreachable',
      `The broker ${url.replace(/\/\/[^@/]*@/, '//')} cannot be reached: ${cause.message}`,
      'Start it (smarthouse broker), or name another with --to mqtt://USER:PASSWORD@HOST:PORT.',
      { cause },
    )
  })
  const log = createFleet({
    as: name,
    timeZone,
    publish: async ({ topic, payload, retain }) => {
      await client.publishAsync(topic, payload, { qos: 1, retain })
    },
  })
  const report = await runSimulation({
    ...simulation,
    to: { log },
    timeZone,
    signal: stop,
    onProgress: progressTeller(() => undefined),
  })
  await client.endAsync()
  print(report, args.flag('json'))
  return 0
}

type Simulation = Omit<RunOptions, 'to' | 'timeZone'>

function readOptions(args: Arguments): Simulation {
  const number = (name: string, min: number, max: number, fallback: number): number => {
    const text = args.text(name)
    return text === undefined ? fallback : wholeNumber(`--${name}`, text, min, max)
  }
  const from = args.text('from')
  const fromMs = from === undefined ? undefined : Date.parse(from)
  if (fromMs !== undefined && (Number.isNaN(fromMs) || !/(?:Z|[+-]\d\d:?\d\d)$/i.test(from!)))
    throw new PlatformError(
      'usage',
      `--from is no time with a zone: "${from}"`,
      'Write for example --from 2026-01-15T00:00:00Z.',
    )
  const speedText = args.text('speed')
  const speed = speedText === undefined ? undefined : Number(speedText)
  if (speed !== undefined && !(speed > 0))
    throw new PlatformError(
      'usage',
      `--speed must be a number above 0, not "${speedText}"`,
      'Write for example --speed 60.',
    )
  const forText = args.text('for')
  const truth = args.text('truth')
  if (truth !== undefined && !existsSync(dirname(truth)))
    throw new PlatformError(
      'usage',
      `--truth ${truth}: there is no such folder`,
      'Name a file in a folder that exists and is writable.',
    )
  return {
    devices: number('devices', 1, 100_000, 10),
    rate: parseRate(args.text('rate') ?? '1/s'),
    seed: number('seed', 0, 2 ** 31 - 1, 7),
    faults: parseFaults(args.text('faults') ?? 'none'),
    tenantId: args.text('tenant') ?? DEMO_TENANT,
    ...(speed !== undefined && { speed }),
    ...(fromMs !== undefined && { fromMs }),
    ...(forText !== undefined && { forMs: requireDurationMs('--for', forText) }),
    ...(truth !== undefined && { truthPath: truth }),
  }
}

/** How much history, and the time between its readings. */
function historyAsked(args: Arguments): { forMs: number; rate: Rate } {
  const [text, interval] = [args.text('history'), args.text('history-interval')]
  return {
    forMs: text === undefined ? 0 : requireDurationMs('--history', text),
    rate: rateOfIntervalMs(requireDurationMs('--history-interval', interval ?? '60s')),
  }
}

/**
 * History is made once per data folder. Its begin and end are written down first, so that a first start that was
 * killed makes the very same readings again: those that are there already are duplicates, and count once.
 */
function historyOf({ forMs, rate }: ReturnType<typeof historyAsked>, settings: Settings) {
  if (forMs === 0) return undefined
  const plan = join(settings.folder.root, 'simulated-history.json')
  const known = existsSync(plan)
    ? (JSON.parse(readFileSync(plan, 'utf8')) as { nowMs: number; done: boolean })
    : undefined
  if (known?.done) return undefined
  const nowMs = known?.nowMs ?? Date.now()
  writeFileSync(plan, JSON.stringify({ nowMs, done: false }))
  let done = false
  return {
    options: { history: { days: forMs / 86_400_000, rate, nowMs } },
    reached(atMs: number) {
      if (done || atMs < nowMs) return
      done = true
      writeFileSync(plan, JSON.stringify({ nowMs, done: true }))
    },
  }
}

/** Tells the supervisor, or a person at the terminal, how far it is; at most once a second. */
function progressTeller(reached: (atMs: number) => void): NonNullable<RunOptions['onProgress']> {
  let toldMs = -Infinity
  return ({ atMs, readings }) => {
    reached(atMs)
    if (performance.now() - toldMs < 1000) return
    toldMs = performance.now()
    const behind = Date.now() - atMs > 10_000
    tellDoing(behind ? `at ${new Date(atMs).toISOString()}` : 'live', { readings })
    if (!isSupervised() && process.stderr.isTTY)
      process.stderr.write(`\r${readings} readings, event time ${new Date(atMs).toISOString()} `)
  }
}

async function toLines(
  out: string,
  simulation: Simulation,
  args: Arguments,
  stop: AbortSignal,
): Promise<number> {
  const stream: Writable = out === '-' ? process.stdout : createWriteStream(out)
  await new Promise<void>((resolve, reject) => {
    if (out === '-') return resolve()
    stream.once('open', () => resolve())
    stream.once('error', (cause) =>
      reject(
        new PlatformError(
          'usage',
          `Cannot write ${out}: ${cause.message}`,
          'Name a file in a folder that exists and is writable.',
          { cause },
        ),
      ),
    )
  })
  const timeZone = openConfig(args).config.time_zone
  const report = await runSimulation({ ...simulation, to: { out: stream }, timeZone, signal: stop })
  if (out === '-') return 0
  stream.end()
  await finished(stream)
  print(report, args.flag('json'))
  return 0
}

function print(report: Awaited<ReturnType<typeof runSimulation>>, json: boolean): void {
  if (json) console.log(JSON.stringify(report))
  else
    console.log(
      `${report.readings} readings, event time ${new Date(report.fromMs).toISOString()} to ${new Date(report.toMs).toISOString()}`,
    )
}
