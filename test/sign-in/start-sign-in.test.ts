import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { authorizationParameters } from '../../proxy/sign-in/authorization-parameters.ts'
import { loginHint } from '../../proxy/sign-in/login-hint.ts'
import { startSignIn } from '../../proxy/sign-in/start-sign-in.ts'
import { browserHash, openTransaction } from '../../proxy/sign-in/transaction.ts'
import { CONFIG, fakeProvider, NOW, signInParts } from './parts.ts'

const COOKIE = 'b'.repeat(43)

describe('starting a sign-in', () => {
  it('asks the provider with new secrets each time, and our own redirect URI', async () => {
    const { provider, asked } = fakeProvider()
    const parts = signInParts(provider)
    for (let times = 0; times < 2; times++) {
      await startSignIn(parts, { returnTo: '/', browser: COOKIE, uiLocales: 'de' }, NOW)
    }
    const [first = assert.fail(), second = assert.fail()] = asked
    assert.equal(first.redirectUri.href, 'https://app.example.com/_stepgate/callback')
    assert.equal(first.uiLocales, 'de')
    const secrets = asked.flatMap(({ state, nonce, codeVerifier }) => [state, nonce, codeVerifier])
    assert.equal(new Set(secrets).size, 6)
    assert.notEqual(first.state, second.state)
  })

  it('seals into the state what has to be known at the end', async () => {
    const { provider, asked } = fakeProvider()
    const parts = signInParts(provider)
    const stepUp = { maxAge: 1000 }
    const request = { returnTo: '/a?b', stepUp, browser: COOKIE, uiLocales: 'de', attempt: 1 }
    await startSignIn(parts, request, NOW)
    const [{ state, nonce, codeVerifier } = assert.fail()] = asked
    assert.deepEqual(await openTransaction(parts.sealer, state, NOW), {
      browser: browserHash(COOKIE),
      nonce,
      codeVerifier,
      returnTo: '/a?b',
      stepUp,
      uiLocales: 'de',
      attempt: 1,
      startedAt: NOW,
    })
  })

  it('says how fresh the sign-in has to be, and remembers it', async () => {
    const { provider, asked } = fakeProvider()
    const parts = signInParts(provider)
    const fresh = { returnTo: '/', browser: COOKIE, signedInWithin: 90_500 }
    await startSignIn(parts, fresh, NOW)
    await startSignIn(parts, { ...fresh, prompted: true }, NOW)
    await startSignIn(parts, { returnTo: '/', browser: COOKIE }, NOW)
    assert.deepEqual(
      asked.map(({ maxAge, prompt }) => [maxAge, prompt]),
      [
        [90, undefined],
        [90, 'login'],
        [undefined, undefined],
      ],
    )
    const opened = await Promise.all(
      asked.map(({ state }) => openTransaction(parts.sealer, state, NOW)),
    )
    assert.deepEqual(
      opened.map((transaction) => [transaction?.signedInWithin, transaction?.prompted]),
      [
        [90_500, undefined],
        [90_500, true],
        [undefined, undefined],
      ],
    )
  })

  it('keeps the browser’s cookie for all tabs, and makes one where there is none', async () => {
    const { provider } = fakeProvider()
    const parts = signInParts(provider)
    const kept = await startSignIn(parts, { returnTo: '/', browser: COOKIE }, NOW)
    assert.equal(kept.newBrowser, undefined)
    const fresh = await startSignIn(parts, { returnTo: '/', browser: undefined }, NOW)
    assert.match(fresh.newBrowser ?? '', /^[\w-]{43}$/)
    assert.notEqual(fresh.newBrowser, COOKIE)
  })
})

describe('the authorization request', () => {
  const REQUEST = {
    redirectUri: new URL('https://app.example.com/_stepgate/callback'),
    state: 's',
    nonce: 'n',
    codeVerifier: 'v',
  }
  const OURS = {
    scope: 'openid profile email',
    redirect_uri: REQUEST.redirectUri.href,
    state: 's',
    nonce: 'n',
    code_challenge: 'c',
    code_challenge_method: 'S256',
  }
  const settings = {
    ...CONFIG.oidc,
    request: {
      acrValues: ['gold', 'silver'],
      claims: { id_token: { acr: { essential: true, values: ['gold'] } }, userinfo: { x: null } },
      prompt: ['select_account', 'login'],
      uiLocales: 'de en',
      loginHint: 'username',
      parameters: [{ name: 'domain_hint', value: 'a&b=c' }],
      par: 'auto',
    },
  } as const

  it('asks for no more than a sign-in where nothing else is configured', () => {
    assert.deepEqual(authorizationParameters(CONFIG.oidc, REQUEST, 'c'), OURS)
  })

  it('asks for all that configuration says', () => {
    assert.deepEqual(authorizationParameters(settings, REQUEST, 'c'), {
      ...OURS,
      acr_values: 'gold silver',
      claims: '{"id_token":{"acr":{"essential":true,"values":["gold"]}},"userinfo":{"x":null}}',
      prompt: 'select_account login',
      ui_locales: 'de en',
      domain_hint: 'a&b=c',
    })
  })

  it('asks for what this sign-in needs before what is configured', () => {
    const more = { uiLocales: 'fr', loginHint: 'alice', maxAge: 60, prompt: 'login' } as const
    const asked = authorizationParameters(settings, { ...REQUEST, ...more }, 'c')
    const { prompt, ui_locales: locales, login_hint: hint, max_age: age } = asked
    assert.deepEqual([prompt, locales, hint, age], ['login select_account', 'fr', 'alice', '60'])
  })

  it('is overwritten in nothing of ours by a parameter that got past the configuration', () => {
    const parameters = Object.keys(OURS).map((name) => ({ name, value: 'evil' }))
    const request = { ...CONFIG.oidc.request, parameters }
    assert.deepEqual(authorizationParameters({ ...CONFIG.oidc, request }, REQUEST, 'c'), OURS)
  })
})

describe('whom the provider may expect', () => {
  const session = { username: 'alice', email: 'alice@example.com' }

  it('is whom a link names, or whose session there is', () => {
    assert.equal(loginHint('username', null, undefined), undefined)
    assert.equal(loginHint('username', 'bob', session), 'bob')
    assert.equal(loginHint('username', null, session), 'alice')
    assert.equal(loginHint('email', undefined, session), 'alice@example.com')
    assert.equal(loginHint('email', null, { username: 'alice' }), undefined)
    assert.equal(loginHint('off', 'bob', session), undefined)
  })

  it('is one line of some length, or what a link says does not count', () => {
    for (const odd of ['', 'x'.repeat(321), 'a\r\nLocation: x', 'a\u0000', '\u0085']) {
      assert.equal(loginHint('username', odd, undefined), undefined, JSON.stringify(odd))
    }
    const fine = ['x'.repeat(320), '"><script>', 'Jürgen Ö', '林']
    for (const hint of fine) assert.equal(loginHint('username', hint, undefined), hint)
  })
})
