import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from '../support/browser.ts'
import { heading, newVisitor, signIn, typeCode, type Visitor } from '../support/visitor.ts'
import { ALICE, BOB, startWorld, type World } from '../support/world.ts'

describe('a notice board over a WebSocket', () => {
  let browser: Browser
  let world: World
  const visitors: Visitor[] = []
  before(async () => {
    world = await startWorld({
      env: { STEPGATE_RULES: 'public /public /payroll.css; twilio_sms /board; basic /**' },
    })
    browser = await launchBrowser()
  })
  afterEach(async () => {
    for (const visitor of visitors.splice(0)) await visitor.leave()
  })
  after(async () => {
    await browser?.close()
    await world?.close()
  })

  const at = (path: string) => new URL(path, world.url).href
  const state = (page: Page, text: string) => page.locator('#state', { hasText: text }).waitFor()
  const says = (page: Page, text: string) =>
    page.locator('#notices li', { hasText: text }).waitFor()

  async function visitBoard(username: string, number: string): Promise<Visitor> {
    const visitor = await newVisitor(browser)
    visitors.push(visitor)
    const { page } = visitor
    await page.goto(at('/board'))
    await signIn(page, username)
    if (username === 'bob') {
      await page.getByText(`Number ending in ${number.slice(-2)}`).click()
      await page.getByRole('button', { name: 'Send code' }).click()
    }
    await heading(page, 'Enter your code')
    await typeCode(page, world.codeFor(number))
    await heading(page, 'Notice board')
    await state(page, 'Connected')
    return visitor
  }

  test('shows who says what, and closes in every tab when somebody signs out', async () => {
    const alice = await visitBoard('alice', ALICE)
    const bob = await visitBoard('bob', BOB[0])
    const tab = await alice.openTab()
    await tab.goto(at('/board'))
    await state(tab, 'Connected')
    await bob.page.locator('#notice').fill('Cake in room 3, grüße')
    await bob.page.getByRole('button', { name: 'Pin' }).click()
    for (const page of [alice.page, bob.page, tab]) await says(page, 'bob: Cake in room 3, grüße')

    await tab.getByRole('link', { name: 'Sign out' }).click()
    await state(alice.page, 'Closed: 4401 Session ended')
    await bob.page.locator('#notice').fill('All gone')
    await bob.page.getByRole('button', { name: 'Pin' }).click()
    await says(bob.page, 'bob: All gone')
    assert.equal(await alice.page.getByText('All gone').count(), 0)
    const closed = world.logs('websocket.closed')
    assert.ok(closed.length > 0 && closed.every(({ reason }) => reason === 'revoked'))
  })

  test('does not open for a page of another site, though the browser sends the cookie', async () => {
    const alice = await visitBoard('alice', ALICE)
    const before = world.application.requests().length
    // The same host by another port is the same site: the cookie goes along.
    const { page } = alice
    const elsewhere = new URL(world.application.url)
    const handshakes: string[] = []
    page.on('websocket', (socket) => handshakes.push(socket.url()))
    await page.goto(new URL('/public', elsewhere).href)
    const code = await page.evaluate(
      (url) =>
        new Promise((resolve) => {
          const socket = new WebSocket(url)
          socket.onclose = (event) => resolve(event.code)
          socket.onopen = () => resolve('open')
        }),
      at('/board').replace('http', 'ws'),
    )
    assert.equal(code, 1006)
    assert.equal(handshakes.length, 1)
    assert.equal(
      world.application
        .requests()
        .slice(before)
        .filter(({ url }) => url === '/board').length,
      0,
    )
    const denied = world
      .logs('request.denied')
      .filter(({ reason }) => reason === 'websocket_origin')
    assert.equal(denied.length, 1)
  })
})
