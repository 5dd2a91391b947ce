import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { startApplication } from '../../demo/application.ts'
import { axeFindings } from '../support/axe.ts'
import { launchBrowser } from '../support/browser.ts'
import { personLdif, type Slapd, startSlapd } from '../support/slapd.ts'
import {
  followFromElsewhere,
  heading,
  newVisitor,
  signIn,
  typeCode,
  type Visitor,
} from '../support/visitor.ts'
import { ALICE, BOB, providerKnown, startWorld, type World } from '../support/world.ts'

const PEOPLE = personLdif(
  { uid: 'alice', attributes: { phoneNumberVerified: ALICE } },
  { uid: 'bob', rdn: 'cn=Bob One', attributes: { phoneNumberVerified: BOB[0] } },
  { uid: 'bob', rdn: 'cn=Bob Two', attributes: { phoneNumberVerified: BOB[1] } },
)

describe('a person whose way is barred', () => {
  let browser: Browser
  let slapd: Slapd
  let world: World
  let visitor: Visitor
  let page: Page
  let sentBefore: number

  before(async () => {
    slapd = await startSlapd({ entries: PEOPLE })
    world = await startWorld({
      slapd,
      waitForProvider: false,
      env: {
        STEPGATE_RULES: 'public /payroll.css; basic /basic; deny /internal; basic /hr groups=hr',
        STEPGATE_SUPPORT_CONTACT: 'help@example.com',
      },
    })
    await providerKnown(world.url)
    browser = await launchBrowser()
  })
  beforeEach(async () => {
    sentBefore = world.messages().length
    visitor = await newVisitor(browser)
    page = visitor.page
  })
  afterEach(() => visitor.leave())
  after(async () => {
    await browser?.close()
    await world?.close()
    await slapd?.stop()
  })

  const open = (path: string) => page.goto(new URL(path, world.url).href)
  const at = (path: string) => page.waitForURL(new URL(path, world.url).href)
  const follow = (name: string) => page.getByRole('link', { name, exact: true }).click()
  const sent = () => world.messages().length - sentBefore
  const problem = async (title: string, text: string) => {
    await heading(page, title)
    await page.getByText(text).waitFor()
    assert.deepEqual(await axeFindings(page), [])
  }
  const noDirectory = async () => {
    await problem('This is not working right now', 'We can’t look up your phone number')
    assert.equal(sent(), 0)
  }

  test('while the directory is down she may try again, and it works once it is back', async () => {
    await open('/payroll?month=11')
    await slapd.halt()
    await signIn(page, 'alice')
    await noDirectory()
    await follow('Try again')
    await noDirectory()
    await open('/basic')
    await heading(page, 'Telephone list')
    await page.goBack()
    await slapd.restart()
    await follow('Try again')
    await heading(page, 'Enter your code')
    assert.equal(sent(), 1)
    await typeCode(page, world.codeFor(ALICE))
    await at('/payroll?month=11')
  })

  test('with two entries of one name nobody is texted, until there is one', async () => {
    await open('/payroll')
    await signIn(page, 'bob')
    await noDirectory()
    await slapd.modify(`dn: cn=Bob Two,ou=people,${slapd.baseDn}\nchangetype: delete\n`)
    await follow('Try again')
    await heading(page, 'Enter your code')
    await typeCode(page, world.codeFor(BOB[0]))
    await at('/payroll')
    assert.equal(sent(), 1)
  })

  test('with no entry it is not said that there is no number', async () => {
    await open('/payroll')
    await signIn(page, 'carol')
    await noDirectory()
    await slapd.modify(`${personLdif({ uid: 'carol' }).replace('\n', '\nchangetype: add\n')}`)
    await follow('Try again')
    await problem('No phone number on record', 'Ask support to add your mobile number.')
    assert.equal(sent(), 0)
  })

  test('when the provider refuses, its words are shown and there is a way to try again', async () => {
    await open('/basic?from=mail')
    await page.getByRole('button', { name: 'Cancel' }).click()
    await problem('Sign-in did not work', 'The sign-in service did not let you through.')
    const words = await page.locator('blockquote').allTextContents()
    assert.match(words.join(), /The person cancelled.*access_denied/)
    await follow('Sign in again')
    await signIn(page, 'alice')
    await at('/basic?from=mail')
  })

  test('a sign-in that took too long is begun again by a link, without a loop', async () => {
    await open('/basic?from=mail')
    world.turnClock(61 * 60_000)
    await signIn(page, 'alice')
    await problem('Sign-in did not work', 'Signing in took too long')
    await follow('Sign in again')
    await at('/basic?from=mail')
    await heading(page, 'Telephone list')
  })

  test('a provider that nobody has reached yet is named, and signing in works once it is there', async () => {
    world.provider.pause()
    await world.restart()
    await open('/basic')
    await problem('This is not working right now', 'The sign-in service does not answer')
    world.provider.resume()
    await providerKnown(world.url)
    await follow('Try again')
    await signIn(page, 'alice')
    await heading(page, 'Telephone list')
  })

  test('a page that the rules close to her is denied in words', async () => {
    await open('/basic')
    await signIn(page, 'bob')
    await heading(page, 'Telephone list')
    await open('/internal')
    await problem('You don’t have access', 'Nobody may open this page from here.')
    await open('/hr')
    await problem('You don’t have access', 'Your account is not in a group')
    await page.getByText('Signed in as bob').waitFor()
  })

  test('a link on another site asks before it signs anybody out', async () => {
    await open('/basic')
    await signIn(page, 'alice')
    await heading(page, 'Telephone list')
    const signOut = new URL('/_stepgate/sign-out', world.url)
    await followFromElsewhere(page, signOut)
    await problem('Sign out?', 'Signed in as alice')
    await follow('Stay signed in')
    await open('/basic')
    await heading(page, 'Telephone list')
    await followFromElsewhere(page, signOut)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await problem('You are signed out', 'You can close this window now.')
  })

  test('while the application is down she is told so, and her session waits for it', async () => {
    await open('/basic')
    await signIn(page, 'alice')
    await heading(page, 'Telephone list')
    await world.application.close()
    await page.reload()
    await problem('The application is not available', 'Your sign-in is not affected.')
    const application = await startApplication({ port: Number(world.application.url.port) })
    try {
      await follow('Try again')
      await heading(page, 'Telephone list')
    } finally {
      await application.close()
    }
  })
})
