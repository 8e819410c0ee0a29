import { once } from 'node:events'
import type { Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Door } from '../1-source/http/door.ts'
import type { StreamLog } from '../2-stream/log.ts'
import type { StreamLook } from '../2-stream/types.ts'
import { DASHBOARD_DIST, dashboardIsStale } from '../7-dashboard/build.ts'
import { PlatformError } from '../errors.ts'
import { recordOf } from '../log.ts'
import { beginSettings, openServedStream, openStreamLook, openWarehouse, programVersion } from '../main.ts'
import { readSettings } from '../reference/sync.ts'
import { readStatus, type PartStatus } from '../run/instance.ts'
import { beginLog } from '../run/log.ts'
import { isSupervised, tellDoing, tellSupervisor } from '../run/part.ts'
import { COMMON_OPTIONS, portOf, type Command } from './command.ts'
import { openDeviceBook } from './device-book.ts'

const TELL_EVERY_MS = 2000
/** At a stop, requests that were begun have so long before the stream is closed. */
const ANSWER_WITHIN_MS = 500

export const SERVE: Command = {
  name: 'serve',
  summary: 'dashboard and API alone',
  options: {
    ...COMMON_OPTIONS,
    port: { value: 'PORT', description: 'port to listen on; default 8501, 0 takes a free one' },
  },
  examples: ['smarthouse serve', 'smarthouse serve --port 8600'],
  async run(args, stop) {
    const asked = portOf(args)
    const settings = await beginSettings(args)
    const say = beginLog('serve', settings)
    const port = asked ?? settings.config.server.port
    const { host } = settings.config.server
    const warehouse = await openWarehouse(settings)
    const opened: Opened = {}
    try {
      const log = (opened.log = await openServedStream(settings, warehouse.lake))
      const book = (opened.book = await openDeviceBook(settings, warehouse))
      const recorded = (await readSettings(warehouse.lake, warehouse.engine)).value
      const { buildApp } = await import('../6-serve/app.ts')
      const { ingestion } = await import('../1-source/http/ingestion.ts')
      const { openDoor } = await import('../1-source/http/door.ts')
      const { keys, host: deviceHost, port: devicePort } = settings.config.sources.http
      const take = { sink: log, requestsDir: settings.folder.stream, keys }
      if (deviceHost !== undefined) {
        opened.door = await openDoor({ host: deviceHost, port: devicePort, ...take })
        say(`Readings over HTTP: ${opened.door.url}`)
      }
      opened.look = await openStreamLook(settings, warehouse.lake)
      const app = await buildApp({
        lake: warehouse.lake,
        engine: warehouse.engine,
        log,
        dashboardDir: (await dashboardIsStale()) ? null : DASHBOARD_DIST,
        timeZone: recorded?.time_zone ?? settings.config.time_zone,
        currency: recorded?.currency ?? settings.config.currency,
        refreshS: settings.config.dashboard.refresh / 1000,
        liveReadings: settings.config.dashboard.live_readings,
        alertThresholds: settings.config.alerts,
        demo: settings.config.simulator.enabled,
        version: programVersion(),
        logStream: { write: (line) => say(recordOf(line, 'serve', 'error').message, 'error') },
        book,
        ingestion: (server) => ingestion(server, take),
        look: opened.look,
        partStatus: async () => (readStatus(settings.folder.run)?.parts ?? []).map(asContract),
      })
      opened.app = app
      const url = await listen(app, host, port)
      if (!isSupervised()) say(`Dashboard: ${url} – stop with Ctrl-C`)
      opened.ui = await openUi(app, { host, port: settings.config.stream.ui_port, url, say })
      tellSupervisor({ kind: 'listening', url })
      const telling = setInterval(() => tellDoing(`serving ${url}`), TELL_EVERY_MS)
      if (!stop.aborted) await once(stop, 'abort')
      clearInterval(telling)
      return 0
    } finally {
      await closeAll(opened).finally(() => warehouse.close())
    }
  },
}

/** What a server has opened so far. */
interface Opened {
  log?: StreamLog
  book?: { close(): void }
  door?: Door
  look?: StreamLook
  app?: FastifyInstance
  ui?: Server | null
}

/**
 * Takes no more requests, lets those end that can, and closes the rest. A request that waits for a stream that is away would
 * hold this up for ever: the stream ends its wait, so that the sender is told that nothing was taken.
 */
async function closeAll({ log, book, door, look, app, ui }: Opened): Promise<void> {
  ui?.closeAllConnections()
  ui?.close()
  // The app closes the look that it was given.
  const served = Promise.all([door?.close(), app ? app.close() : look?.close().catch(() => undefined)])
  const answered = Promise.race([served, sleep(ANSWER_WITHIN_MS, undefined, { ref: false })])
  const ends = await Promise.allSettled([served, answered.catch(() => undefined).then(() => log?.close())])
  book?.close()
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

/** Listens; gives the address. */
async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  await app.listen({ host, port }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EADDRINUSE') throw cause
    throw new PlatformError(
      'port_in_use',
      `Port ${port} on ${host} is in use by another program`,
      `Choose another one, for example --port ${port + 1}.`,
      { cause },
    )
  })
  const address = app.server.address()
  return `http://${host}:${typeof address === 'object' ? address?.port : port}`
}

/** The same server on a second port, which leads to the Streams page; null where it is off or the port is taken. */
async function openUi(
  app: FastifyInstance,
  { host, port, url, say }: { host: string; port: number; url: string; say: (line: string) => void },
): Promise<Server | null> {
  if (port === 0) return null
  // Imported, this module of Node's would bring all of `fetch` with it, a tenth of a second of each start.
  const { createServer } = process.getBuiltinModule('node:http')
  const ui = createServer((request, response) => {
    if (request.url === '/') response.writeHead(302, { location: '/streams' }).end()
    else app.routing(request, response)
  })
  try {
    ui.listen(port, host)
    await once(ui, 'listening')
    say(`Streams: http://${host}:${port}`)
    return ui
  } catch (error) {
    if (!['EADDRINUSE', 'EACCES'].includes(String((error as NodeJS.ErrnoException).code))) throw error
    say(`Port ${port} (stream.ui_port) is taken: the Streams page is at ${url}/streams alone.`)
    return null
  }
}

/** A part as the API tells of it. */
function asContract(part: PartStatus) {
  const { name, state, since, restarts, figures, last_error, problem } = part
  const pending = Object.entries(figures).filter(([figure]) => figure.endsWith('_pending'))
  return {
    name,
    state:
      state === 'starting' ? ('running' as const) : state === 'waiting' ? ('restarting' as const) : state,
    since,
    restarts,
    pending: pending.length > 0 ? pending.reduce((sum, [, value]) => sum + value, 0) : null,
    last_error: problem ?? last_error,
    memory_bytes: part.memory_bytes,
    event_loop_delay_ms: part.event_loop_delay_ms,
    figures,
  }
}
