import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { loadPageSet } from '../../proxy/page-set.ts'
import { launchBrowser } from '../support/browser.ts'
import { type SampleServer, serveSamples } from './sample-server.ts'

const SENT = '/samples/otp/1'
const EXPIRED = '/samples/otp/7'

describe('the code page in a browser', () => {
  let browser: Browser
  let server: SampleServer
  const open: Page[] = []

  before(async () => {
    server = await serveSamples(await loadPageSet({ brand: { name: 'Acme' } }))
    browser = await launchBrowser()
  })
  afterEach(async () => {
    server.posts.length = 0
    for (const page of open.splice(0)) await page.context().close()
  })
  after(async () => {
    await browser?.close()
    await server?.close()
  })

  const visit = async (path: string, options: BrowserContextOptions = {}) => {
    const page = await (await browser.newContext(options)).newPage()
    open.push(page)
    await page.clock.install({ time: 0 })
    await page.clock.pauseAt(1000)
    await page.goto(server.origin + path)
    return page
  }
  const paste = (page: Page, text: string) =>
    page.locator('#code').evaluate((field, pasted) => {
      const [Transfer, Paste] = ['DataTransfer', 'ClipboardEvent'].map((n) =>
        Reflect.get(globalThis, n),
      )
      const clipboardData = new Transfer()
      clipboardData.setData('text', pasted)
      field.dispatchEvent(new Paste('paste', { clipboardData, cancelable: true }))
    }, text)
  /** As a phone's keyboard does when its suggestion is taken. */
  const suggest = (page: Page, code: string) => page.locator('#code').fill(code)
  const posted = async (page: Page, action: () => Promise<unknown>) => {
    const answered = page.waitForResponse((response) => response.request().method() === 'POST')
    await action()
    await answered
    return server.posts.map(({ path, body }) => `${path} ${body.get('code') ?? ''}`.trim())
  }

  it('has the field in focus, and sends what was typed by the button alone', async () => {
    const page = await visit(SENT)
    await page.keyboard.type('123456')
    assert.equal(await page.locator('#code').inputValue(), '123456')
    assert.deepEqual(server.posts, [])
    assert.deepEqual(await posted(page, () => page.keyboard.press('Enter')), [
      '/_stepgate/otp 123456',
    ])
  })

  it('takes the code out of a pasted message and sends it at once', async () => {
    for (const text of [
      'Acme code 123456. Valid for 5 minutes.\n\n@a.example',
      '123 456',
      ' 123-456\n',
    ]) {
      const page = await visit(SENT)
      assert.deepEqual(await posted(page, () => paste(page, text)), ['/_stepgate/otp 123456'])
      server.posts.length = 0
    }
  })

  it('leaves a paste without one clear code to the person', async () => {
    const page = await visit(SENT)
    for (const text of ['12345', '1234567', '111111 or 222222', 'hello']) await paste(page, text)
    assert.equal(await page.locator('#code').inputValue(), '')
    assert.deepEqual(server.posts, [])
  })

  it('sends a suggestion that was taken, once', async () => {
    const page = await visit(SENT)
    assert.deepEqual(await posted(page, () => suggest(page, '123456')), ['/_stepgate/otp 123456'])
    await suggest(page, '')
    await suggest(page, '654321')
    assert.equal(server.posts.length, 1)
  })

  it('sends a form once, however often it is pressed', async () => {
    const page = await visit(SENT)
    await page.locator('#code').pressSequentially('123456')
    const submit = () =>
      page.locator('form[data-code-length]').evaluate((form) => {
        Reflect.get(form, 'requestSubmit').call(form)
      })
    await posted(page, submit)
    await submit()
    assert.equal(await page.getByRole('button', { name: 'Confirm' }).isDisabled(), true)
    await page.reload()
    assert.equal(server.posts.length, 1)
  })

  it('frees its buttons when the back button brings it back', async () => {
    const page = await visit(EXPIRED)
    const button = page.getByRole('button', { name: 'Send a new code' })
    await posted(page, () => button.click())
    assert.equal(await button.isDisabled(), true)
    await page.evaluate(() => {
      const Transition = Reflect.get(globalThis, 'PageTransitionEvent')
      const event = new Transition('pageshow', { persisted: true })
      Reflect.apply(Reflect.get(globalThis, 'dispatchEvent'), globalThis, [event])
    })
    assert.equal(await button.isEnabled(), true)
  })

  it('counts down until the code can be sent again, and then lets it be sent', async () => {
    const page = await visit(SENT)
    const waiting = page.getByRole('button', { name: 'Send again in 0:30' })
    assert.equal(await waiting.isDisabled(), true)
    await page.clock.runFor(11_000)
    assert.equal(await page.getByRole('button', { name: 'Send again in 0:19' }).count(), 1)
    await page.clock.runFor(20_000)
    const button = page.getByRole('button', { name: 'Send the code again' })
    assert.equal(await button.isEnabled(), true)
    assert.deepEqual(await posted(page, () => button.click()), ['/_stepgate/otp/resend'])
  })

  it('counts down the life of the code, and says its end aloud but not every second', async () => {
    const page = await visit(SENT)
    const timer = page.getByRole('timer')
    const spoken = page.locator('[data-announcer]')
    await page.clock.runFor(60_000)
    assert.equal(await timer.textContent(), 'This code is valid for another 4:00.')
    assert.equal(await spoken.textContent(), '')
    await page.clock.runFor(241_000)
    assert.equal(await timer.textContent(), 'This code has expired. Send a new one.')
    assert.equal(await spoken.textContent(), 'This code has expired. Send a new one.')
    // What was said of it, and what its button would have done, is true no longer.
    assert.equal(await page.locator('.notice').count(), 0)
    assert.equal(await page.getByRole('button', { name: 'Send a new code' }).isEnabled(), true)
  })

  it('works without JavaScript: both forms are sent, and spaces may be typed', async () => {
    const page = await visit(SENT, { javaScriptEnabled: false })
    await page.locator('#code').fill('123 456')
    const confirm = () => page.getByRole('button', { name: 'Confirm' }).click()
    assert.deepEqual(await posted(page, confirm), ['/_stepgate/otp 123 456'])
    const resend = () => page.getByRole('button', { name: 'Send the code again' }).click()
    assert.deepEqual((await posted(page, resend)).at(-1), '/_stepgate/otp/resend')
    assert.match((await page.getByRole('timer').textContent()) ?? '', /another 5 minutes/)
  })

  describe('that reads messages (WebOTP)', () => {
    const visitWithMessages = async () => {
      const page = await visit(SENT)
      await page.addInitScript(() => {
        Reflect.set(globalThis, 'OTPCredential', class {})
        const get = (options: unknown) =>
          new Promise((resolve) => {
            Reflect.set(globalThis, 'asked', options)
            Reflect.set(globalThis, 'arrive', () => resolve({ code: '123456' }))
          })
        Object.defineProperty(globalThis.navigator, 'credentials', { value: { get } })
      })
      await page.reload()
      return page
    }
    const stillAsks = (page: Page) =>
      page.evaluate(() => !Reflect.get(globalThis, 'asked').signal.aborted)

    it('is asked for the code, and sends it', async () => {
      const page = await visitWithMessages()
      const asked = await page.evaluate(() => JSON.stringify(Reflect.get(globalThis, 'asked').otp))
      assert.equal(asked, '{"transport":["sms"]}')
      const arrive = () => page.evaluate(() => Reflect.get(globalThis, 'arrive')())
      assert.deepEqual(await posted(page, arrive), ['/_stepgate/otp 123456'])
    })

    it('is asked no longer when the code was typed', async () => {
      const page = await visitWithMessages()
      await page.keyboard.type('123456')
      assert.equal(await stillAsks(page), true)
      await posted(page, () => page.keyboard.press('Enter'))
      assert.equal(await stillAsks(page), false)
    })
  })
})
