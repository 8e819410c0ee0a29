/** The pages of devices in a real browser, over the fake API: widths, themes, states, keyboard, what is said of a device. */
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { said } from './fake-devices.ts'
import { CLIPPED, accessible, holds, painted, readThrough } from './page.ts'
import { openDashboard } from './visit.ts'

const { api, inBrowser, visit } = openDashboard()

/** Nothing lies beyond the window, nothing is cut off, axe has nothing to say, in both themes. */
async function sound(page: Page): Promise<void> {
  assert.ok(
    (await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')) <= 0,
    'no horizontal overflow',
  )
  assert.deepEqual(await page.evaluate<string[]>(CLIPPED), [])
  await accessible(page)
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.locator('html[data-theme=dark]').waitFor()
  await accessible(page, ['color-contrast', 'link-in-text-block'])
}

const shown = (page: Page) => page.locator('[data-device]:visible')

for (const width of [360, 768, 1440]) {
  inBrowser(`the list and a device are whole and accessible at ${width} px, light and dark`, async () => {
    const { page, context, faults } = await visit('/devices', { width })
    await shown(page).first().waitFor()
    assert.equal(await shown(page).count(), 10)
    const bulb = page.locator('[data-device=smart_bulb_1]:visible')
    assert.match((await bulb.innerText()).replace(/\s+/g, ' '), /Offline/)
    assert.match(await page.locator('[data-device=smart_plug_1]:visible').innerText(), /Battery 9 %/)
    await readThrough(page)
    await page.getByText('heating/boiler/state', { exact: true }).waitFor()
    await sound(page)

    await page.emulateMedia({ colorScheme: 'light' })
    await page.getByRole('link', { name: 'Radiator, living room' }).click()
    await page.getByText('Quality of its readings counts').waitFor()
    await readThrough(page)
    await page.locator('canvas').waitFor()
    await page.getByText('zigbee2mqtt/radiator').first().waitFor()
    await page.getByText('0x00158d00045ab3c1').waitFor()
    assert.equal(await painted(page, 0), true, 'its history is drawn')
    await sound(page)
    assert.equal(await painted(page, 0), true, 'its history is drawn in the dark')
    assert.deepEqual(faults, [])
    await context.close()
  })
}

inBrowser(
  'the list sorts, filters and says so in the address; a row leads to the device and back',
  async () => {
    const { page, context } = await visit('/devices')
    const names = async () =>
      (await shown(page).locator('th').allInnerTexts()).map((text) => text.split('\n')[0]!.trim())
    await shown(page).first().waitFor()
    assert.equal((await names())[0], 'Motion sensor 1')
    const head = page.getByRole('button', { name: 'Now' })
    await head.focus()
    await page.keyboard.press('Enter')
    await page.locator('th[aria-sort=descending]').waitFor()
    const down = await names()
    // 1450 W is the most; the bulb that is off has no power and stands last, whichever way.
    assert.deepEqual([down[0], down.at(-1)], ['Radiator, living room', 'Smart bulb 1'])
    await page.keyboard.press('Enter')
    await page.locator('th[aria-sort=ascending]').waitFor()
    assert.equal((await names()).at(-1), 'Smart bulb 1')
    assert.equal(new URL(page.url()).searchParams.get('sort'), 'power')
    await page.getByRole('searchbox').fill('kitchen')
    await holds(page, "document.querySelectorAll('tr[data-device]').length === 2")
    assert.equal(new URL(page.url()).searchParams.get('q'), 'kitchen')
    await page.getByRole('searchbox').fill('nowhere at all')
    await page.getByText('No device fits the filter').waitFor()
    await page.getByRole('button', { name: 'Clear the filter' }).first().click()
    await page.locator('label', { hasText: 'Need a look' }).click()
    await holds(page, "document.querySelectorAll('tr[data-device]').length < 10")
    // Off, silent, an empty battery, a health below 70 %: of ten.
    assert.deepEqual((await names()).toSorted(), [
      'Motion sensor 1',
      'Motion sensor 2',
      'Smart bulb 1',
      'Smart bulb 2',
      'Smart plug 1',
    ])
    await page.getByRole('link', { name: 'Smart bulb 1' }).click()
    await page.getByRole('heading', { name: 'Smart bulb 1' }).waitFor()
    await page.goBack()
    await shown(page).first().waitFor()
    assert.equal(new URL(page.url()).searchParams.get('show'), 'attention')
    await page.keyboard.press('g')
    await page.keyboard.press('o')
    await page.locator('[data-kpi=energy]').waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('d')
    await shown(page).first().waitFor()
    await context.close()
  },
)

inBrowser('a person names a device and says its room: the list has it at once', async () => {
  const { page, context, faults } = await visit('/devices')
  await page.getByRole('button', { name: 'Change Smart plug 2' }).click()
  const dialog = page.getByRole('dialog')
  const save = dialog.getByRole('button', { name: 'Save' })
  assert.equal(await save.isDisabled(), true, 'nothing is said yet')
  await dialog.getByLabel('Name').fill('Washing machine')
  await dialog.getByRole('combobox', { name: 'Room' }).fill('cellar')
  await accessible(page)
  await save.click()
  await dialog.getByText('version').waitFor()
  assert.deepEqual(said.at(-1), {
    device: 'smart_plug_2',
    tenant: 'demo',
    name: 'Washing machine',
    location: 'cellar',
  })
  await page.keyboard.press('Escape')
  await page.getByRole('link', { name: 'Washing machine' }).waitFor()
  assert.deepEqual(faults, [])
  await context.close()
})

inBrowser('the history has ranges and measures, a cursor for the keyboard, and a table', async () => {
  const { page, context } = await visit('/devices/thermostat_1')
  const chart = page.getByRole('application')
  await chart.focus()
  await page.keyboard.press('End')
  await page
    .getByRole('status')
    .filter({ hasText: /\d W|kW/ })
    .waitFor({ state: 'attached' })
  await page.locator('label', { hasText: '7 days' }).click()
  await holds(page, "performance.getEntriesByType('resource').some((e) => e.name.includes('range=7d'))")
  // The week before by a click, and back to now by a key.
  const weekBefore = new Date(Date.now() - 7 * 86_400_000).toISOString().slice(0, 10)
  const asked = page.waitForRequest((request) => request.url().includes(`range=7d&end=${weekBefore}`))
  await page.getByRole('button', { name: 'The days before' }).click()
  await asked
  await page.locator('button[aria-label="The days after"]:enabled').waitFor()
  await page.keyboard.press(']')
  await page.locator('button[aria-label="The days after"]:disabled').waitFor()
  await page.locator('label', { hasText: 'Energy' }).click()
  await page.getByRole('application', { name: /Energy, per hour/ }).waitFor()
  await page.getByRole('button', { name: 'History: Show as table' }).click()
  const rows = page.getByRole('group', { name: 'History' }).locator('tbody tr')
  assert.equal(await rows.count(), 168)
  // A gap is a dash, never 0.
  assert.equal(await rows.filter({ hasText: '—' }).count(), 9)
  await page.locator('label', { hasText: 'Rejected (1)' }).click()
  await page.getByText('Temperature out of range: 140 °C').waitFor()
  await context.close()
})

inBrowser('loading, nothing there, an error, no such device', async () => {
  const empty = await visit('/devices', { state: 'empty' })
  await empty.page.getByText('No devices yet').waitFor()
  await accessible(empty.page)
  await empty.context.close()
  const loading = await visit('/devices', { state: 'loading' })
  await loading.page.locator('.skeleton').first().waitFor({ state: 'attached' })
  await loading.context.close()
  const broken = await visit('/devices', { state: 'error' })
  await broken.page.getByText('cannot be read').waitFor()
  api().state = 'ok'
  await broken.page.getByRole('button', { name: 'Try again' }).click()
  await holds(
    broken.page,
    "performance.getEntriesByType('resource').some((e) => e.name.includes('/devices?tenant=demo'))",
  )
  await shown(broken.page).first().waitFor()
  // What fails later leaves the list as it was, and says of when it is.
  api().state = 'error'
  await broken.page.getByText('Figures of').waitFor({ timeout: 30_000 })
  assert.equal(await shown(broken.page).count(), 10)
  await broken.context.close()
  const gone = await visit('/devices/no.such%2Fdevice')
  await gone.page.getByText('There is no such device.').waitFor()
  await accessible(gone.page)
  await gone.context.close()
})
