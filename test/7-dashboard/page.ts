/** What the tests of the pages in a browser ask of a page. */
import assert from 'node:assert/strict'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'

/** What is seen at first has come. */
export async function begun(page: Page): Promise<void> {
  await page.locator('[data-kpi=energy]').waitFor()
  await page.locator('[data-live=live]').waitFor()
  await page.locator('main section canvas').first().waitFor()
}

/** How often the page is asked whether a condition holds, and for how long at most, on a machine that has other work too. */
const ASK_EVERY_MS = 50
const PATIENCE_MS = 20_000

/**
 * Waits until an expression of the page is true. It is asked from outside each time: what the browser's own
 * `waitForFunction` evaluates later than at once is refused by the page's content security policy.
 */
export async function holds(page: Page, expression: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!(await page.evaluate<boolean>(expression))) {
    assert.ok(performance.now() < deadline, `does not come to hold: ${expression}`)
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
  }
}

export async function whole(page: Page): Promise<void> {
  await begun(page)
  await readThrough(page)
  await page.locator('canvas').nth(1).waitFor()
}

export const readThrough = (page: Page) => page.evaluate(READ_THROUGH)

/** Scrolls from card to card and back to the top: a card is drawn when it comes near. */
const READ_THROUGH = `(async () => {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))
  for (const card of document.querySelectorAll('main section')) {
    card.scrollIntoView()
    for (let i = 0; i < 3; i++) await frame()
  }
  scrollTo(0, 0)
})()`

/** Whether something is drawn on a canvas: more than a few colours. (Text, since this project has no DOM types.) */
export const painted = (page: Page, index: number) =>
  page.evaluate<boolean>(`(() => {
    const canvas = document.querySelectorAll('canvas')[${index}]
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    return new Set(new Uint32Array(data.buffer)).size > 20
  })()`)

export const themeOf = (page: Page) => page.evaluate<string>('document.documentElement.dataset.theme')

/** Nothing to complain about. Rows after the third are of the same kind: they cost axe more than all the rest. */
export async function accessible(page: Page, rules?: string[]): Promise<void> {
  const axe = new AxeBuilder({ page }).exclude('tbody tr:nth-child(n+4)')
  const { violations } = await (rules ? axe.withRules(rules) : axe).analyze()
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
    [],
  )
}

/** Texts that lie partly outside of the window, or of a box that hides what does not fit without saying so. */
export const CLIPPED = `[...document.querySelectorAll('main p, main h1, main h2, main h3, main button, main [data-kpi]')]
  .filter((element) => {
    const { left, right, width } = element.getBoundingClientRect()
    const hides = getComputedStyle(element).overflow === 'hidden' && !element.classList.contains('truncate')
    return width > 1 && (left < -1 || right > innerWidth + 1 || (hides && element.scrollWidth > element.clientWidth + 1))
  })
  .map((element) => element.outerHTML.slice(0, 120))`
