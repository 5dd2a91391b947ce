import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createClient } from '../support/cookie-jar.ts'
import { submitForm } from '../support/form.ts'
import { signInAtProvider } from '../support/sign-in.ts'
import { ALICE, startWorld, type World } from '../support/world.ts'
import { at, signIn, signInWithCode } from './steps.ts'

/** Return targets that would lead to another site, or are no path (open redirects). */
const ELSEWHERE: readonly string[] = [
  '//evil.test',
  '///evil.test',
  '/\\evil.test',
  '\\\\evil.test',
  '/\t/evil.test',
  '\t//evil.test',
  ' //evil.test',
  '/\r\n/evil.test',
  '/\r\nLocation: https://evil.test',
  '/\r\nSet-Cookie: stepgate=planted',
  '/%0d%0aSet-Cookie:%20stepgate=planted',
  'https:evil.test',
  'https:/evil.test',
  'https://evil.test/',
  'http:evil.test',
  'evil.test',
  '.evil.test',
  '@evil.test',
  ':80@evil.test',
  'javascript:alert(1)',
  'data:text/html,x',
  '/%2f/evil.test',
  '/%5cevil.test',
  '/..//evil.test',
  '/./\\evil.test',
  '/;@evil.test/..//x',
  '/\u0000//evil.test',
  '／／evil.test',
  '/_stepgate/sign-out',
  '/_STEPGATE/callback?x',
  '',
]

describe('the way back', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())

  function withReturn(path: string, target: string): URL {
    return at(world, `${path}?${new URLSearchParams({ return_to: target })}`)
  }

  it('after signing in is on this host, whatever return_to says', async () => {
    const origin = world.url.origin
    for (const path of ['/_stepgate/sign-in', '/_stepgate/step-up', '/_stepgate/otp']) {
      for (const target of [
        ...ELSEWHERE,
        `${origin}.evil.test/`,
        `${origin}@evil.test/`,
        `http://user@${world.url.host}/`,
      ]) {
        const browser = createClient()
        const start = await browser.get(withReturn(path, target))
        assert.equal(start.location?.origin, world.provider.issuer.origin, target)
        const back = await signInAtProvider(browser, start, 'alice')
        const { location = assert.fail() } = back
        assert.equal(location.origin, origin, target)
        if (path === '/_stepgate/sign-in') assert.equal(location.pathname, '/', target)
        else assert.equal(location.searchParams.get('return_to'), '/', target)
        assert.doesNotMatch(back.headers.getSetCookie().join(), /planted/)
      }
    }
  })

  it('for somebody who is through already is on this host as well', async () => {
    const browser = createClient()
    await signInWithCode(world, browser)
    for (const path of ['/_stepgate/sign-in', '/_stepgate/step-up', '/_stepgate/otp']) {
      for (const target of ELSEWHERE) {
        const { status, location } = await browser.get(withReturn(path, target))
        assert.ok(status === 302 || status === 303, `${status}`)
        assert.equal(location?.href, at(world, '/').href, JSON.stringify(target))
      }
      const kept = await browser.get(withReturn(path, '/whoami?a=1&b=%20#part'))
      assert.equal(kept.location?.href, at(world, '/whoami?a=1&b=%20').href)
    }
  })

  it('in a form of ours is on this host as well', async () => {
    const browser = createClient()
    world.turnClock(60_000)
    const otp = await signIn(world, browser, { path: '/whoami' })
    const code = world.codeFor(ALICE)
    const done = await submitForm(browser, otp, { code, return_to: '//evil.test' })
    assert.equal(done.status, 303)
    assert.equal(done.location?.href, at(world, '/').href)
  })

  it('and all that names a host comes from the configuration, not from the request', async () => {
    world.turnClock(60_000)
    const poison = {
      host: 'evil.test',
      'x-forwarded-host': 'evil.test',
      forwarded: 'host=evil.test;proto=https',
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '666',
    }
    const browser = createClient()
    const start = await browser.get(at(world, '/whoami'), { headers: poison })
    assert.equal(start.status, 302)
    assert.equal(
      start.location?.searchParams.get('redirect_uri'),
      at(world, '/_stepgate/callback').href,
    )
    assert.doesNotMatch(start.headers.get('location') ?? '', /evil/)

    let otp = await signInAtProvider(browser, start, 'alice')
    while (otp.location !== undefined) {
      assert.equal(otp.location.origin, world.url.origin)
      otp = await browser.get(otp.location, { headers: poison })
    }
    assert.equal(otp.url.pathname, '/_stepgate/otp')
    assert.doesNotMatch(otp.text() + JSON.stringify([...otp.headers]), /evil/)
    const lines = world.messages(ALICE)[0]?.body.split('\n') ?? []
    assert.equal(lines.at(-1), `@${world.url.hostname} #${world.codeFor(ALICE)}`)
    assert.doesNotMatch(lines.join(), /evil/)

    for (const path of ['/whoami', '/_stepgate/sign-out', '/_stepgate/nothing']) {
      for (const accept of ['application/json', 'text/html']) {
        const asked = accept === 'text/html' ? 'navigate' : 'cors'
        const headers = { ...poison, accept, 'sec-fetch-mode': asked }
        const page = await createClient().get(at(world, path), { headers })
        assert.doesNotMatch(page.text() + JSON.stringify([...page.headers]), /evil/, path)
      }
    }
    const signedOut = await browser.get(at(world, '/_stepgate/sign-out'), { headers: poison })
    assert.doesNotMatch(signedOut.headers.get('location') ?? 'evil', /evil/)
  })
})
