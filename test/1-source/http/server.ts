/** A web server that takes readings, over an embedded stream in a folder of its own. */
import fastify from 'fastify'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { ingestion, type IngestionOptions } from '../../../src/1-source/http/ingestion.ts'
import { openEmbeddedLog } from '../../../src/2-stream/embedded.ts'

/** 2026-03-10T12:00:00Z */
export const NOW_MS = Date.UTC(2026, 2, 10, 12)

export function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'smarthouse-http-'))
  t.after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }))
  return dir
}

export async function server(t: TestContext, options: Partial<IngestionOptions> & { dir?: string } = {}) {
  const dir = options.dir ?? folder(t)
  const log = await openEmbeddedLog({ dir })
  const app = fastify()
  await ingestion(app, { sink: log, requestsDir: dir, keys: [], clock: () => NOW_MS, ...options })
  await app.ready()
  const close = async (): Promise<void> => {
    await app.close()
    await log.close()
  }
  t.after(close)
  return {
    dir,
    app,
    log,
    /** The messages of the stream, as texts. */
    texts: async (): Promise<string[]> => {
      const [bounds] = await log.bounds()
      const records = await log.read({ partition: 0, offset: bounds!.start, maxRecords: 10_000 })
      return records.map(({ value }) => Buffer.from(value).toString('utf8'))
    },
    send: (payload: string | Buffer, headers: Record<string, string> = {}, url = '/api/v1/telemetry') =>
      app.inject({
        method: 'POST',
        url,
        payload,
        headers: { 'content-type': 'application/json', ...headers },
      }),
  }
}

export const parsed = (texts: readonly string[]): Record<string, unknown>[] =>
  texts.map((text) => JSON.parse(text) as Record<string, unknown>)
