import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type Client, createClient, type Page } from '../support/cookie-jar.ts'
import { submitForm } from '../support/form.ts'
import { callbackFromProvider, signInAtProvider } from '../support/sign-in.ts'
import { ALICE, startWorld, type World } from '../support/world.ts'
import { acrOf, at, BROWSER, reached, SESSION, signIn, signInWithCode } from './steps.ts'

const DAY = 24 * 60 * 60_000

describe('the session cookie', () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.close())
  beforeEach(() => world.turnClock(DAY))

  /** What a request with exactly this Cookie header is told; nothing may reach the application. */
  async function assertSignedOut(cookie: string | readonly string[], what: string): Promise<void> {
    const asked = reached(world)
    const browser = createClient()
    const headers = { cookie }
    const page = await browser.get(at(world, '/whoami'), { headers })
    assert.equal(page.status, 302, `${what}: ${page.text()}`)
    assert.equal(page.location?.origin, world.provider.issuer.origin, what)
    const data = await browser.get(at(world, '/whoami'), {
      headers: { ...headers, accept: 'application/json', 'sec-fetch-mode': 'cors' },
    })
    assert.equal(data.status, 401, what)
    assert.equal(data.json().error, 'sign_in_required')
    const session = await browser.get(at(world, '/_stepgate/session'), { headers })
    assert.equal(session.status, 401, what)
    const posted = await browser.post(at(world, '/_stepgate/otp'), { code: '1' }, { headers })
    assert.equal(posted.status, 303, what)
    assert.equal(posted.location?.origin, world.provider.issuer.origin, what)
    const ended = world.logs('session.ended').length
    const signedOut = await browser.post(at(world, '/_stepgate/sign-out'), {}, { headers })
    assert.equal(signedOut.location?.origin, world.provider.issuer.origin, what)
    assert.equal(signedOut.location?.searchParams.has('id_token_hint'), false, what)
    assert.equal(world.logs('session.ended').length, ended, what)
    assert.equal(reached(world), asked, what)
  }

  it('that is malformed in any way is as good as none', async () => {
    const browser = createClient()
    await signInWithCode(world, browser)
    const good = browser.cookies(world.url)[SESSION] ?? assert.fail()
    const parts = good.split('*')
    const values: readonly string[] = [
      '',
      'x',
      '=',
      '"',
      `"${good}"`,
      good.slice(0, -1),
      good.slice(1),
      `${good}A`,
      `${good}~`,
      `${good}~2`,
      good.toLowerCase(),
      good.replaceAll('*', '%2A'),
      encodeURIComponent(good).replace('.', '%2E'),
      good.replace('Fe26.2', 'Fe26.1'),
      [...parts.slice(0, 1), '999', ...parts.slice(2)].join('*'),
      [...parts.slice(0, -1), ''].join('*'),
      parts.toReversed().join('*'),
      `2.${good}`,
      `4.${good}`,
      `1.${good}`,
      `9.${good}`,
      '2.',
      'Fe26.2**********',
      'Fe26.2*1*a*b*c**d*e~2',
      '{"subject":"alice","acr":"twilio_sms"}',
      Buffer.from('{"subject":"alice","acr":"twilio_sms"}').toString('base64url'),
      '%00%ff%c0%ae',
      '\u00e4\u00f6\u00fc\u00ff',
      '__proto__',
      'undefined',
      'null',
      'a'.repeat(40_000),
      good.repeat(20),
    ]
    for (const value of values) await assertSignedOut(`${SESSION}=${value}`, value.slice(0, 60))
    for (const header of [
      SESSION,
      `${SESSION};`,
      `=${SESSION}=${good}`,
      `${SESSION} = ${good}`,
      `${SESSION.toUpperCase()}=${good}`,
      `x${SESSION}=${good}`,
      `__Host-${SESSION}=${good}`,
      `${SESSION},x=${good}`,
      `${SESSION}.1=${good}`,
      ';;;;=;==;',
      '; '.repeat(5000),
    ]) {
      await assertSignedOut(header, header.slice(0, 60))
    }
    assert.equal(await acrOf(world, browser), 'twilio_sms')
  })

  it('that was tossed in beside the true one makes both worthless', async () => {
    const browser = createClient()
    await signInWithCode(world, browser)
    const attacker = createClient()
    await signIn(world, attacker, { username: 'bob' })
    const good = browser.cookies(world.url)[SESSION] ?? assert.fail()
    const tossed = attacker.cookies(world.url)[SESSION] ?? assert.fail()
    await assertSignedOut(`${SESSION}=${tossed}; ${SESSION}=${good}`, 'before')
    await assertSignedOut(`${SESSION}=${good}; ${SESSION}=${tossed}`, 'behind')
    await assertSignedOut([`${SESSION}=${good}`, `${SESSION}=${tossed}`], 'in its own header')
    await assertSignedOut(`${SESSION}=x; ${SESSION}=${good}`, 'rubbish before')
    await assertSignedOut(`${SESSION}=; ${SESSION}=${good}`, 'nothing before')

    // As a cookie for a narrower path, which browsers send first.
    browser.setCookie(at(world, '/whoami'), `${SESSION}=${tossed}; Path=/whoami`)
    const page = await browser.get(at(world, '/whoami'))
    assert.equal(page.location?.origin, world.provider.issuer.origin)
    assert.equal(await acrOf(world, browser), 'twilio_sms')
  })

  it('of a sign-in, tossed in beside the true one, is nobody’s', async () => {
    const browser = createClient()
    const attacker = createClient()
    const planted = await callbackFromProvider(
      attacker,
      await attacker.get(at(world, '/basic')),
      'bob',
    )
    const theirs = attacker.cookies(world.url)[BROWSER] ?? assert.fail()
    await browser.get(at(world, '/basic'))
    browser.setCookie(at(world, '/_stepgate/'), `${BROWSER}=${theirs}; Path=/_stepgate`)
    const page = await browser.get(planted)
    assert.equal(page.status, 400)
    assert.equal(browser.cookies(world.url)[SESSION], undefined)
  })

  it('planted before sign-in is replaced, and what it was is dead (fixation)', async () => {
    const attacker = createClient()
    await signIn(world, attacker, { username: 'bob' })
    const planted = attacker.cookies(world.url)[SESSION] ?? assert.fail()
    world.turnClock(1000)

    for (const value of [planted, 'planted', `${planted}x`]) {
      const victim = createClient()
      const start = await victim.get(at(world, '/basic'))
      victim.setCookie(world.url, `${SESSION}=${value}; Path=/`)
      const callback = await signInAtProvider(victim, start, 'alice')
      assert.equal(callback.status, 303)
      const now = victim.cookies(world.url)[SESSION]
      assert.ok(now !== undefined && now !== value)
      const whoami = await victim.get(at(world, '/_stepgate/session'))
      assert.equal(whoami.json().preferred_username, 'alice')
    }
    assert.equal(await acrOf(world, attacker), undefined)
    const ended = world.logs('session.ended').map(({ reason }) => reason)
    assert.deepEqual(ended, ['other_sign_in'])
  })

  it('from before the code is dead at once, whoever kept it (fixation before step-up)', async () => {
    const browser = createClient()
    const otp = await signIn(world, browser, { path: '/whoami' })
    const before = browser.copy()
    const old = before.cookies(world.url)[SESSION]
    assert.equal(await acrOf(world, before), 'basic')
    await submitForm(browser, otp, { code: world.codeFor(ALICE) })
    assert.notEqual(browser.cookies(world.url)[SESSION], old)
    assert.equal(await acrOf(world, browser), 'twilio_sms')
    assert.equal(await acrOf(world, before), undefined)
    await assertSignedOut(`${SESSION}=${old}`, 'old id')
  })

  it('ends with the browser, is hidden from scripts and from other sites', async () => {
    const browser = createClient()
    const start = await browser.get(at(world, '/basic'))
    const pages: Page[] = [start, await signInAtProvider(browser, start, 'alice')]
    const set = pages.flatMap(({ headers }) => headers.getSetCookie())
    for (const line of set) assert.match(line, /; Path=\/; HttpOnly; SameSite=Lax(; Max-Age=0)?$/)
    const kept = set.filter((line) => !line.includes('Max-Age'))
    assert.deepEqual(
      kept.map((line) => line.split('=', 1)[0]?.replace(/\.\d{8}$/, '.TAB')),
      [BROWSER, `${BROWSER}.TAB`, SESSION],
    )
    assert.equal(set.length - kept.length, 2)
  })

  it('under an https address has its names with __Host- and is Secure', async () => {
    const secure = await startWorld({
      env: { STEPGATE_PUBLIC_URL: 'https://app.test' },
    })
    try {
      const browser: Client = createClient()
      const page = await browser.get(at(secure, '/basic'))
      const { location = assert.fail() } = page
      assert.equal(location.searchParams.get('redirect_uri'), 'https://app.test/_stepgate/callback')
      const set = page.headers.getSetCookie()
      assert.equal(set.length, 2)
      const own =
        /^__Host-stepgate-browser(\.\d{8})?=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/
      for (const line of set) assert.match(line, own)
      await browser.close()
    } finally {
      await secure.close()
    }
  })
})
