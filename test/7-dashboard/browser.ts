/** Chromium for the tests: the one that the package carries, or the machine's own where `CHROMIUM` names it. */
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'

/** The browser, or why there is none. */
export async function openBrowser(): Promise<Browser | { missing: string }> {
  try {
    const { chromium } = await import('playwright-core')
    return await chromium.launch({
      executablePath: await executable(),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--font-render-hinting=none',
        '--hide-scrollbars',
      ],
      headless: true,
    })
  } catch (error) {
    return {
      missing: error instanceof Error ? error.message.split('\n').slice(0, 4).join(' ') : String(error),
    }
  }
}

async function executable(): Promise<string> {
  const own = process.env['CHROMIUM']
  if (own) return own
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('the packaged Chromium runs on Linux x64 only')
  // By this sign the package also unpacks the libraries that Chromium needs (NSS, NSPR) and that a bare machine lacks.
  process.env['AWS_EXECUTION_ENV'] ??= 'AWS_Lambda_nodejs22.x'
  const { default: packaged } = await import('@sparticuz/chromium')
  const path = await packaged.executablePath()
  if (!existsSync(join(tmpdir(), 'chromium'))) throw new Error('Chromium could not be unpacked')
  return path
}
