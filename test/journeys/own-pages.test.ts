import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type Client, createClient, type Page } from '../support/cookie-jar.ts'
import { cancelAtProvider } from '../support/sign-in.ts'
import { ALICE, startWorld, type World } from '../support/world.ts'
import { acrOf, at, reached, signIn } from './steps.ts'

const FORMS = [
  '/_stepgate/otp',
  '/_stepgate/otp/resend',
  '/_stepgate/otp/number',
  '/_stepgate/sign-out',
] as const

describe('stepgate’s own paths', () => {
  let world: World
  let browser: Client
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())
  beforeEach(async () => {
    world.turnClock(24 * 60 * 60_000)
    browser = createClient()
    await signIn(world, browser, { path: '/whoami' })
  })

  /** Forged requests: what a browser says of a form on another page. */
  const FOREIGN: readonly (readonly [
    string,
    Record<string, string | readonly string[] | undefined>,
  ])[] = [
    ['another site', { 'sec-fetch-site': 'cross-site', origin: 'http://evil.test' }],
    ['a sibling host', { 'sec-fetch-site': 'same-site', origin: 'http://sibling.test' }],
    [
      'another site, though it hides its origin',
      { 'sec-fetch-site': 'cross-site', origin: 'null' },
    ],
    ['another site, by Origin alone', { 'sec-fetch-site': undefined, origin: 'http://evil.test' }],
    ['a sandboxed frame, by Origin alone', { 'sec-fetch-site': undefined, origin: 'null' }],
    [
      'another site, by Sec-Fetch-Site alone',
      { 'sec-fetch-site': 'cross-site', origin: undefined },
    ],
    [
      'a sibling host, by Sec-Fetch-Site alone',
      { 'sec-fetch-site': 'same-site', origin: undefined },
    ],
    ['another port of this host', { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:1' }],
    ['another scheme of this host', { 'sec-fetch-site': undefined, origin: 'https:' }],
    ['another origin under a true Sec-Fetch-Site', { origin: 'http://evil.test' }],
    ['a word that nobody knows', { 'sec-fetch-site': 'same-origin-ish' }],
    ['two words', { 'sec-fetch-site': ['same-origin', 'cross-site'] }],
  ]

  for (const [name, given] of FOREIGN) {
    it(`take no form from ${name}`, async () => {
      const headers = { ...given }
      if (headers.origin === 'https:') headers.origin = `https://${world.url.host}`
      const sent = world.messages(ALICE).length
      const asked = reached(world)
      world.turnClock(60_000)
      for (const path of FORMS) {
        const code = world.codeFor(ALICE)
        const denied = world.logs('request.denied').length
        const page = await browser.post(
          at(world, path),
          { code, return_to: '/whoami' },
          { headers },
        )
        assert.equal(page.status, 403, path)
        assert.deepEqual(page.headers.getSetCookie(), [])
        const lines = world.logs('request.denied')
        assert.equal(lines.length, denied + 1)
        assert.equal(lines.at(-1)?.reason, 'cross_site_form')
        assert.ok(lines.at(-1)?.request_id)
      }
      assert.equal(await acrOf(world, browser), 'basic')
      assert.equal(world.messages(ALICE).length, sent)
      assert.equal(reached(world), asked)
      assert.equal(world.logs('otp.wrong').length, 0)
    })
  }

  it('take their own form, as browsers and as programs send it', async () => {
    for (const headers of [
      {},
      { 'sec-fetch-site': undefined },
      { 'sec-fetch-site': undefined, origin: undefined },
      { origin: 'null' },
    ]) {
      const page = await browser.post(at(world, '/_stepgate/otp'), { code: 'x' }, { headers })
      assert.equal(page.status, 422)
    }
  })

  it('take no form of another kind, and none that is too large', async () => {
    for (const type of ['multipart/form-data; boundary=x', 'text/plain', 'application/json']) {
      const headers = { 'content-type': type }
      const body = `code=${world.codeFor(ALICE)}`
      const page = await browser.post(at(world, '/_stepgate/otp'), body, { headers })
      assert.equal(page.status, 415)
    }
    const page = await browser.post(at(world, '/_stepgate/otp'), { code: '1'.repeat(20_000) })
    assert.equal(page.status, 413)
    assert.equal(await acrOf(world, browser), 'basic')
  })

  it('that nobody knows are 404 in every spelling, and never the application’s', async () => {
    const asked = reached(world)
    for (const path of [
      '/_stepgate',
      '/_stepgate/',
      '/_stepgate/x',
      '/_stepgate/otp/',
      '/_stepgate/otp/x',
      '/_stepgate/otp;x=1',
      '/_stepgate;x/otp',
      '/_STEPGATE/x',
      '/_STEPGATE/otp',
      '/_Stepgate/sign-out',
      '/%5Fstepgate/x',
      '/%5fstepgate/otp',
      '/_stepgat%65/otp',
      '/_stepgate/%6ftp',
      '/%5fSTEPGATE/sign-out',
      '/_stepgate/assets/nothing.css',
      '/_stepgate/assets/x;y',
      '/_stepgate/twilio',
    ]) {
      for (const method of ['GET', 'POST', 'DELETE', 'PROPFIND']) {
        const page = await browser.request(method, at(world, path))
        assert.equal(page.status, 404, `${method} ${path}`)
        assert.deepEqual(page.headers.getSetCookie(), [])
      }
      const data = await browser.get(at(world, path), {
        headers: { accept: 'application/json', 'sec-fetch-mode': 'cors' },
      })
      assert.equal(data.json().error, 'not_found')
    }
    assert.equal(reached(world), asked)
    assert.equal(await acrOf(world, browser), 'basic')
  })

  it('that are known take no other method', async () => {
    for (const [method, path] of [
      ['PUT', '/_stepgate/otp'],
      ['DELETE', '/_stepgate/sign-out'],
      ['POST', '/_stepgate/sign-in'],
      ['OPTIONS', '/_stepgate/session'],
      ['GET', '/_stepgate/otp/resend'],
    ] as const) {
      const page = await browser.request(method, at(world, path))
      assert.equal(page.status, 405, `${method} ${path}`)
    }
    assert.equal(await acrOf(world, browser), 'basic')
  })

  it('show pages that are kept nowhere, framed nowhere and hold nothing inline', async () => {
    const stranger = createClient()
    const pages: Page[] = [
      await browser.get(at(world, '/_stepgate/otp')),
      await browser.post(at(world, '/_stepgate/otp'), { code: 'x' }),
      await browser.get(at(world, '/_stepgate/nothing')),
      await browser.get(at(world, '/_stepgate/sign-out'), { from: 'http://evil.test/' }),
      await browser.post(at(world, '/_stepgate/otp'), {}, { from: 'http://evil.test/' }),
      await browser.request('PUT', at(world, '/_stepgate/otp')),
      await browser.get(at(world, '/_stepgate/signed-out')),
      await browser.get(at(world, '/_stepgate/callback')),
      await browser.get(at(world, '/a%2Fb')),
      await cancelAtProvider(stranger, await stranger.get(at(world, '/basic'))),
    ]
    for (const page of pages) {
      const name = `${page.url.pathname} ${page.status}`
      assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8', name)
      assert.equal(page.headers.get('cache-control'), 'no-store', name)
      assert.equal(page.headers.get('x-content-type-options'), 'nosniff', name)
      assert.equal(page.headers.get('referrer-policy'), 'same-origin', name)
      assert.equal(page.headers.get('x-frame-options'), 'DENY', name)
      const policy = page.headers.get('content-security-policy') ?? ''
      assert.match(policy, /^default-src 'none'/, name)
      assert.match(policy, /frame-ancestors 'none'/, name)
      assert.match(policy, /base-uri 'none'/, name)
      assert.doesNotMatch(policy, /unsafe|\*|nonce-/, name)
      assert.doesNotMatch(page.text(), /<style|<script(?![^>]* src=")|\son\w+="|\sstyle="/, name)
    }
    const moved = [
      await stranger.get(at(world, '/basic')),
      await browser.get(at(world, '/whoami')),
      await browser.get(at(world, '/_stepgate/sign-in')),
      await browser.get(at(world, '/_stepgate/sign-out')),
    ]
    for (const page of moved) {
      assert.ok(page.location)
      assert.equal(page.headers.get('cache-control'), 'no-store')
      assert.equal(page.headers.get('referrer-policy'), 'same-origin')
    }
  })
})
