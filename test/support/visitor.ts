import type { Browser, BrowserContextOptions, Page } from 'playwright-core'

/** Somebody at a browser profile of their own. */
export type Visitor = {
  readonly page: Page
  /** Another tab of the same profile. */
  openTab(): Promise<Page>
  /** What scripts did that they should not, in any tab: dialogs, errors, blocked by a policy. */
  readonly mischief: readonly string[]
  /** Ends the profile; throws if there was mischief. */
  leave(): Promise<void>
}

/** Opens a new profile, without cookies, with one tab. */
export async function newVisitor(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, ...options })
  context.setDefaultTimeout(30_000)
  const mischief: string[] = []
  context.on('dialog', (dialog) => {
    mischief.push(`dialog: ${dialog.message()}`)
    dialog.dismiss().catch(() => {})
  })
  context.on('weberror', (error) => mischief.push(`error: ${error.error().message}`))
  context.on('console', (message) => {
    // Chromium reports each answer of 4xx and 5xx as an error, also where it is a page.
    const expected = /^Failed to load resource|: Unexpected response code: 4/.test(message.text())
    if (message.type() === 'error' && !expected) mischief.push(`console: ${message.text()}`)
  })
  return {
    page: await context.newPage(),
    openTab: () => context.newPage(),
    mischief,
    async leave() {
      await context.close()
      if (mischief.length > 0) throw new Error(mischief.join('\n'))
    },
  }
}

/** Fills in the sign-in form of the demo's provider, where the page is or is about to be. */
export async function signIn(page: Page, username: string, password = username): Promise<void> {
  await page.locator('#username').fill(username)
  await page.locator('#password').fill(password)
  await page.locator('#password').press('Enter')
}

/** Types a code and sends it, as by hand. */
export async function typeCode(page: Page, code: string): Promise<void> {
  await page.locator('#code').pressSequentially(code)
  await page.locator('#code').press('Enter')
}

/** Waits for a page with this heading. */
export async function heading(page: Page, name: string): Promise<void> {
  await page.getByRole('heading', { name, exact: true }).waitFor()
}

/** The notice of the page, once there is one that holds `text`. */
export async function notice(page: Page, text: string): Promise<void> {
  await page.locator('.notice', { hasText: text }).waitFor()
}

/** Another code of the same length. */
export function wrongCode(code: string): string {
  return [...code].map((digit) => (Number(digit) + 1) % 10).join('')
}

/** Follows a link to `url` on a page of another site. */
export async function followFromElsewhere(page: Page, url: URL): Promise<void> {
  const elsewhere = 'http://elsewhere.test/'
  const body = `<title>Elsewhere</title><a href="${url}">A kitten</a>`
  await page.route(elsewhere, (route) => route.fulfill({ contentType: 'text/html', body }))
  await page.goto(elsewhere)
  await page.getByRole('link', { name: 'A kitten' }).click()
}
