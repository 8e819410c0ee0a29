/** The budgets of the dashboard, gzipped, kB = 1000 bytes. */
import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { brotliDecompressSync, gzipSync } from 'node:zlib'
import { DASHBOARD_DIST, buildDashboard, dashboardIsStale } from '../../src/7-dashboard/build.ts'

const INITIAL_JS = 190_000
const LAZY_JS = 60_000
const CSS = 15_000
const FIRST_LOAD = 230_000
/** Script, styles, and what runs before them: a browser opens six connections, of which the questions need two. */
const FIRST_REQUESTS = 3

before(() => buildDashboard())

/** Paths of the built assets, without their compressed forms. */
const assetPaths = async () =>
  (await readdir(join(DASHBOARD_DIST, 'assets')))
    .filter((name) => !name.endsWith('.br'))
    .map((name) => `assets/${name}`)
const gzipped = async (path: string) =>
  gzipSync(await readFile(join(DASHBOARD_DIST, path)), { level: 9 }).length
const sum = async (paths: string[]) => (await Promise.all(paths.map(gzipped))).reduce((a, b) => a + b, 0)

test('a fresh build is not built again', async () => {
  assert.equal(await dashboardIsStale(), false)
  assert.equal((await buildDashboard()).built, false)
})

test('what the browser loads stays within its budgets', async () => {
  const html = await readFile(join(DASHBOARD_DIST, 'index.html'), 'utf8')
  const assets = await assetPaths()
  const first = assets.filter((path) => html.includes(path))
  const scripts = (paths: string[]) => paths.filter((path) => path.endsWith('.js'))
  const styles = assets.filter((path) => path.endsWith('.css'))
  assert.ok(scripts(first).length > 0 && styles.length > 0, 'the built page names its script and its styles')

  // The icon is asked for when all else is there.
  const requests = [...html.matchAll(/ (?:src|href)="([^"]+)"/g)].filter(
    ([, path]) => !path!.endsWith('.svg'),
  )
  assert.ok(
    requests.length <= FIRST_REQUESTS,
    `before the first paint: ${requests.map(([, path]) => path).join(' ')}`,
  )

  const initial = (await sum(scripts(first))) + (await gzipped('begin.js'))
  assert.ok(initial <= INITIAL_JS, `initial JavaScript: ${initial} B`)
  for (const path of scripts(assets).filter((each) => !first.includes(each))) {
    const size = await gzipped(path)
    assert.ok(size <= LAZY_JS, `${path}: ${size} B`)
  }
  const css = await sum(styles)
  assert.ok(css <= CSS, `CSS: ${css} B`)
  // Another page's chunk is named after its file; the Overview's own is in what is loaded first.
  const own = assets.filter((path) => !/\/\w+Page-[^/]+\.js$/.test(path))
  const all = await sum([...own, 'index.html', 'begin.js', 'favicon.svg'])
  assert.ok(all <= FIRST_LOAD, `all that the Overview loads: ${all} B`)
  assert.ok(!assets.some((path) => /\.(woff2?|ttf|otf)$/.test(path)), 'no web fonts')
})

test('beside every asset lies its Brotli form, smaller than gzip makes it', async () => {
  for (const path of await assetPaths()) {
    const brotli = await readFile(join(DASHBOARD_DIST, `${path}.br`))
    assert.deepEqual(brotliDecompressSync(brotli), await readFile(join(DASHBOARD_DIST, path)), path)
    assert.ok(brotli.length < (await gzipped(path)), path)
  }
})

test('the scripts that the Overview begins with ask to be compiled as they arrive', async () => {
  // The minifier strips comments: without this one, functions are compiled one by one while the page begins.
  for (const name of ['index', 'TimeChart', 'uPlot']) {
    const path = (await assetPaths()).find(
      (each) => each.startsWith(`assets/${name}`) && each.endsWith('.js'),
    )
    const text = await readFile(join(DASHBOARD_DIST, path!), 'utf8')
    assert.ok(text.startsWith('//# allFunctionsCalledOnLoad\n'), `${path}: ${text.slice(0, 80)}`)
  }
})

test('the page carries nothing that the content security policy forbids', async () => {
  const html = await readFile(join(DASHBOARD_DIST, 'index.html'), 'utf8')
  assert.doesNotMatch(html, /<style|\sstyle=|<script>|<script [^>]*>[^<]+<|\son\w+=/)
})
