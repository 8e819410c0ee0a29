/** The Overview in a real browser, over the fake API: widths, themes, states, keyboard, live values. */
import assert from 'node:assert/strict'
import { CLIPPED, accessible, begun, painted, themeOf, whole } from './page.ts'
import { openDashboard } from './visit.ts'

const { api, inBrowser, visit } = openDashboard()

for (const width of [360, 768, 1440]) {
  inBrowser(`whole, accessible and without a fault at ${width} px, light and dark`, async () => {
    const { page, context, faults } = await visit('/', { width })
    await begun(page)
    if (width === 360)
      assert.equal(await page.locator('canvas').count(), 1, 'a chart below is made when it comes near')
    await whole(page)
    const kpis = await page.locator('[data-kpi]').allInnerTexts()
    assert.deepEqual(
      kpis.map((text) => text.replace(/\s+/g, ' ').trim()),
      ['31.4 kWh', '$3.77', '9 of 10', '94 %'],
    )
    assert.equal(await painted(page, 0), true, 'live power is drawn')
    assert.equal(await painted(page, 1), true, 'live temperature is drawn')
    assert.equal(await page.locator('svg[role=img][aria-label*="91 of 100"]').count(), 1, 'gauge')
    assert.equal(await page.locator('svg [role=button]').count(), 10, 'a point for every device')
    await page.getByRole('group', { name: 'Last readings' }).scrollIntoViewIfNeeded()
    assert.equal(await page.getByRole('group', { name: 'Last readings' }).locator('tbody tr').count(), 100)
    assert.ok(
      (await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')) <= 0,
      'no horizontal overflow',
    )
    await accessible(page)
    // The theme follows the machine, with no reload.
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.locator('html[data-theme=dark]').waitFor()
    assert.equal(await painted(page, 0), true, 'live power is drawn in the dark')
    // The same page in other colours: only what is about colours can differ.
    await accessible(page, ['color-contrast', 'link-in-text-block'])
    assert.deepEqual(faults, [])
    await context.close()
  })
}

inBrowser('data status names files, rows and age of every layer', async () => {
  const { page, context } = await visit('/', { state: 'stale' })
  await whole(page)
  const layer = async (name: string) =>
    (await page.locator(`[data-layer=${name}]`).innerText()).replace(/\s+/g, ' ')
  assert.match(await layer('bronze'), /^Bronze Up to date 128,431 rows · 14 files (\d+ s ago|just now)$/)
  assert.match(await layer('gold'), /^Gold Behind 9,874 rows · 31 files \d+ s ago$/)
  await context.close()
})

inBrowser('loading keeps the places and shows no number', async () => {
  const { page, context, faults } = await visit('/', { state: 'loading' })
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  await page.locator('.skeleton').first().waitFor()
  assert.equal(await page.locator('[data-kpi]').count(), 0)
  assert.deepEqual(faults, [])
  await context.close()
})

inBrowser('the first questions do not wait for the script, and are asked once', async () => {
  const { page, context } = await visit('/favicon.svg')
  const asked = (path: string) => api().asked.filter((each) => each.startsWith(`/api/v1/${path}`))
  for (const search of ['', '?home=demo&range=custom&from=2026-11-01&to=2026-11-03']) {
    const address = `${api().url}/${search}`
    await page.route(/assets\/index-.*js/, (route) => route.abort())
    const overview = page.waitForResponse(/\/overview/)
    await page.goto(address)
    await overview
    await page.unrouteAll()
    api().asked.length = 0
    await page.goto(address)
    await begun(page)
    for (const path of ['homes', 'overview', 'data-status', 'live/series', 'readings/recent'])
      assert.equal(asked(path).length, 1, `${search}: ${asked(path).join(' ')}`)
  }
  await context.close()
})

inBrowser('the page does not jump when the figures come, at any width', async () => {
  for (const width of [360, 768, 1440]) assert.ok((await shiftAt(width)) <= 0.02, `${width} px`)
})

/** Cumulative layout shift of a first visit; budget 0.02. */
async function shiftAt(width: number): Promise<number> {
  const { page, context } = await visit('/', { width })
  await begun(page)
  const shift = await page.evaluate<number>(`new Promise((resolve) => {
    let sum = 0
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) sum += entry.value
    }).observe({ type: 'layout-shift', buffered: true })
    setTimeout(() => resolve(sum), 500)
  })`)
  await context.close()
  return shift
}

inBrowser('a home whose readings end years ago leads to them', async () => {
  const { page, context, faults } = await visit('/', { state: 'old' })
  await page.getByText('The newest ones are of Mar 1, 2015.').waitFor()
  await page.getByRole('button', { name: 'Show that day' }).click()
  await page.getByText('31.4').first().waitFor()
  assert.match(page.url(), /range=custom.*from=2015-03-01.*to=2015-03-01/)
  assert.equal(await page.getByText('The newest ones are of').count(), 0)
  assert.deepEqual(faults, [])
  await context.close()
})

inBrowser('an empty home says what is missing and why, and shows no zero', async () => {
  const { page, context, faults } = await visit('/', { state: 'empty' })
  await page.getByText('Waiting for the first reading').waitFor()
  await page.locator('[data-kpi=energy]').waitFor()
  for (const text of await page.locator('[data-kpi]').allInnerTexts()) assert.match(text, /—/)
  assert.equal(await page.getByText('No day of the range has readings.').first().isVisible(), true)
  await accessible(page)
  assert.deepEqual(faults, [])
  await context.close()
})

inBrowser('an error says so on its card, with the request, and Try again brings the figures', async () => {
  const { page, context, faults } = await visit('/', { state: 'ok' })
  await whole(page)
  api().state = 'error'
  await page.getByRole('radio', { name: '7 days' }).check()
  await page.getByRole('alert').getByText('The table gold.daily_energy_consumption cannot be read.').waitFor()
  assert.equal(await page.getByText('req-7f3a').isVisible(), true)
  assert.equal(
    await page.getByRole('heading', { name: 'Live power' }).isVisible(),
    true,
    'other cards live on',
  )
  api().state = 'ok'
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.locator('[data-kpi=energy]').waitFor()
  assert.deepEqual(
    faults.filter((fault) => !fault.includes('500')),
    [],
  )
  await context.close()
})

inBrowser('live readings reach the page, and l holds them', async () => {
  const { page, context } = await visit('/')
  await whole(page)
  api().send({
    device_id: 'test_probe',
    timestamp: new Date(Date.now() + 1000).toISOString(),
    power_usage: 4321,
  })
  await page
    .getByRole('rowheader', { name: 'Test probe' })
    .first()
    .waitFor({ state: 'attached', timeout: 15_000 })
  await page.keyboard.press('l')
  await page.locator('[data-live=paused]').waitFor()
  await page.keyboard.press('l')
  await page.locator('[data-live=live]').waitFor()
  await context.close()
})

inBrowser('the power of the house follows its events, without a refresh', async () => {
  const { page, context } = await visit('/')
  await whole(page)
  const asked = api().asked.length
  api().sendPower(1234)
  await page
    .getByRole('region', { name: 'Power now' })
    .getByText('1.23 kW')
    .first()
    .waitFor({ timeout: 15_000 })
  assert.deepEqual(
    api()
      .asked.slice(asked)
      .filter((path) => path.includes('overview')),
    [],
  )
  await context.close()
})

inBrowser('nothing is lost at 200 % zoom and from right to left', async () => {
  // A window of 1280 px at 200 % has 640 px of layout.
  const { page, context, faults } = await visit('/', { width: 640 })
  await whole(page)
  for (const direction of ['ltr', 'rtl']) {
    await page.evaluate(`document.documentElement.dir = '${direction}'`)
    assert.ok(
      (await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')) <= 0,
      `no horizontal overflow, ${direction}`,
    )
    assert.deepEqual(await page.evaluate<string[]>(CLIPPED), [], direction)
    await accessible(page)
  }
  assert.deepEqual(faults, [])
  await context.close()
})

inBrowser('a language that the browser cannot name is no reason not to draw', async () => {
  const { page, context, faults } = await visit('/', { language: 'en-US@posix' })
  await whole(page)
  assert.equal(await painted(page, 0), true)
  assert.deepEqual(faults, [])
  await context.close()
})

inBrowser('two tabs share one event stream', async () => {
  const asked = api().asked.length
  const { page, context } = await visit('/')
  await whole(page)
  const second = await context.newPage()
  await second.goto(api().url)
  await second.locator('[data-live=live]').waitFor()
  const streams = api()
    .asked.slice(asked)
    .filter((path) => path.startsWith('/api/v1/live?'))
  assert.deepEqual(streams, ['/api/v1/live?tenant=demo'])
  await context.close()
})

inBrowser('keyboard: help, tables, periods, chart cursor, single keys off', async () => {
  const { page, context, faults } = await visit('/')
  await whole(page)
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })

  await page.keyboard.press('t')
  await page.getByRole('group', { name: 'Live power' }).locator('td').first().waitFor()
  await page.keyboard.press('t')
  await page.locator('canvas').nth(1).waitFor()

  const asked = page.waitForRequest(/overview.*from=2026-11-22/)
  await page.keyboard.press('[')
  await page.waitForURL(/range=custom&from=2026-11-22&to=2026-11-22|from=2026-11-22.*to=2026-11-22/)
  await asked
  await page.goBack()
  await page.waitForURL((url) => !url.search.includes('custom'))

  await page.getByRole('application', { name: /^Live power/ }).focus()
  await page.keyboard.press('ArrowLeft')
  await page
    .getByText(/^\d\d:\d\d:\d\d: .+ (\d|no value)/)
    .first()
    .waitFor({ state: 'attached' })

  await page.keyboard.press('Escape')
  await page.locator('body').press('?')
  await page.getByRole('switch', { name: 'Single-key shortcuts' }).click()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.keyboard.press('l')
  await page.waitForTimeout(150)
  assert.equal(await page.locator('[data-live=paused]').count(), 0)
  assert.deepEqual(faults, [])
  await context.close()
})

inBrowser('the theme changes at once and stays; the address holds range and focus', async () => {
  const { page, context } = await visit('/?range=30d')
  await whole(page)
  assert.ok(api().asked.some((path) => path === '/api/v1/overview?tenant=demo&range=30d'))
  await page.getByRole('button', { name: 'Theme' }).click()
  await page.getByRole('menuitemradio', { name: 'Dark' }).click()
  assert.equal(await themeOf(page), 'dark')
  await page.evaluate(`document.querySelector('canvas').dataset.before = ''`)
  await page
    .getByRole('button', { name: /^Smart plug 1/ })
    .first()
    .click()
  await page.waitForURL(/dev=smart_plug_1/)
  await page.locator('button[aria-pressed=true]').nth(1).waitFor()
  assert.equal(await page.locator('canvas[data-before]').count(), 1, 'the chart stays, its lines change')
  // Two changes within one frame: the second keeps the first.
  await page.evaluate(
    `document.querySelector('input[aria-label="7 days"]').click(); document.querySelector('button[aria-pressed=false]').click()`,
  )
  await page.waitForURL(({ search }) => search.includes('range=7d') && !search.includes('dev=smart_plug_1'))
  assert.equal(await page.getByRole('radio', { name: '7 days' }).isChecked(), true)
  await page.goBack()
  await page.waitForURL(/dev=smart_plug_1/)
  await page.reload()
  await whole(page)
  assert.equal(await themeOf(page), 'dark')
  assert.equal(await page.locator('button[aria-pressed=true]').count(), 2, 'focused in both charts')
  await context.close()
})
