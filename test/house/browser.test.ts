import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { openBrowser } from '../7-dashboard/browser.ts'
import { dataFolder, start } from './run-cli.ts'

const PATIENCE_MS = 60_000

/** As a person starts it, but for a week of history. */
const ENV = { SMARTHOUSE_SIMULATOR_HISTORY: '1d', SMARTHOUSE_ENGINE_THREADS: '2' }

test('a first start in a real browser: every KPI and chart has values, without a console error', async (t) => {
  const browser = await openBrowser()
  if ('missing' in browser) return t.skip(`NOT RUN: no Chromium (${browser.missing})`)
  t.after(() => browser.close())
  const platform = start(['up', '--no-open', '--port', '0', '--data', dataFolder(t)], { env: ENV })
  t.after(async () => {
    platform.child.kill('SIGTERM')
    await platform.ended
  })
  const deadline = Date.now() + PATIENCE_MS
  let url: string | undefined
  while (!(url = /Dashboard: (http:\S+)/.exec(platform.output())?.[1])) {
    assert.ok(Date.now() < deadline, platform.output())
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  for (const width of [360, 768, 1440]) {
    const context = await browser.newContext({ viewport: { width, height: 900 }, locale: 'en-GB' })
    const page = await context.newPage()
    const faults: string[] = []
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
    page.on('pageerror', (error) => faults.push(error.message))
    // The theme follows the machine, with no reload.
    const themes = width === 768 ? (['dark', 'light'] as const) : (['light', 'dark'] as const)
    for (const colorScheme of themes) {
      await page.emulateMedia({ colorScheme })
      if (colorScheme === themes[0]) await page.goto(`${url}/?range=7d`)
      await page.locator(`html[data-theme=${colorScheme}]`).waitFor()
      await everyFigure(page, `${width} px, ${colorScheme}`)
      assert.deepEqual(faults, [], `${width} px, ${colorScheme}`)
    }
    await context.close()
  }
})

async function everyFigure(page: Page, where: string): Promise<void> {
  // The first visit may come before the history has been refined; the page refreshes by itself.
  await page
    .getByText(/\d kWh/)
    .first()
    .waitFor({ timeout: PATIENCE_MS })
  await page.locator('[data-live=live]').waitFor({ timeout: PATIENCE_MS })
  // A card is drawn when it comes near: to the end of the page, as a reader goes.
  for (const card of await page.locator('main section').all()) await card.scrollIntoViewIfNeeded()
  await page.locator('canvas').nth(1).waitFor()
  const texts = (await page.locator('[data-kpi]').allInnerTexts()).map((text) =>
    text.replaceAll(/\s+/g, ' ').trim(),
  )
  assert.equal(texts.length, 4)
  for (const text of texts) assert.match(text, /[1-9]/, `${where}: ${texts.join(', ')}`)
  assert.match(texts[2]!, /^10 of 10/)
  const points = page.locator('svg [role=button]')
  await points.nth(9).waitFor({ timeout: PATIENCE_MS })
  assert.equal(await points.count(), 10, 'a point of health and risk for every device')
  const table = page.getByRole('group', { name: 'Last readings' })
  await table.scrollIntoViewIfNeeded()
  assert.equal(await table.locator('tbody tr').count(), 100)
}
