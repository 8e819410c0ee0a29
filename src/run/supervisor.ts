import { spawn, type ChildProcess } from 'node:child_process'
import { isDeepStrictEqual } from 'node:util'
import { recordOf, type LogRecord } from '../log.ts'
import type { PartStatus } from './instance.ts'
import type { PartMessage } from './part.ts'

export interface PartSpec {
  name: string
  /** Words after `node`. */
  args: readonly string[]
}

export interface SupervisorEvents {
  /** What a part wrote, a line. */
  said(record: LogRecord): void
  died(part: string, how: string, restartInMs: number): void
  listening(url: string): void
}

const FIRST_BACKOFF_MS = 500
const LONGEST_BACKOFF_MS = 30_000
/** A part that lived this long has recovered: its next death begins with the shortest back-off again. */
const HEALTHY_MS = 60_000
/** How long a part may take to end cleanly before it is ended. */
const STOP_GRACE_MS = 10_000
/** Two heaps of the C library instead of eight per core: the engine's threads come and go, and what each heap keeps free adds up. */
const PART_ENVIRONMENT = { MALLOC_ARENA_MAX: '2', ...process.env }
/**
 * A heap's youngest generation grows to tens of MB where it may, in each part, and is no faster for it: a stage that lands 60,000 readings a
 * second takes the same time with 2 MB as with 16.
 */
const PART_FLAGS = ['--max-semi-space-size=2']

interface Part extends PartStatus {
  spec: PartSpec
  child: ChildProcess | null
  failures: number
  /** It is being stopped, and is not started again. */
  leaving: boolean
  startedMs: number
  /** What it last said on its error output: the reason, where it dies. */
  lastLine: string
  timer: NodeJS.Timeout | null
}

/**
 * Runs parts as processes of their own and starts again what dies, saying so, with growing pauses. Their environment is this
 * process's and what is given.
 */
export function supervise(
  specs: readonly PartSpec[],
  events: SupervisorEvents,
  environment: Readonly<Record<string, string>> = {},
) {
  const supervision = { stopping: false, events, environment: { ...PART_ENVIRONMENT, ...environment } }
  let parts = specs.map(newPart)
  for (const part of parts) start(part, supervision)
  return {
    status: (): PartStatus[] =>
      parts.map((part) => ({
        name: part.name,
        pid: part.pid,
        state: part.state,
        restarts: part.restarts,
        since: part.since,
        last_error: part.last_error,
        problem: part.problem,
        memory_bytes: part.memory_bytes,
        event_loop_delay_ms: part.event_loop_delay_ms,
        doing: part.doing,
        figures: part.figures,
      })),
    /** Runs other parts from now on: those that are gone are stopped, those that are new or named are started (again). */
    async apply(next: readonly PartSpec[], again: ReadonlySet<string>): Promise<void> {
      const kept = (part: Part): boolean =>
        !again.has(part.name) && next.some((spec) => isDeepStrictEqual(spec, part.spec))
      const ending = parts.filter((part) => !kept(part))
      for (const part of ending) part.leaving = true
      await Promise.all(ending.map((part) => stopPart(part)))
      parts = next.map((spec) => parts.find((part) => part.name === spec.name && kept(part)) ?? newPart(spec))
      for (const part of parts) if (part.child === null && part.timer === null) start(part, supervision)
    },
    async stop(): Promise<void> {
      supervision.stopping = true
      await Promise.all(parts.map((part) => stopPart(part)))
    },
  }
}

interface Supervision {
  stopping: boolean
  events: SupervisorEvents
  environment: NodeJS.ProcessEnv
}

function newPart(spec: PartSpec): Part {
  return {
    name: spec.name,
    spec,
    pid: null,
    state: 'starting',
    restarts: 0,
    since: new Date().toISOString(),
    last_error: null,
    problem: null,
    memory_bytes: null,
    event_loop_delay_ms: null,
    doing: 'starting',
    figures: {},
    child: null,
    failures: 0,
    leaving: false,
    startedMs: 0,
    lastLine: '',
    timer: null,
  }
}

function start(part: Part, supervision: Supervision): void {
  const { events } = supervision
  const child = spawn(process.execPath, [...PART_FLAGS, ...part.spec.args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    windowsHide: true,
    env: supervision.environment,
  })
  Object.assign(part, {
    child,
    pid: child.pid ?? null,
    state: 'running',
    startedMs: performance.now(),
    timer: null,
  })
  part.since = new Date().toISOString()
  eachLine(child.stdout!, (text) => events.said(recordOf(text, part.name, 'info')))
  eachLine(child.stderr!, (text) => {
    const record = recordOf(text, part.name, 'warn')
    part.lastLine = record.message.split('\n', 1)[0]!
    events.said(record)
  })
  child.on('message', (message) => hear(part, message as PartMessage, events))
  child.on('error', (error) => events.said(recordOf(error.message, part.name, 'error')))
  child.on('exit', (code, signal) => ended(part, signal ?? `exit code ${code}`, supervision))
}

function ended(part: Part, how: string, supervision: Supervision): void {
  Object.assign(part, {
    child: null,
    pid: null,
    memory_bytes: null,
    event_loop_delay_ms: null,
    problem: null,
    since: new Date().toISOString(),
  })
  if (supervision.stopping || part.leaving) {
    part.state = 'stopped'
    return
  }
  if (performance.now() - part.startedMs >= HEALTHY_MS) part.failures = 0
  const waitMs = Math.min(FIRST_BACKOFF_MS * 2 ** part.failures, LONGEST_BACKOFF_MS)
  part.failures += 1
  part.restarts += 1
  part.state = 'waiting'
  part.last_error = part.lastLine === '' ? how : `${how}: ${part.lastLine}`
  part.doing = `ended (${how}); starting again`
  supervision.events.died(part.name, how, waitMs)
  part.timer = setTimeout(() => start(part, supervision), waitMs)
}

async function stopPart(part: Part): Promise<void> {
  if (part.timer) clearTimeout(part.timer)
  const child = part.child
  if (!child) return
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  // Closing the channel is the request to stop: it works on every system, and a dead supervisor makes it too.
  if (child.connected) child.disconnect()
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS)
  await gone
  clearTimeout(timer)
}

function hear(part: Part, message: PartMessage, events: SupervisorEvents): void {
  if (message.kind === 'listening') events.listening(message.url)
  else if (message.kind === 'problem') part.problem = message.text
  else
    Object.assign(part, {
      doing: message.doing,
      figures: message.figures,
      memory_bytes: message.memoryBytes,
      event_loop_delay_ms: message.eventLoopDelayMs,
    })
}

function eachLine(stream: NodeJS.ReadableStream, take: (text: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) if (line.trim() !== '') take(line)
  })
  stream.on('end', () => rest.trim() !== '' && take(rest))
}
