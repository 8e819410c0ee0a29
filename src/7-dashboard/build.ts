/** Builds the dashboard for the browser, and knows whether that is needed. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress } from 'node:zlib'
import { removeLeftOf } from '../leftovers.ts'

const ROOT = fileURLToPath(new URL('.', import.meta.url))
const LOCKFILE = fileURLToPath(new URL('../../package-lock.json', import.meta.url))

/** A package carries the dashboard built, and not what it was built from. */
const IS_PACKAGE = import.meta.url.endsWith('.js')

/** Where the built files lie, for whoever serves them. */
export const DASHBOARD_DIST = join(ROOT, 'dist')
/** Ignored by git and on the same file system, so that a rename is enough. */
const ASIDE = fileURLToPath(new URL('../../node_modules/.dashboard', import.meta.url))
/** Holds the digest of what the files beside it were built from. */
const STAMP = 'built-from.txt'

/** Whether the built files are absent or older than the sources or the lockfile. */
export async function dashboardIsStale(): Promise<boolean> {
  if (IS_PACKAGE) return !existsSync(join(DASHBOARD_DIST, 'index.html'))
  return (await builtFrom()) !== (await digestOfSources())
}

/**
 * Builds the dashboard into {@link DASHBOARD_DIST} where it is stale, or always with `force`.
 * Needs the development dependencies. `ms` is the time that it took, in milliseconds.
 */
export async function buildDashboard(options?: { force?: boolean }): Promise<{ built: boolean; ms: number }> {
  if (IS_PACKAGE) return { built: false, ms: 0 }
  const start = performance.now()
  const took = () => Math.round(performance.now() - start)
  const digest = await digestOfSources()
  if (!options?.force && (await builtFrom()) === digest) return { built: false, ms: took() }
  // Loaded only when it is needed: a start with fresh files pays nothing for it.
  const { build } = await import('vite')
  // Aside and then in its place: whoever reads the old files, or builds at the same time, never sees half a build.
  removeLeftOf(ASIDE)
  const aside = `${ASIDE}.${process.pid}.${Date.now()}`
  try {
    await build({ configFile: join(ROOT, 'vite.config.ts'), logLevel: 'warn', build: { outDir: aside } })
    await compressAll(join(aside, 'assets'))
    await writeFile(join(aside, STAMP), digest)
    await rm(DASHBOARD_DIST, { recursive: true, force: true })
    await rename(aside, DASHBOARD_DIST)
  } catch (error) {
    await rm(aside, { recursive: true, force: true })
    // Another process was a moment faster with the same sources.
    if ((await builtFrom()) !== digest) throw error
  }
  return { built: true, ms: took() }
}

const compressed = promisify(brotliCompress)

/** Beside every asset its Brotli form, as small as it gets: a seventh less than what a server makes in passing. */
async function compressAll(folder: string): Promise<void> {
  await Promise.all(
    (await readdir(folder)).map(async (name) => {
      const path = join(folder, name)
      await writeFile(`${path}.br`, await compressed(await readFile(path)))
    }),
  )
}

const builtFrom = () => readFile(join(DASHBOARD_DIST, STAMP), 'utf8').catch(() => '')

async function digestOfSources(): Promise<string> {
  const entries = await readdir(ROOT, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !path.startsWith('dist/'))
    .toSorted()
  const hash = createHash('sha256')
  for (const path of files) {
    hash.update(path + '\0').update(await readFile(join(ROOT, path)))
  }
  return hash.update(await readFile(LOCKFILE)).digest('hex')
}
