import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { axeFindings } from '../support/axe.ts'
import { launchBrowser } from '../support/browser.ts'
import { declareSecret } from '../support/canaries.ts'
import { personLdif, type Slapd, startSlapd } from '../support/slapd.ts'
import { heading, newVisitor, notice, signIn, typeCode, type Visitor } from '../support/visitor.ts'
import { startWorld, type World } from '../support/world.ts'

// Others than the provider tells of: what arrives here can only come from the directory.
const ALICE = '+491713920011'
const BOB: readonly [string, string] = ['+491713920022', '+491713920033']
const PEOPLE = personLdif(
  { uid: 'alice', attributes: { phoneNumberVerified: ALICE } },
  { uid: 'bob', attributes: { phoneNumberVerified: [...BOB] } },
  { uid: 'carol' },
)

describe('people in browsers, with numbers from a directory', () => {
  let browser: Browser
  let slapd: Slapd
  let world: World
  const visitors: Visitor[] = []

  before(async () => {
    for (const number of [ALICE, ...BOB]) declareSecret('number', number.slice(1))
    slapd = await startSlapd({ entries: PEOPLE })
    world = await startWorld({ slapd })
    browser = await launchBrowser()
  })
  afterEach(async () => {
    for (const visitor of visitors.splice(0)) await visitor.leave()
  })
  after(async () => {
    await browser?.close()
    await world?.close()
    await slapd?.stop()
  })

  const arrive = async (options?: BrowserContextOptions) => {
    const visitor = await newVisitor(browser, options)
    visitors.push(visitor)
    return visitor
  }
  const open = (page: Page, path: string) => page.goto(new URL(path, world.url).href)
  const at = (page: Page, path: string) => page.waitForURL(new URL(path, world.url).href)
  /** Looks at the phone with this number and reads the newest code off its screen. */
  const readPhone = async (number: string) => {
    const { page } = await arrive()
    await page.goto(world.phoneUrl.href)
    const newest = page.locator(`#phone-${number.slice(1)} .code`).first()
    return (await newest.textContent()) ?? ''
  }
  const sent = () => world.messages().length
  const shownUser = (page: Page) => page.locator('#user').textContent()

  test('one person signs in, reads the code on her phone, types it and sees the page she asked for', async () => {
    const { page } = await arrive()
    await open(page, '/payroll')
    assert.equal(new URL(page.url()).origin, world.provider.issuer.origin)
    await signIn(page, 'alice')
    await heading(page, 'Enter your code')
    await page.getByText('phone number ending in 11').waitFor()
    assert.deepEqual(await axeFindings(page), [])
    assert.equal(await page.locator('#code').evaluate((field) => field.matches(':focus')), true)
    await typeCode(page, await readPhone(ALICE))
    await at(page, '/payroll')
    await heading(page, 'Payslip of alice')
    assert.equal(await shownUser(page), 'alice')

    await open(page, '/whoami')
    const { headers } = JSON.parse((await page.locator('pre').textContent()) ?? '')
    assert.equal(headers['x-forwarded-user'], 'alice')
    assert.equal(headers['x-forwarded-email'], 'alice@example.com')
    assert.equal(headers['x-stepgate-acr'], 'twilio_sms')
    assert.equal(headers['x-stepgate-amr'], 'pwd,sms,otp,mfa')
  })

  test('the code is asked for only where it is needed, without the password, and giving up keeps the session', async () => {
    const before = sent()
    const { page } = await arrive()
    await open(page, '/basic')
    await signIn(page, 'alice')
    await heading(page, 'Telephone list')
    assert.equal(sent(), before)

    const visits = world.provider.requestCount('/authorize')
    await page.getByRole('link', { name: 'My payslip' }).click()
    await heading(page, 'Enter your code')
    await page.goBack()
    await heading(page, 'Telephone list')
    await page.reload()
    assert.equal(await shownUser(page), 'alice')

    world.turnClock(60_000)
    await open(page, '/payroll')
    await notice(page, 'Nothing was sent again')
    await typeCode(page, world.codeFor(ALICE))
    await at(page, '/payroll')
    assert.equal(world.provider.requestCount('/authorize'), visits)
    assert.equal(sent(), before + 1)
  })

  test('three people one after another in one browser: each code goes to its own phone, and none where there is no number', async () => {
    const { page } = await arrive()
    const signOut = async () => {
      await page.getByRole('link', { name: 'Sign out' }).click()
      await at(page, '/_stepgate/signed-out')
    }
    await open(page, '/payroll')
    await signIn(page, 'alice')
    await heading(page, 'Enter your code')
    const toAlice = world.messages(ALICE).length
    await typeCode(page, world.codeFor(ALICE))
    await heading(page, 'Payslip of alice')
    await signOut()

    // Gluu's script sent the code of somebody without a number to whoever came before.
    const before = sent()
    await open(page, '/payroll')
    await signIn(page, 'carol')
    await heading(page, 'No phone number on record')
    assert.equal(sent(), before)
    await page.getByRole('link', { name: 'Try again' }).click()
    await heading(page, 'No phone number on record')
    assert.equal(sent(), before)
    await signOut()

    await open(page, '/payroll')
    await signIn(page, 'bob')
    await page.getByText('Number ending in 22').click()
    await page.getByRole('button', { name: 'Send code' }).click()
    await heading(page, 'Enter your code')
    assert.deepEqual(
      [world.messages(ALICE).length, world.messages(BOB[0]).length, sent()],
      [toAlice, 1, before + 1],
    )
    await typeCode(page, world.codeFor(BOB[0]))
    await heading(page, 'Payslip of bob')
  })

  test('two people at once in two browsers: neither code opens the other one’s door', async () => {
    const [alice, bob] = [(await arrive()).page, (await arrive()).page]
    await Promise.all([open(alice, '/payroll'), open(bob, '/admin')])
    const choose = async () => {
      await bob.getByText('Number ending in 33').click()
      await bob.getByRole('button', { name: 'Send code' }).click()
    }
    await Promise.all([signIn(alice, 'alice'), signIn(bob, 'bob').then(choose)])
    await Promise.all([heading(alice, 'Enter your code'), heading(bob, 'Enter your code')])

    const [hers, his] = [world.codeFor(ALICE), world.codeFor(BOB[1])]
    await Promise.all([typeCode(alice, his), typeCode(bob, hers)])
    await Promise.all([notice(alice, 'not right'), notice(bob, 'not right')])
    await Promise.all([typeCode(alice, hers), typeCode(bob, his)])
    await Promise.all([at(alice, '/payroll'), at(bob, '/admin')])
    assert.deepEqual([await shownUser(alice), await shownUser(bob)], ['alice', 'bob'])
  })

  test('one person with two numbers chooses, and changes his mind', async () => {
    world.turnClock(60 * 60_000)
    const toNumber = BOB.map((number) => world.messages(number).length)
    const counts = () => BOB.map((number, i) => world.messages(number).length - (toNumber[i] ?? 0))
    const { page } = await arrive()
    await open(page, '/payroll')
    await signIn(page, 'bob')
    await heading(page, 'Where should we send the code?')
    assert.deepEqual(await axeFindings(page), [])
    assert.deepEqual(counts(), [0, 0])
    await page.getByText('Number ending in 22').click()
    await page.getByRole('button', { name: 'Send code' }).click()
    await page.getByText('phone number ending in 22').waitFor()
    const first = world.codeFor(BOB[0])

    await page.getByRole('link', { name: 'Use another phone number' }).click()
    await page.getByText('Number ending in 33').click()
    await page.getByRole('button', { name: 'Send code' }).click()
    await page.getByText('phone number ending in 33').waitFor()
    assert.deepEqual(counts(), [1, 1])

    await typeCode(page, first)
    await notice(page, 'not right')
    await typeCode(page, world.codeFor(BOB[1]))
    await at(page, '/payroll')
  })
})
