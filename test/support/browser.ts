import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const CHROMIUM = '/usr/bin/chromium'

/**
 * Starts Chromium, offline but for the pages it is told to open; the caller closes it. With
 * `keepsPages` it keeps whole pages for the back button, as people's browsers do; Playwright then
 * does not notice when one of them is brought back.
 */
export async function launchBrowser({ keepsPages = false } = {}): Promise<Browser> {
  if (!existsSync(CHROMIUM)) {
    throw new Error(`These tests need Chromium at ${CHROMIUM} (Debian: apt-get install chromium)`)
  }
  return chromium.launch({
    executablePath: CHROMIUM,
    ...(keepsPages && { ignoreDefaultArgs: ['--disable-back-forward-cache'] }),
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
