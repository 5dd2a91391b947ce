import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { until } from './until.ts'

/**
 * Presses the back button and answers all that is to be seen until it is what was waited for. Not
 * by Playwright, which loses sight of a page that the browser takes from what it has kept.
 */
export async function pressBack(page: Page, isThere: (text: string) => boolean): Promise<string[]> {
  const browser = await page.context().newCDPSession(page)
  const { currentIndex, entries } = await browser.send('Page.getNavigationHistory')
  const entryId = entries[currentIndex - 1]?.id ?? assert.fail('nothing to go back to')
  const left = entries[currentIndex]?.url
  const texts: string[] = []
  let looks = 0
  await until(async () => {
    // Chromium forgets a press now and then, when it has just thrown away the page to go back to.
    if (texts.length === 0 && looks++ % 250 === 0) {
      await browser.send('Page.navigateToHistoryEntry', { entryId })
    }
    const expression = `[location.href, document.body?.innerText ?? ''].join('\\n')`
    const { result } = await browser.send('Runtime.evaluate', { expression })
    if (!String(result.value).startsWith(`${left}\n`)) texts.push(String(result.value))
    return isThere(texts.at(-1) ?? '')
  }).catch(() => assert.fail(`seen after going back: ${texts.at(-1)}`))
  return texts
}
