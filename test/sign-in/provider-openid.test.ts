import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { demoPeople } from '../../demo/people.ts'
import { type DemoProvider, startProvider } from '../../demo/provider.ts'
import { clientCredential } from '../../demo/provider-store.ts'
import type { ClientKey } from '../../proxy/config/config.ts'
import { type Provider, PushFailedError } from '../../proxy/sign-in/provider.ts'
import { createProvider } from '../../proxy/sign-in/provider-openid.ts'
import { createClient } from '../support/cookie-jar.ts'
import { startEvilProvider } from '../support/evil-provider.ts'
import { testClient } from '../support/relying-party.ts'
import { callbackFromProvider } from '../support/sign-in.ts'
import {
  authorization,
  EXPECTED,
  known,
  metadata,
  noGroups,
  open,
  REDIRECT_URI,
  SHORT,
  SIGNED_OUT,
  settingsFor,
  withEvilProvider,
} from './open-provider.ts'
import { keptLog } from './parts.ts'

describe('a certified provider', { timeout: 20_000 }, () => {
  let demo: DemoProvider
  let provider: Provider
  before(async () => {
    demo = await startProvider({ port: 0, clients: [testClient], people: demoPeople })
    provider = await known(open(demo.issuer).provider)
  })
  after(async () => {
    provider.close()
    await demo.close()
  })

  it('is asked for a code with PKCE, state, nonce, scopes and languages', async () => {
    const url = await provider.authorizationUrl({
      redirectUri: REDIRECT_URI,
      ...EXPECTED,
      uiLocales: 'de en',
    })
    assert.equal(url.origin + url.pathname, `${demo.issuer.origin}/authorize`)
    const { code_challenge: challenge, ...rest } = Object.fromEntries(url.searchParams)
    assert.match(challenge ?? '', /^[\w-]{43}$/)
    assert.deepEqual(rest, {
      client_id: testClient.client_id,
      redirect_uri: REDIRECT_URI.href,
      response_type: 'code',
      scope: 'openid profile email',
      state: 'the-state',
      nonce: 'the-nonce',
      code_challenge_method: 'S256',
      ui_locales: 'de en',
    })
    const plain = (await authorization(provider)).searchParams
    for (const name of ['ui_locales', 'max_age', 'prompt']) assert.equal(plain.has(name), false)
    const fresh = { redirectUri: REDIRECT_URI, ...EXPECTED, maxAge: 0, prompt: 'login' } as const
    const { searchParams } = await provider.authorizationUrl(fresh)
    assert.deepEqual([searchParams.get('max_age'), searchParams.get('prompt')], ['0', 'login'])
  })

  it('gives a person once for a code', async () => {
    const callback = await callbackFromProvider(
      createClient(),
      await authorization(provider),
      'alice',
    )
    const redeemed = await provider.redeem(callback, EXPECTED)
    assert.equal(redeemed.kind, 'signed-in')
    const { claims, idToken } = redeemed
    assert.equal(claims.preferred_username, 'alice')
    assert.equal(claims.email, 'alice@example.com')
    assert.deepEqual(claims.groups, ['hr', 'staff'])
    assert.equal(idToken.split('.').length, 3)
    const again = await provider.redeem(callback, EXPECTED)
    assert.deepEqual(again, { kind: 'invalid', code: 'invalid_grant' })
  })

  it('gives nobody for what was not expected', async () => {
    for (const changes of [{ state: 'x' }, { nonce: 'x' }, { codeVerifier: 'x'.repeat(43) }]) {
      const callback = await callbackFromProvider(
        createClient(),
        await authorization(provider),
        'alice',
      )
      const redeemed = await provider.redeem(callback, { ...EXPECTED, ...changes })
      assert.equal(redeemed.kind, 'invalid', JSON.stringify(changes))
    }
  })

  it('says no in its own words', async () => {
    const callback = new URL(REDIRECT_URI)
    callback.search = `${new URLSearchParams({
      error: 'access_denied',
      error_description: 'Not today',
      state: EXPECTED.state,
      iss: demo.issuer.origin,
    })}`
    const refused = { kind: 'refused', error: 'access_denied', description: 'Not today' }
    assert.deepEqual(await provider.redeem(callback, EXPECTED), refused)
    callback.searchParams.delete('error_description')
    const wordless = { kind: 'refused', error: 'access_denied' }
    assert.deepEqual(await provider.redeem(callback, EXPECTED), wordless)
    callback.searchParams.set('state', 'of somebody else')
    assert.equal((await provider.redeem(callback, EXPECTED)).kind, 'invalid')
  })

  it('is where people are sent to sign out', () => {
    assert.equal(provider.canSignOut(), true)
    const url = provider.endSessionUrl('the.id.token', SIGNED_OUT) ?? assert.fail()
    assert.equal(url.origin + url.pathname, `${demo.issuer.origin}/sign-out`)
    assert.equal(url.searchParams.get('id_token_hint'), 'the.id.token')
    assert.equal(url.searchParams.get('post_logout_redirect_uri'), SIGNED_OUT.href)
    assert.equal(url.searchParams.get('client_id'), testClient.client_id)
    const unnamed = provider.endSessionUrl(undefined, SIGNED_OUT) ?? assert.fail()
    assert.equal(unnamed.searchParams.has('id_token_hint'), false)
  })
})

/** A key of this kind, as the configuration reads one. */
function keyOf(kind: 'P-256' | 'P-384' | 'rsa' | 'ed25519', kid?: string): ClientKey {
  const [{ privateKey: key }, algs] =
    kind === 'rsa'
      ? [generateKeyPairSync('rsa', { modulusLength: 2048 }), ['RS256', 'PS256'] as const]
      : kind === 'ed25519'
        ? [generateKeyPairSync('ed25519'), ['EdDSA', 'Ed25519'] as const]
        : [
            generateKeyPairSync('ec', { namedCurve: kind }),
            [kind === 'P-256' ? 'ES256' : 'ES384'] as const,
          ]
  return { key, algs, ...(kid !== undefined && { kid }) }
}

describe('a certified provider that wants requests pushed and keys', { timeout: 20_000 }, () => {
  let demo: DemoProvider
  const opened: Provider[] = []
  before(async () => {
    demo = await startProvider({ port: 0, clients: [], people: demoPeople, requirePush: true })
  })
  after(async () => {
    for (const provider of opened) provider.close()
    await demo.close()
  })

  async function openWith(credential: ClientKey, registered = credential) {
    const { client_secret: _, ...client } = testClient
    demo.putClient({ ...client, ...clientCredential(registered) })
    const { provider } = open(demo.issuer, { credential })
    opened.push(provider)
    return known(provider)
  }

  it('gets both, with keys of every kind, and nothing of the request through the browser', async () => {
    for (const kind of ['P-256', 'rsa', 'ed25519'] as const) {
      const provider = await openWith(keyOf(kind, `of-${kind}`))
      const url = await authorization(provider)
      assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri'])
      const callback = await callbackFromProvider(createClient(), url, 'alice')
      assert.equal((await provider.redeem(callback, EXPECTED)).kind, 'signed-in', kind)
      const { kind: verdict, detail } = await provider.check(REDIRECT_URI)
      assert.equal(verdict, 'ok', detail)
      assert.match(detail, /by its key \(private_key_jwt, (ES256|RS256|EdDSA)\); it took a pushed/)
    }
    assert.equal(demo.requestCount('/push'), 6)
  })

  it('takes no other key, and check says what to do', async () => {
    const provider = await openWith(keyOf('P-256', 'same'), keyOf('P-256', 'same'))
    await assert.rejects(authorization(provider), PushFailedError)
    const { kind, detail } = await provider.check(REDIRECT_URI)
    assert.equal(kind, 'problem')
    assert.match(detail, /STEPGATE_OIDC_CLIENT_KEY signs \(invalid_client\).*with the kid "same"/)
  })

  it('takes no redirect URI that is not registered, as check finds out', async () => {
    const provider = await openWith(keyOf('P-256'))
    const { kind, detail } = await provider.check(new URL('http://127.0.0.1:9/other'))
    assert.equal(kind, 'problem')
    assert.match(
      detail,
      /does not take the pushed .* \(invalid_request\): look at the redirect URI/,
    )
  })
})

describe('pushing to a provider', { timeout: 20_000 }, () => {
  const { evil, openEvil } = withEvilProvider()
  const endpoint = () => ({ pushed_authorization_request_endpoint: `${evil().issuer.origin}/push` })

  it('is done when its metadata requires it or configuration says so, and not otherwise', async () => {
    for (const [required, par, pushed] of [
      [true, 'auto', true],
      [false, 'on', true],
      [undefined, 'auto', false],
      ['true', 'auto', false],
    ] as const) {
      evil().behave(metadata({ ...endpoint(), require_pushed_authorization_requests: required }))
      const before = evil().requestCount('push')
      const url = await authorization(await known(openEvil({ request: { par } }).provider))
      assert.equal(url.searchParams.has('request_uri'), pushed, `${required} ${par}`)
      assert.equal(evil().requestCount('push'), before + (pushed ? 1 : 0))
      if (!pushed) continue
      const sent = new URLSearchParams(
        url.searchParams.get('request_uri')?.slice('urn:evil:'.length),
      )
      assert.equal(sent.get('state'), EXPECTED.state)
      assert.equal(sent.get('redirect_uri'), REDIRECT_URI.href)
      assert.equal(sent.get('response_type'), 'code')
    }
  })

  it('is done for a few at once, and the rest are told to come again', async () => {
    evil().behave(metadata(endpoint()))
    const { provider } = openEvil({ request: { par: 'on' }, timeout: SHORT })
    assert.equal(provider.pushes(), false)
    await known(provider)
    assert.equal(provider.pushes(), true)
    evil().behave({ answers: { push: 'hang' } })
    const before = evil().requestCount('push')
    const tries = await Promise.allSettled(
      Array.from({ length: 40 }, () => authorization(provider)),
    )
    const reasons = tries.map((one) => one.status === 'rejected' && one.reason.reason)
    assert.equal(reasons.filter((reason) => reason === 'too_many').length, 8)
    assert.equal(evil().requestCount('push'), before + 32)
    evil().behave()
    assert.ok((await authorization(provider)).searchParams.has('request_uri'))
  })

  it('that has no endpoint for it is no provider to sign in at', async () => {
    for (const at of [undefined, 'nonsense', 'javascript:alert(1)', 7]) {
      evil().behave(metadata({ pushed_authorization_request_endpoint: at }))
      const { provider } = openEvil({ request: { par: 'on' } })
      const { kind, detail } = await provider.check(REDIRECT_URI)
      assert.equal(kind, 'problem')
      assert.match(
        detail,
        /no usable pushed_authorization_request_endpoint, which STEPGATE_OIDC_PAR/,
      )
    }
  })

  it('that fails at it sends nobody anywhere, and the log has no more than a code', async () => {
    const answers = [
      'hang',
      'reset',
      { status: 500 },
      { status: 302, headers: { location: '/push' } },
      { status: 201, headers: { 'content-type': 'application/json' }, body: '{}' },
      { status: 201, headers: { 'content-type': 'application/json' }, body: '{"request_uri":7}' },
      { status: 400, headers: { 'content-type': 'application/json' }, body: '{"error":"a b"}' },
      {
        status: 400,
        headers: { 'content-type': 'application/json' },
        body: '{"error":"invalid_request","error_description":"canary"}',
      },
    ] as const
    for (const answer of answers) {
      evil().behave(metadata(endpoint()))
      const { provider, lines } = openEvil({ request: { par: 'on' }, timeout: SHORT })
      await known(provider)
      evil().behave({ answers: { push: answer } })
      await assert.rejects(authorization(provider), PushFailedError)
      const { fields } = lines.at(-1) ?? assert.fail()
      assert.match(JSON.stringify(fields), /^\{"reason":"[\w.-]+"\}$/)
      assert.doesNotMatch(JSON.stringify(lines), /canary|the-state|the-nonce/)
    }
  })
})

describe('a client’s key', { timeout: 20_000 }, () => {
  const { evil, openEvil } = withEvilProvider()

  /** The header of the assertion that a provider with this metadata gets, by its pushed request. */
  async function headerFor(credential: ClientKey, changes: Record<string, unknown>) {
    const push = `${evil().issuer.origin}/push`
    evil().behave(metadata({ pushed_authorization_request_endpoint: push, ...changes }))
    const { provider, lines } = openEvil({ request: { par: 'on' }, credential })
    const url = await authorization(await known(provider))
    const sent = new URLSearchParams(url.searchParams.get('request_uri')?.slice('urn:evil:'.length))
    assert.equal(
      sent.get('client_assertion_type'),
      'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    )
    const [header, payload] = (sent.get('client_assertion') ?? '')
      .split('.')
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()))
    const { iss, sub, aud } = payload
    assert.deepEqual([iss, sub, aud], ['test-client', 'test-client', evil().issuer.origin])
    const warning = lines
      .map(({ message }) => message)
      .find((message) => /may not know/.test(message))
    return { header, warning }
  }

  it('signs as key and metadata have in common, under its kid', async () => {
    const offered = { token_endpoint_auth_methods_supported: ['private_key_jwt'] }
    const algs = (...values: unknown[]) => ({
      ...offered,
      token_endpoint_auth_signing_alg_values_supported: values,
    })
    const rsa = keyOf('rsa', 'k1')
    const ed = keyOf('ed25519')
    for (const [key, changes, header] of [
      [rsa, offered, { alg: 'RS256', kid: 'k1' }],
      [rsa, algs('ES256', 'PS256'), { alg: 'PS256', kid: 'k1' }],
      [{ ...rsa, algs: ['PS256'] }, algs('RS256', 'PS256'), { alg: 'PS256', kid: 'k1' }],
      [ed, offered, { alg: 'EdDSA' }],
      [ed, algs('Ed25519', 7), { alg: 'Ed25519' }],
      [keyOf('P-384'), algs('ES384'), { alg: 'ES384' }],
    ] as const) {
      const sent = await headerFor(key, changes)
      assert.deepEqual(sent, { header, warning: undefined })
    }
  })

  it('or a secret that the metadata has no place for is warned of, and named by check', async () => {
    const key = keyOf('P-256')
    const offered = { token_endpoint_auth_methods_supported: ['private_key_jwt'] }
    for (const [credential, changes, words] of [
      [key, {}, /does not offer private_key_jwt, only client_secret_basic, client_secret_post/],
      [
        key,
        { ...offered, token_endpoint_auth_signing_alg_values_supported: ['RS256', '<b>'] },
        /no signature by ES256, only by RS256: look at STEPGATE_OIDC_CLIENT_KEY_ALG/,
      ],
      [
        'a-secret',
        offered,
        /no client secret, only private_key_jwt: .*STEPGATE_OIDC_CLIENT_KEY_FILE/,
      ],
    ] as const) {
      evil().behave(metadata(changes))
      const { provider, lines } = openEvil({ credential })
      await known(provider)
      assert.match(lines.map(({ message }) => message).join('\n'), words)
      const { kind, detail } = await provider.check(REDIRECT_URI)
      assert.equal(kind, 'problem')
      assert.match(detail, words)
    }
  })
})

describe('a provider that fails', { timeout: 20_000 }, () => {
  const { evil, opened, openEvil, redeemFrom } = withEvilProvider()

  it('by silence at the token endpoint or the keys keeps nobody waiting for ever', async () => {
    for (const endpoint of ['token', 'jwks', 'userinfo'] as const) {
      evil().behave()
      const provider = await known(openEvil({ timeout: SHORT }).provider)
      evil().behave({ ...noGroups(), answers: { [endpoint]: 'hang' } })
      assert.deepEqual(await redeemFrom(provider), { kind: 'unavailable', code: 'OAUTH_TIMEOUT' })
    }
  })

  it('with new keys is believed at once', async () => {
    const provider = await known(openEvil().provider)
    for (let times = 0; times < 3; times++) {
      assert.equal((await redeemFrom(provider)).kind, 'signed-in')
      await evil().rotateKeys()
    }
    evil().behave({ signing: 'stranger' })
    assert.equal((await redeemFrom(provider)).kind, 'invalid')
  })

  it('is asked for userinfo when the ID token lacks something, and not otherwise', async () => {
    const provider = await known(openEvil().provider)
    const asked = evil().requestCount('userinfo')
    await redeemFrom(provider)
    assert.equal(evil().requestCount('userinfo'), asked)
    const missing = ['groups', 'name', 'email', 'email_verified', 'preferred_username']
    for (const [index, claim] of missing.entries()) {
      evil().behave({ alterIdToken: (claims) => delete claims[claim] })
      assert.equal((await redeemFrom(provider)).kind, 'signed-in')
      assert.equal(evil().requestCount('userinfo'), asked + index + 1, claim)
    }
    evil().behave()
    const claims = { userinfo: { team: null }, id_token: { acr: null } }
    const asksForTeam = await known(openEvil({ request: { claims } }).provider)
    evil().behave({ alterUserinfo: (answer) => Object.assign(answer, { team: 'hr' }) })
    const member = await redeemFrom(asksForTeam)
    assert.equal(member.kind === 'signed-in' && member.claims.team, 'hr')
    evil().behave()
    const withPhone = await known(openEvil({ scopes: ['openid', 'phone'] }).provider)
    evil().behave({ alterUserinfo: (claims) => Object.assign(claims, { phone_number: '+491' }) })
    const redeemed = await redeemFrom(withPhone)
    assert.equal(redeemed.kind === 'signed-in' && redeemed.claims.phone_number, '+491')
  })

  it('has a number or address verified only by who said it', async () => {
    const scopes = ['openid', 'email', 'phone']
    const provider = await known(openEvil({ scopes }).provider)
    for (const [value, flag] of [
      ['phone_number', 'phone_number_verified'],
      ['email', 'email_verified'],
    ] as const) {
      for (const [token, userinfo, taken] of [
        [
          ['a', true],
          ['b', false],
          ['a', true],
        ],
        [['a'], ['b', true], ['b', true]],
        [['a'], ['b', false], ['b', false]],
        [['a'], [undefined, true], [undefined, true]],
        [['a'], ['b'], ['a', undefined]],
        [['a'], [], ['a', undefined]],
        [
          [undefined, true],
          ['b', false],
          ['b', false],
        ],
        [[undefined, true], ['b'], ['b', false]],
        [[], ['b', true], ['b', true]],
        [[], ['b'], ['b', undefined]],
      ] as const) {
        const said = ([text, isVerified]: readonly [(string | undefined)?, boolean?]) => ({
          [value]: text,
          [flag]: isVerified,
        })
        evil().behave({
          alterIdToken: (claims) => Object.assign(claims, said(token)),
          alterUserinfo: (claims) => Object.assign(claims, said(userinfo)),
        })
        const { claims } = (await redeemFrom(provider)) as { claims: Record<string, unknown> }
        assert.deepEqual([claims[value], claims[flag]], taken, JSON.stringify([token, userinfo]))
      }
    }
  })

  it('can’t say by userinfo who somebody is or how she signed in', async () => {
    const provider = await known(openEvil().provider)
    evil().behave({
      alterIdToken(claims) {
        for (const claim of ['groups', 'amr', 'auth_time']) delete claims[claim]
      },
      alterUserinfo(claims) {
        const how = { acr: 'mfa', amr: ['mfa'], auth_time: 1, sid: 'other' }
        Object.assign(claims, { preferred_username: 'root', ...how })
      },
    })
    const redeemed = await redeemFrom(provider)
    assert.equal(redeemed.kind, 'signed-in')
    const { preferred_username: username, groups, acr, amr, auth_time: time } = redeemed.claims
    assert.deepEqual(
      [username, groups, acr, amr, time],
      ['alice', ['staff'], undefined, undefined, undefined],
    )
    assert.equal(redeemed.claims.sid, undefined)
  })

  it('gets a secret of any characters unharmed, in the header or in the form', async () => {
    const clientSecret = 'a:b%c d+e/f&g=canary-of-forty-characters'
    const other = await startEvilProvider({ clientId: testClient.client_id, clientSecret })
    try {
      for (const method of ['client_secret_basic', 'client_secret_post']) {
        other.behave(metadata({ token_endpoint_auth_methods_supported: [method] }))
        const settings = settingsFor(other.issuer)
        const provider = await known(createProvider(settings, clientSecret, keptLog().log))
        opened.push(provider)
        assert.equal((await redeemFrom(provider)).kind, 'signed-in', method)
        const wrong = await known(createProvider(settings, `${clientSecret}x`, keptLog().log))
        opened.push(wrong)
        assert.deepEqual(await redeemFrom(wrong), { kind: 'invalid', code: 'invalid_client' })
      }
    } finally {
      await other.close()
    }
  })
})
