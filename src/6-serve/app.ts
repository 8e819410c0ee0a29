/** The web server: API, live events and dashboard. It is built here; whoever calls it listens and closes. */
import { endLastConnections } from '../last-answers.ts'
import swagger from '@fastify/swagger'
import fastify, { type FastifyInstance } from 'fastify'
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import type { StreamLook } from '../2-stream/types.ts'
import { serveDashboard } from './dashboard-files.ts'
import type { DeviceBook } from './device-book.ts'
import { guard, REQUESTS_PER_MINUTE } from './guard.ts'
import { describeProblems, onError } from './problems.ts'
import { registerRoutes } from './routes.ts'
import { registerStreams } from './stream-routes.ts'
import { createStreams } from './streams.ts'
import { startServing, type ServingOptions } from './serving.ts'

export interface AppOptions extends Omit<ServingOptions, 'clock'> {
  /** Folder of the built dashboard; null: there is none. */
  dashboardDir: string | null
  /** How often the dashboard refreshes its figures, s. */
  refreshS: number
  /** Whether the simulated home is on: then it is opened until a real one has data. */
  demo: boolean
  version: string
  /** What is known of devices beside the lake; absent: nothing, and nothing can be changed. */
  book?: DeviceBook
  /** Registers the routes by which devices send readings; absent: this server takes none. */
  ingestion?: (app: FastifyInstance) => Promise<void>
  /** The stream to look into; absent: the Streams page says that there is none. */
  look?: StreamLook
  /** Takes what goes wrong, a line of JSON each; default: the error output. */
  logStream?: { write(line: string): void }
  /** Of one address; who asks more often is told to wait. Default: 600. */
  requestsPerMinute?: number
  /** ms since 1970-01-01T00:00:00Z */
  clock?: () => number
}

/** Builds the server without listening. Closing it closes what it opened, neither the lake nor the stream. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const clock = options.clock ?? Date.now
  const app = fastify({ logger: { level: 'error', stream: options.logStream ?? process.stderr } })
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler(onError)
  endLastConnections(app)
  await guard(app, options.requestsPerMinute ?? REQUESTS_PER_MINUTE)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Smart House Data Platform',
        description: 'Figures of the homes from the lake, live values from the stream.',
        version: options.version,
      },
    },
    transform: jsonSchemaTransform,
  })
  const serving = await startServing({ ...options, clock })
  app.addHook('onClose', () => serving.close())
  try {
    registerRoutes(app, serving, { ...options, offlineS: options.alertThresholds.offline_s, clock })
    registerStreams(app, options.look ? createStreams(options.look, clock) : null)
    await options.ingestion?.(app)
    describeProblems(app)
    await serveDashboard(app, options.dashboardDir)
    await app.ready()
    return app
  } catch (error) {
    // What was started would keep the process alive without a server (a full disk at the start).
    await app.close()
    throw error
  }
}
