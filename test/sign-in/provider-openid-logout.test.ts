import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json } from '../support/evil-tokens.ts'
import { known, metadata, open, SHORT, withEvilProvider } from './open-provider.ts'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

type Alter = (claims: Json, header: Json) => void

/** What a token may differ in, and what is said of it. */
const REFUSED: readonly (readonly [name: string, code: string, alter: Alter])[] = [
  ['of another issuer', 'iss', (claims) => Object.assign(claims, { iss: 'https://evil.test' })],
  ['without an issuer', 'iss', (claims) => delete claims.iss],
  ['for another client', 'aud', (claims) => Object.assign(claims, { aud: 'another' })],
  ['for nobody', 'aud', (claims) => delete claims.aud],
  ['for others too', 'azp', (claims) => Object.assign(claims, { aud: [claims.aud, 'another'] })],
  ['by way of another client', 'azp', (claims) => Object.assign(claims, { azp: 'another' })],
  ['that is over', 'exp', (claims) => Object.assign(claims, { exp: Number(claims.exp) - 200 })],
  ['without an end', 'exp', (claims) => delete claims.exp],
  ['without a beginning', 'iat', (claims) => delete claims.iat],
  ['of the future', 'iat', (claims) => Object.assign(claims, { iat: Number(claims.iat) + 90 })],
  ['of yesterday', 'iat', (claims) => Object.assign(claims, { iat: Number(claims.iat) - 86_400 })],
  ['without an event', 'events', (claims) => delete claims.events],
  ['of another event', 'events', (claims) => Object.assign(claims, { events: { x: {} } })],
  [
    'whose event is true',
    'events',
    (claims) => Object.assign(claims, { events: { [EVENT]: true } }),
  ],
  ['whose events are a list', 'events', (claims) => Object.assign(claims, { events: [EVENT] })],
  ['with a nonce', 'nonce', (claims) => Object.assign(claims, { nonce: 'n' })],
  ['with an empty nonce', 'nonce', (claims) => Object.assign(claims, { nonce: null })],
  ['without a jti', 'jti', (claims) => delete claims.jti],
  ['with a number for a jti', 'jti', (claims) => Object.assign(claims, { jti: 7 })],
  ['of nobody', 'sub', (claims) => delete claims.sub],
  ['of a nameless person', 'sub', (claims) => Object.assign(claims, { sub: '' })],
  ['of a list of sessions', 'sid', (claims) => Object.assign(claims, { sid: ['s'] })],
  ['of another type', 'typ', (_claims, header) => Object.assign(header, { typ: 'at+jwt' })],
  ['of a type that is no text', 'typ', (_claims, header) => Object.assign(header, { typ: 1 })],
  [
    'that needs understanding',
    'ERR_JOSE_NOT_SUPPORTED',
    (_claims, header) => {
      Object.assign(header, { crit: ['x'], x: 1 })
    },
  ],
]

describe('reading a logout token', () => {
  const { evil, openEvil } = withEvilProvider()
  const opened = async (options?: Parameters<typeof openEvil>[0]) =>
    known(openEvil(options).provider)

  it('tells whose sessions end, by which session of the provider, and how long to remember it', async () => {
    const provider = await opened()
    const now = Date.now()
    for (const changes of [{}, { sid: 'sid-1' }, { sub: undefined, sid: 'sid-1' }] as const) {
      const token = await evil().logoutToken({
        alter: (claims) => Object.assign(claims, { jti: 'jti-1', ...changes }),
      })
      const read = await provider.readLogoutToken(token, now)
      assert.equal(read.kind, 'logout')
      const { expiresAt, ...said } = read
      const subject = 'sub' in changes ? {} : { subject: 'evil-subject' }
      const sid = 'sid' in changes ? { sid: 'sid-1' } : {}
      assert.deepEqual(said, { kind: 'logout', jti: 'jti-1', ...sid, ...subject })
      assert.ok(expiresAt > now + 140_000 && expiresAt <= now + 150_000)
    }
  })

  it('remembers one that says it lasts for years no longer than an hour', async () => {
    const token = await evil().logoutToken({
      alter: (claims) => Object.assign(claims, { exp: Number(claims.exp) + 1e8 }),
    })
    const read = await (await opened()).readLogoutToken(token, Date.now())
    assert.equal(read.kind, 'logout')
    assert.ok(read.expiresAt <= Date.now() + 3_630_000)
  })

  it('takes the types that providers write', async () => {
    const provider = await opened()
    for (const typ of [undefined, 'JWT', 'jwt', 'logout+jwt', 'application/logout+jwt']) {
      const token = await evil().logoutToken({
        alter: (_claims, header) => Object.assign(header, { typ }),
      })
      assert.equal((await provider.readLogoutToken(token, Date.now())).kind, 'logout', `${typ}`)
    }
  })

  it('refuses each that is wrong in one thing', async () => {
    const provider = await opened()
    for (const [name, code, alter] of REFUSED) {
      const token = await evil().logoutToken({ alter })
      const read = await provider.readLogoutToken(token, Date.now())
      assert.deepEqual(read, { kind: 'invalid', code }, name)
    }
  })

  it('refuses each that the provider has not signed, and what is no token', async () => {
    const provider = await opened()
    const signings = ['none', 'unsigned', 'broken', 'stranger', 'unknown-kid'] as const
    const tokens = await Promise.all([
      ...[...signings, 'hs256-secret', 'hs256-public-key'].map((signing) =>
        evil().logoutToken({ signing: signing as (typeof signings)[number] }),
      ),
      '',
      'a.b.c',
      'a.b.c.d.e',
      'x'.repeat(10_000),
    ])
    for (const token of tokens) {
      assert.equal((await provider.readLogoutToken(token, Date.now())).kind, 'invalid', token)
    }
  })

  it('takes no algorithm that the provider does not name, and none without a key pair if it does', async () => {
    for (const [named, signing] of [
      [['ES256'], 'honest'],
      [['RS256', 'HS256', 'none'], 'hs256-secret'],
      [['RS256', 'HS256', 'none'], 'none'],
    ] as const) {
      evil().behave(metadata({ id_token_signing_alg_values_supported: named }))
      const token = await evil().logoutToken({ signing })
      const read = await (await opened()).readLogoutToken(token, Date.now())
      assert.deepEqual(read, { kind: 'invalid', code: 'ERR_JOSE_ALG_NOT_ALLOWED' })
    }
  })

  it('asks for keys once, and again for one that is new', async (t) => {
    const provider = await opened()
    const read = async () => provider.readLogoutToken(await evil().logoutToken(), Date.now())
    const before = evil().requestCount('jwks')
    await read()
    await read()
    assert.equal(evil().requestCount('jwks') - before, 1)
    await evil().rotateKeys()
    assert.equal((await read()).kind, 'invalid')
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 5_001 })
    assert.equal((await read()).kind, 'logout')
    assert.equal(evil().requestCount('jwks') - before, 2)
  })

  it('says so when keys can’t be had, or the provider is not known yet', async () => {
    const token = await evil().logoutToken()
    const unknown = open(evil().issuer).provider
    assert.equal((await unknown.readLogoutToken(token, Date.now())).kind, 'unavailable')
    for (const jwks of [
      { status: 503 },
      { status: 200, body: '<html>' },
      'hang',
      'reset',
    ] as const) {
      const provider = await opened({ timeout: SHORT })
      evil().behave({ answers: { jwks } })
      const read = await provider.readLogoutToken(token, Date.now())
      evil().behave()
      assert.equal(read.kind, 'unavailable')
    }
  })
})
