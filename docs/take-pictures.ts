/** `npm run pictures`: takes the README's pictures from a running demo, by Chromium. */
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { type Demo, startDemo } from '../demo/start-demo.ts'
import { readEnvironment } from '../proxy/config/environment.ts'
import { launchBrowser } from '../test/support/browser.ts'

const PHONE = { width: 390, height: 740 }
const DESKTOP = { width: 880, height: 460 }

async function takePictures(demo: Demo, browser: Browser): Promise<void> {
  const page = await newPage(browser, PHONE)
  await page.goto(demo.url.href)
  await page.getByLabel('Username').fill('alice')
  await page.getByLabel('Password').fill('alice')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL('**/_stepgate/otp*')
  await save(page, 'code-page')

  const phone = await newPage(browser, { width: 390, height: 640 })
  await phone.goto(demo.phoneUrl.href)
  await save(phone, 'demo-phone')

  const code = demo.twilio.messages()[0]?.body.match(/#(\d+)$/)?.[1] ?? ''
  await page.setViewportSize(DESKTOP)
  await page.locator('#code').fill(code)
  await page.waitForURL(demo.url.href)
  await save(page, 'application')
}

async function newPage(browser: Browser, viewport: typeof PHONE): Promise<Page> {
  const context = await browser.newContext({ viewport, deviceScaleFactor: 1.5, locale: 'en' })
  return context.newPage()
}

async function save(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(import.meta.dirname, `${name}.png`), animations: 'disabled' })
}

const demo = await startDemo({ env: { STEPGATE_LOG_LEVEL: 'silent', ...readEnvironment() } })
const browser = await launchBrowser()
try {
  await takePictures(demo, browser)
} finally {
  await browser.close()
  await demo.close()
}
