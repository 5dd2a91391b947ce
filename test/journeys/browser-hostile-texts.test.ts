import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from '../support/browser.ts'
import { type EvilProvider, startEvilProvider } from '../support/evil-provider.ts'
import { testClient } from '../support/relying-party.ts'
import { followFromElsewhere, heading, newVisitor, type Visitor } from '../support/visitor.ts'
import { ALICE, startWorld, type World } from '../support/world.ts'

const IMAGE = '<img src=x onerror="alert(1)">'
const SCRIPT = `</title></p><script>alert('2')</script>`
const QUOTES = `"' onfocus='alert(3)' autofocus x="`
const BRAND = IMAGE
const CONTACT = `javascript:alert(4) ${SCRIPT} ${QUOTES} https://help.example/"onclick=alert(5)`
const USERNAME = `${IMAGE}${SCRIPT}${QUOTES}`

describe('texts of other people that would like to be scripts', () => {
  let browser: Browser
  let provider: EvilProvider
  let world: World
  let visitor: Visitor
  let page: Page

  before(async () => {
    const { client_id: clientId, client_secret: clientSecret } = testClient
    provider = await startEvilProvider({ clientId, clientSecret })
    world = await startWorld({
      issuer: provider.issuer,
      env: { STEPGATE_BRAND_NAME: BRAND, STEPGATE_SUPPORT_CONTACT: CONTACT },
    })
    browser = await launchBrowser()
  })
  beforeEach(async () => {
    visitor = await newVisitor(browser)
    page = visitor.page
  })
  afterEach(() => visitor.leave())
  after(async () => {
    await browser?.close()
    await world?.close()
    await provider?.close()
  })

  const open = (path: string) => page.goto(new URL(path, world.url).href)
  const text = async (selector: string) =>
    (await page.locator(selector).first().textContent()) ?? ''
  /** What a page of ours may hold: its own scripts and nothing that an attribute starts. */
  const holdsNothingForeign = async () => {
    const own = ['otp', 'delivery', 'carry-fragment'].map(
      (name) => `:not([src^="/_stepgate/assets/${name}.js?v="])`,
    )
    assert.equal(await page.locator(`script${own.join('')}`).count(), 0)
    assert.equal(await page.locator('img:not([src^="/_stepgate/assets/"])').count(), 0)
    const started = page.locator('[onerror], [onclick], [onfocus], a[href^="javascript:" i]')
    assert.equal(await started.count(), 0)
  }

  test('brand, contact and username are shown as they are', async () => {
    provider.behave({
      alterIdToken: (claims) => {
        claims.preferred_username = USERNAME
        claims.name = IMAGE
        claims.locale = SCRIPT
        claims.phone_number = ALICE
        claims.phone_number_verified = true
      },
    })
    await open(`/payroll?${new URLSearchParams({ x: SCRIPT, y: QUOTES })}`)
    await heading(page, 'Enter your code')
    assert.equal(await text('.brand-name'), BRAND)
    assert.equal(await page.title(), `Enter your code · ${BRAND}`)
    assert.equal(await text('.account bdi'), USERNAME)
    assert.ok((await text('.footer')).includes(CONTACT.replace('https://', '')))
    await holdsNothingForeign()

    await followFromElsewhere(page, new URL('/_stepgate/sign-out', world.url))
    await heading(page, 'Sign out?')
    assert.ok((await text('main')).includes(USERNAME))
    await holdsNothingForeign()
  })

  test('somebody without a number sees the contact as text', async () => {
    provider.behave({
      alterIdToken: (claims) => {
        claims.preferred_username = USERNAME
        claims.phone_number_verified = false
      },
    })
    await open('/payroll')
    await heading(page, 'No phone number on record')
    assert.ok((await text('.contact')).includes('javascript:alert(4)'))
    await holdsNothingForeign()
  })

  test('the provider’s error is shown as its words', async () => {
    provider.behave({
      alterCallback: (parameters) => {
        parameters.delete('code')
        parameters.set('error', 'access_denied<script>alert(6)</script>')
        parameters.set('error_description', `${IMAGE} ${SCRIPT}`)
      },
    })
    await open('/payroll')
    await heading(page, 'Sign-in did not work')
    assert.ok((await text('blockquote')).includes(`${IMAGE} ${SCRIPT}`))
    assert.ok((await text('blockquote')).includes('<script>alert(6)</script>'))
    await holdsNothingForeign()
  })
})
