import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { axeFindings } from '../support/axe.ts'
import { launchBrowser } from '../support/browser.ts'
import {
  heading,
  newVisitor,
  notice,
  signIn,
  typeCode,
  type Visitor,
  wrongCode,
} from '../support/visitor.ts'
import { ALICE, startWorld, type World } from '../support/world.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

describe('the code page in a browser', () => {
  let browser: Browser
  let world: World
  let sentBefore: number
  const visitors: Visitor[] = []

  before(async () => {
    world = await startWorld()
    browser = await launchBrowser()
  })
  beforeEach(() => {
    // A day later nothing is left of the limits that the test before ran into.
    world.turnClock(25 * 60 * MINUTE)
    sentBefore = world.messages().length
  })
  afterEach(async () => {
    for (const visitor of visitors.splice(0)) await visitor.leave()
  })
  after(async () => {
    await browser?.close()
    await world?.close()
  })

  const open = (page: Page, path: string) => page.goto(new URL(path, world.url).href)
  const at = (page: Page, path: string) => page.waitForURL(new URL(path, world.url).href)
  const sent = () => world.messages().length - sentBefore
  const code = () => world.codeFor(ALICE)
  /** Somebody who is signed in as alice and has been sent a code. */
  const arrive = async (options?: BrowserContextOptions) => {
    const visitor = await newVisitor(browser, options)
    visitors.push(visitor)
    await open(visitor.page, '/payroll')
    await signIn(visitor.page, 'alice')
    await heading(visitor.page, 'Enter your code')
    return visitor.page
  }
  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
  const isFocused = (page: Page) =>
    page.locator('#code').evaluate((field) => field.matches(':focus'))
  const postsOf = (page: Page) => {
    const posts: string[] = []
    page.on('request', (request) => {
      if (request.method() === 'POST') posts.push(request.url())
    })
    return posts
  }
  /** Lets the page's own clock run, and stepgate's as far. */
  const wait = async (page: Page, ms: number) => {
    world.turnClock(ms)
    await page.clock.runFor(ms)
  }
  const typeWrongCodes = async (page: Page, count: number) => {
    const right = code()
    for (let typed = 0; typed < count; typed++) {
      const answered = page.waitForResponse((answer) => answer.request().method() === 'POST')
      await typeCode(page, wrongCode(right))
      await answered
      await page.locator('.notice-error').waitFor()
    }
  }

  test('a wrong code is said to be wrong, with the attempts left and the field ready for another', async () => {
    const page = await arrive()
    await typeCode(page, wrongCode(code()))
    await notice(page, 'That code is not right. You have 4 attempts left.')
    assert.equal(await page.locator('#code').inputValue(), '')
    assert.equal(await isFocused(page), true)
    assert.match(await page.title(), /^Error: /)
    assert.deepEqual(await axeFindings(page), [])
    await typeCode(page, '12345')
    await notice(page, 'This did not count as an attempt.')
    await typeCode(page, wrongCode(code()))
    await notice(page, 'You have 3 attempts left.')
    await typeCode(page, code())
    await at(page, '/payroll')
    assert.equal(sent(), 1)
  })

  test('after five wrong ones the code is used up, and a new one leads on', async () => {
    const page = await arrive()
    const first = code()
    await typeWrongCodes(page, 4)
    await notice(page, 'You have one attempt left.')
    await typeWrongCodes(page, 1)
    await notice(page, 'there are no attempts left for it')
    assert.deepEqual(await axeFindings(page), [])
    assert.equal(await page.locator('#code').count(), 0)

    world.turnClock(30 * SECOND)
    await page.reload()
    await notice(page, 'this code no longer works')
    await button(page, 'Send a new code').click()
    await notice(page, 'Your code is on its way.')
    assert.equal(sent(), 2)
    assert.notEqual(code(), first)
    await typeCode(page, first)
    await notice(page, 'not right')
    await typeCode(page, code())
    await at(page, '/payroll')
  })

  test('a code that has run out is said to have expired, and a new one leads on', async () => {
    const page = await arrive()
    world.turnClock(5 * MINUTE)
    await typeCode(page, code())
    await notice(page, 'That code has expired.')
    assert.equal(await page.locator('#code').count(), 0)
    assert.equal(sent(), 1)
    await button(page, 'Send a new code').click()
    await notice(page, 'Your code is on its way.')
    await typeCode(page, code())
    await at(page, '/payroll')
    assert.equal(sent(), 2)
  })

  test('the same code is sent again after 30 seconds, once however often the button is pressed', async () => {
    const page = await arrive()
    await page.clock.install()
    await page.reload()
    const first = code()
    const again = page.getByRole('button', { name: /^Send (again in|the code again)/ })
    assert.match((await again.textContent()) ?? '', /^Send again in 0:(30|2\d)$/)
    assert.equal(await again.isDisabled(), true)

    // A page whose clock runs ahead: the server's counts.
    await page.clock.runFor(31 * SECOND)
    await again.click()
    await notice(page, 'You can send another one in')
    assert.equal(sent(), 1)

    await wait(page, 31 * SECOND)
    await again.dblclick()
    await notice(page, 'We sent the same code again.')
    assert.equal(sent(), 2)
    assert.equal(code(), first)
    await page.reload()
    await heading(page, 'Enter your code')
    assert.equal(sent(), 2)
    await page.getByRole('button', { name: /^Send again in (1:00|0:5\d)$/ }).waitFor()
    await typeCode(page, first)
    await at(page, '/payroll')
  })

  test('a code counts no more once the same person has been sent one in another browser', async () => {
    const [one, other] = [await arrive(), await arrive()]
    assert.equal(sent(), 2)
    const [newest, older] = world.messages(ALICE).map(({ body }) => /#(\d+)$/.exec(body)?.[1] ?? '')
    await typeCode(one, older ?? '')
    await notice(one, 'A newer code was requested in another window or on another device')
    assert.equal(await one.locator('#code').count(), 0)
    await typeCode(other, newest ?? '')
    await at(other, '/payroll')

    world.turnClock(30 * SECOND)
    await one.reload()
    await button(one, 'Send a new code').click()
    await notice(one, 'on its way')
    await typeCode(one, code())
    await at(one, '/payroll')
  })

  test('ten wrong codes in a row mean a wait, in which not even the right one counts', async () => {
    const page = await arrive()
    await typeWrongCodes(page, 5)
    world.turnClock(30 * SECOND)
    await page.reload()
    await button(page, 'Send a new code').click()
    await notice(page, 'on its way')
    await typeWrongCodes(page, 4)
    await typeCode(page, wrongCode(code()))
    await heading(page, 'Too many wrong codes')
    await open(page, '/payroll')
    await heading(page, 'Too many wrong codes')
    await page.getByText(/You can try again in (0:30|0:2\d)\./).waitFor()
    assert.deepEqual(await axeFindings(page), [])
    await page.getByRole('link', { name: 'Try again' }).click()
    await heading(page, 'Too many wrong codes')
    assert.equal(sent(), 2)

    world.turnClock(60 * SECOND)
    await page.getByRole('link', { name: 'Try again' }).click()
    await notice(page, 'this code no longer works')
    await button(page, 'Send a new code').click()
    await typeCode(page, code())
    await at(page, '/payroll')
    assert.equal(sent(), 3)
  })

  test('a pasted code with a space in it is sent at once, and once', async () => {
    const page = await arrive({ permissions: ['clipboard-read', 'clipboard-write'] })
    const posts = postsOf(page)
    const spaced = code().replace(/^(...)/, '$1 ')
    await page.evaluate(
      (text) => Reflect.get(globalThis.navigator, 'clipboard').writeText(text),
      spaced,
    )
    await page.locator('#code').press('Control+V')
    await at(page, '/payroll')
    assert.equal(posts.length, 1)
  })

  test('a code is sent once, however often it is confirmed', async () => {
    const page = await arrive()
    const posts = postsOf(page)
    await page.locator('#code').pressSequentially(code())
    await button(page, 'Confirm').dblclick()
    await at(page, '/payroll')
    assert.equal(posts.length, 1)
  })

  test('the life of a code is counted down to its end', async () => {
    const page = await arrive()
    await page.clock.install()
    await page.reload()
    const timer = page.getByRole('timer')
    assert.match((await timer.textContent()) ?? '', /another (5:00|4:5\d)\.$/)
    await wait(page, 60 * SECOND)
    assert.match((await timer.textContent()) ?? '', /another (4:00|3:5\d)\.$/)
    await button(page, 'Send the code again').waitFor()
    await wait(page, 240 * SECOND)
    assert.equal(await timer.textContent(), 'This code has expired. Send a new one.')
    assert.equal(await page.locator('.notice').count(), 0)
    await button(page, 'Send a new code').click()
    await notice(page, 'on its way')
    assert.equal(sent(), 2)
  })

  test('neither loading again nor the back button sends or asks a second time', async () => {
    const page = await arrive()
    for (let time = 0; time < 3; time++) await page.reload()
    assert.equal(sent(), 1)
    await typeCode(page, code())
    await at(page, '/payroll')
    await page.goBack()
    await at(page, '/payroll')
    await heading(page, 'Payslip of alice')
    await page.reload()
    await heading(page, 'Payslip of alice')
    assert.equal(sent(), 1)
  })
})
