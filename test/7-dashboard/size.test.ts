/** The budgets of the dashboard, gzipped, kB = 1000 bytes. */
import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { DASHBOARD_DIST, buildDashboard, dashboardIsStale } from '../../src/7-dashboard/build.ts'

const INITIAL_JS = 190_000
const LAZY_JS = 60_000
const CSS = 15_000
const FIRST_LOAD = 230_000

before(() => buildDashboard())

const gzipped = async (path: string) =>
  gzipSync(await readFile(join(DASHBOARD_DIST, path)), { level: 9 }).length
const sum = async (paths: string[]) => (await Promise.all(paths.map(gzipped))).reduce((a, b) => a + b, 0)

test('a fresh build is not built again', async () => {
  assert.equal(await dashboardIsStale(), false)
  assert.equal((await buildDashboard()).built, false)
})

test('what the browser loads stays within its budgets', async () => {
  const html = await readFile(join(DASHBOARD_DIST, 'index.html'), 'utf8')
  const assets = (await readdir(join(DASHBOARD_DIST, 'assets'))).map((name) => `assets/${name}`)
  const first = assets.filter((path) => html.includes(path))
  const scripts = (paths: string[]) => paths.filter((path) => path.endsWith('.js'))
  const styles = assets.filter((path) => path.endsWith('.css'))
  assert.ok(scripts(first).length > 0 && styles.length > 0, 'the built page names its script and its styles')

  const initial = (await sum(scripts(first))) + (await gzipped('theme.js'))
  assert.ok(initial <= INITIAL_JS, `initial JavaScript: ${initial} B`)
  for (const path of scripts(assets).filter((each) => !first.includes(each))) {
    const size = await gzipped(path)
    assert.ok(size <= LAZY_JS, `${path}: ${size} B`)
  }
  const css = await sum(styles)
  assert.ok(css <= CSS, `CSS: ${css} B`)
  // Another page's chunk is named after its file; the Overview's own is in what is loaded first.
  const own = assets.filter((path) => !/\/\w+Page-[^/]+\.js$/.test(path))
  const all = await sum([...own, 'index.html', 'theme.js', 'favicon.svg'])
  assert.ok(all <= FIRST_LOAD, `all that the Overview loads: ${all} B`)
  assert.ok(!assets.some((path) => /\.(woff2?|ttf|otf)$/.test(path)), 'no web fonts')
})

test('the page carries nothing that the content security policy forbids', async () => {
  const html = await readFile(join(DASHBOARD_DIST, 'index.html'), 'utf8')
  assert.doesNotMatch(html, /<style|\sstyle=|<script>|<script [^>]*>[^<]+<|\son\w+=/)
})
