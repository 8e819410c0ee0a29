/** The built dashboard as static files; any path of the page is the page, since the browser routes by itself. */
import { existsSync } from 'node:fs'
import { join, sep } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { ApiError, sendProblem } from './problems.ts'

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Smart House: the dashboard is not built</title>
<h1>The dashboard is not built</h1>
<p>Run <code>npm run build</code> in the project's folder, or start with <code>./start</code>, which builds it.</p>
<p>The API works all the same: <a href="/api/openapi.json">/api/openapi.json</a>.</p>
</html>
`

export async function serveDashboard(app: FastifyInstance, dashboardDir: string | null): Promise<void> {
  const built = dashboardDir !== null && existsSync(join(dashboardDir, 'index.html'))
  if (built)
    await app.register(fastifyStatic, {
      root: dashboardDir,
      cacheControl: false,
      // The build has put a Brotli form beside each asset.
      preCompressed: true,
      // Names of built assets carry the hash of their content; everything else is asked for again.
      setHeaders: (reply, path) => {
        const hashed = path.startsWith(join(dashboardDir, 'assets') + sep)
        reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache')
      },
    })
  app.get('/robots.txt', { schema: { hide: true } }, (_request, reply) =>
    reply.type('text/plain').send('User-agent: *\nDisallow: /\n'),
  )
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]!
    // A device may be called `sensor.power`.
    const isDevice = path.startsWith('/devices/')
    const isFile = /^\/(?:api|metrics|problems)(?:\/|$)|\.[a-z0-9]+$/i.test(path)
    const isPage = request.method === 'GET' && (isDevice || !isFile)
    if (isPage && built) return reply.sendFile('index.html')
    if (isPage) return reply.code(503).type('text/html').send(NOT_BUILT)
    const error = new ApiError(
      'not_found',
      `${request.method} ${path} is nothing here.`,
      'See /api/openapi.json.',
    )
    return sendProblem(request, reply, error)
  })
}
