/** A real browser over the fake API, for all tests of one file: opened before them, closed after them. */
import { after, before, test } from 'node:test'
import type { TestContext } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { buildDashboard } from '../../src/7-dashboard/build.ts'
import { openBrowser } from './browser.ts'
import { startFakeApi } from './fake-api.ts'
import type { FakeApi, FakeState } from './fake-api.ts'

export interface Visit {
  page: Page
  context: BrowserContext
  /** Console errors, page errors and violations of the content security policy. */
  faults: string[]
}

export interface VisitOptions {
  width?: number
  dark?: boolean
  state?: FakeState
  /** What the browser says that its language is. */
  language?: string
  permissions?: string[]
}

/** Long, for a machine that has other work, too. */
const PATIENCE_MS = 20_000

export interface Dashboard {
  /** The fake API: what it answers can be changed while a page is open. */
  api(): FakeApi
  visit(path: string, options?: VisitOptions): Promise<Visit>
  /** A test that is skipped where there is no Chromium, and says so. */
  inBrowser(name: string, body: (t: TestContext) => Promise<void>): void
}

export function openDashboard(): Dashboard {
  let api: FakeApi
  let browser: Browser | undefined
  let missing = ''
  before(async () => {
    await buildDashboard()
    api = await startFakeApi()
    const opened = await openBrowser()
    if ('missing' in opened) missing = opened.missing
    else browser = opened
  })
  after(async () => {
    await browser?.close()
    await api.close()
  })
  return {
    api: () => api,
    visit: async (path, options = {}) => {
      if (!browser) throw new Error('no browser')
      api.state = options.state ?? 'ok'
      return await visit(browser, api.url + path, options)
    },
    inBrowser: (name, body) =>
      void test(name, async (t) => {
        if (!browser) return t.skip(`NOT RUN: no Chromium (${missing})`)
        await body(t)
      }),
  }
}

async function visit(browser: Browser, url: string, options: VisitOptions): Promise<Visit> {
  const { width = 1440, dark = false, state, language, permissions } = options
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: dark ? 'dark' : 'light',
    locale: 'en-GB',
    hasTouch: width < 700,
    ...(permissions && { permissions }),
  })
  context.setDefaultTimeout(PATIENCE_MS)
  const page = await context.newPage()
  const faults: string[] = []
  page.on('console', (message) => {
    // The browser itself reports an answer of 500; the tests of that state expect it.
    if (message.type() === 'error' && !(state === 'error' && message.text().includes('500')))
      faults.push(message.text())
  })
  page.on('pageerror', (error) => faults.push(error.message))
  await page.addInitScript(
    `document.addEventListener('securitypolicyviolation', (e) => console.error('CSP ' + e.violatedDirective + ' ' + e.blockedURI))`,
  )
  if (language !== undefined)
    await page.addInitScript(
      `Object.defineProperty(Navigator.prototype, 'language', { get: () => ${JSON.stringify(language)}, configurable: true })`,
    )
  await page.goto(url)
  return { page, context, faults }
}
