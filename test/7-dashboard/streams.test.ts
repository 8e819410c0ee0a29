/** The Streams page in a real browser, over the fake API: widths, themes, states, keyboard, following, replay. */
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { replays } from './fake-streams.ts'
import { CLIPPED, accessible } from './page.ts'
import { openDashboard, type Visit, type VisitOptions } from './visit.ts'

const { api, inBrowser, visit } = openDashboard()

const visiting = (
  name: string,
  { path = '/streams', ...options }: VisitOptions & { path?: string },
  body: (visit: Visit) => Promise<void>,
): void =>
  inBrowser(name, async () => {
    const visited = await visit(path, { ...options, permissions: ['clipboard-read', 'clipboard-write'] })
    await body(visited)
    assert.deepEqual(visited.faults, [])
    await visited.context.close()
  })

const flat = (text: string): string => text.replace(/\s+/g, ' ').trim()
const messages = (page: Page) => page.getByRole('group', { name: 'Messages' }).locator('tbody tr')
const shown = async (page: Page): Promise<void> => {
  await messages(page).first().waitFor()
  await page.locator('[data-group]').waitFor()
}

for (const width of [360, 768, 1440]) {
  visiting(
    `whole, accessible and without a fault at ${width} px, light and dark`,
    { width },
    async ({ page }) => {
      await shown(page)
      assert.equal(await page.title(), 'Streams · Smart House')
      const group = flat(await page.locator('[data-group]').innerText())
      assert.match(group, /^smarthouse-bronze Stable · 2 members 150 behind growing 4\.5\/s/)
      assert.match(
        group,
        /0 4880 5000 120 growing 4\.5\/s 1 5000 5000 0 steady 2 4970 5000 30 shrinking 1\/s/,
      )
      assert.match(group, /smarthouse-2 \(10\.0\.0\.5\) reads 2$/)
      // 60,000 × 140 B; 3/6, 2/6 and 1/6 of the messages.
      const partitions = flat(await page.locator('[data-partition]').first().innerText())
      assert.equal(partitions, '0 1000–31000 30,000 12.5/s 1 3 of 3')
      assert.match(await page.locator('[data-partition]').last().innerText(), /2 of 3/)
      if (width > 760) {
        const row = flat(await page.locator(`[data-topic='smart_home.telemetry']`).innerText())
        assert.equal(
          row,
          `smart_home.telemetry 3 · 3 replicas 60,000 37.5/s 8.4 MB 7 d ${width > 1100 ? 'growing 4.5/s ' : ''}150`,
        )
      }
      assert.ok(
        (await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')) <= 0,
        'no horizontal overflow',
      )
      assert.deepEqual(await page.evaluate<string[]>(CLIPPED), [])
      await accessible(page)
      await page.emulateMedia({ colorScheme: 'dark' })
      await page.locator('html[data-theme=dark]').waitFor()
      await accessible(page, ['color-contrast', 'link-in-text-block'])
    },
  )
}

visiting(
  'a message opens whole by keyboard: decoded, raw, copied; Escape closes it',
  {},
  async ({ page }) => {
    await shown(page)
    const values = (await messages(page).allInnerTexts()).map(flat)
    // Newest first.
    assert.match(values[0]!, /0\/44 plug-1 \{"device_id":"plug-1"/)
    assert.match(values[1]!, /0\/43 plug-1 no value$/)
    assert.match(values[3]!, /0\/41 no key 3 B, no text$/)
    await page.getByRole('button', { name: 'Open message 0/44' }).focus()
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog')
    await dialog.getByText('"power_usage": 120.5').waitFor()
    await accessible(page)
    await dialog.getByRole('button', { name: 'Copy' }).click()
    await dialog.getByRole('button', { name: 'Copied' }).waitFor()
    assert.match(
      await page.evaluate<string>('navigator.clipboard.readText()'),
      /^\{\n {2}"device_id": "plug-1"/,
    )
    await dialog.getByRole('radio', { name: 'Raw' }).check()
    // { and "device_id in hexadecimal, beside their letters.
    assert.match(await dialog.locator('pre').innerText(), /^000000 {2}7b 22 64 65 76 .* {2}\{"device_id":"pl/)
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
  },
)

visiting('from an offset, with a filter: in the address, and asked so', { width: 768 }, async ({ page }) => {
  await shown(page)
  await page.getByRole('radio', { name: 'Offset' }).check()
  await page.getByLabel('Offset', { exact: true }).last().fill('43')
  await page.getByLabel('Filter by').selectOption('key')
  await page.getByLabel('Filter', { exact: true }).fill('plug-1')
  await page.keyboard.press('Enter')
  await page.waitForURL(/from=offset/)
  await page.getByText('2 shown').waitFor()
  assert.ok(
    api().asked.some((url) => url.endsWith('/messages?topic=smart_home.telemetry&offset=43&key=plug-1')),
  )
  // The address alone gives the same.
  await page.reload()
  await page.getByText('2 shown').waitFor()
  assert.equal(await page.getByLabel('Filter', { exact: true }).inputValue(), 'plug-1')
})

visiting(
  'new messages come on top while they are followed, and none while the page is paused',
  {},
  async ({ page }) => {
    await shown(page)
    await page.getByRole('checkbox', { name: 'Follow' }).check()
    await messages(page).first().getByText('new-').waitFor()
    await page.keyboard.press('l')
    await page.getByText('Paused with the live view (l).').waitFor()
    await page.locator('[data-tail=ready]').waitFor()
  },
)

visiting('dead letters are put back, one by one and all after a question', {}, async ({ page }) => {
  await page.getByRole('button', { name: 'smart_home.telemetry.dead-letter' }).first().click()
  await page.getByRole('button', { name: 'Put all back' }).click()
  await page.getByText('Put 2 dead letters on smart_home.telemetry again?').waitFor()
  await page.getByRole('button', { name: 'Put back', exact: true }).click()
  await page.getByText('2 dead letters were put back.').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Open message 0/42' }).click()
  await page.getByRole('button', { name: 'Put back', exact: true }).click()
  await page.getByText('1 dead letter was put back.').waitFor()
  assert.deepEqual(replays, [{ all: true }, { partition: 0, offset: 42 }])
})

visiting('an empty topic says so, and that nobody reads it', { state: 'empty' }, async ({ page }) => {
  await page.getByText('Topic is empty: offsets 1000–1000').waitFor()
  await page.getByText('No group reads this topic').waitFor()
  await page.getByText('No message here').waitFor()
  await accessible(page)
})

visiting(
  'nothing that matches says how many were looked at',
  { path: '/streams?by=text&q=nowhere' },
  async ({ page }) => {
    await page.getByText('No message matches').waitFor()
    await page.getByText('48,000 messages were looked at.').waitFor()
  },
)

visiting(
  'a stream that does not answer: what is wrong, what to do, and again',
  { state: 'error' },
  async ({ page }) => {
    await page.getByRole('alert').first().getByText('Run smarthouse verify.').waitFor()
    api().state = 'ok'
    await page.getByRole('button', { name: 'Try again' }).first().click()
    await shown(page)
  },
)

visiting('loading keeps its place; the keys lead here and back', { state: 'loading' }, async ({ page }) => {
  await page.locator('main .skeleton').first().waitFor()
  api().state = 'ok'
  await page.reload()
  await shown(page)
  await page.keyboard.press('g')
  await page.keyboard.press('o')
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  await page.keyboard.press('g')
  await page.keyboard.press('s')
  await page.getByRole('heading', { level: 1, name: 'Streams' }).waitFor()
})
