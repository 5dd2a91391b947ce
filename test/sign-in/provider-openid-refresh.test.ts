import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { demoPeople } from '../../demo/people.ts'
import { type DemoProvider, startProvider } from '../../demo/provider.ts'
import type { Provider } from '../../proxy/sign-in/provider.ts'
import { createClient } from '../support/cookie-jar.ts'
import { freePort } from '../support/free-port.ts'
import { testClient } from '../support/relying-party.ts'
import { callbackFromProvider } from '../support/sign-in.ts'
import {
  authorization,
  EXPECTED,
  known,
  metadata,
  open,
  withEvilProvider,
} from './open-provider.ts'

const [{ subject: ALICE } = assert.fail()] = demoPeople

describe('a certified provider that gives refresh tokens', { timeout: 20_000 }, () => {
  let demo: DemoProvider
  let provider: Provider
  before(async () => {
    demo = await startProvider({ port: 0, clients: [testClient], people: demoPeople })
    provider = await known(open(demo.issuer, { timeout: 500 }).provider)
  })
  after(async () => {
    provider.close()
    await demo.close()
  })

  async function signedIn(): Promise<string> {
    const url = await authorization(provider)
    const redeemed = await provider.redeem(
      await callbackFromProvider(createClient(), url, 'alice'),
      EXPECTED,
    )
    assert.equal(redeemed.kind, 'signed-in')
    return redeemed.refreshToken ?? assert.fail('no refresh token')
  }

  it('says who the person is now, with a new one', async () => {
    const first = await signedIn()
    demo.setClaims('alice', { groups: ['auditors'] })
    const refreshed = await provider.refresh(first, ALICE)
    assert.equal(refreshed.kind, 'refreshed')
    const { claims, refreshToken = '' } = refreshed
    assert.deepEqual([claims?.sub, claims?.groups], [ALICE, ['auditors']])
    assert.notEqual(refreshToken, first)
    assert.equal((await provider.refresh(refreshToken, 'somebody else')).kind, 'other-subject')
  })

  it('refuses one that was used, and all that came of it', async () => {
    const first = await signedIn()
    const refreshed = await provider.refresh(first, ALICE)
    assert.equal(refreshed.kind, 'refreshed')
    const refused = { kind: 'refused', error: 'invalid_grant' }
    assert.deepEqual(await provider.refresh(first, ALICE), refused)
    assert.deepEqual(await provider.refresh(refreshed.refreshToken ?? '', ALICE), refused)
  })

  it('refuses that of an account which is disabled', async () => {
    const token = await signedIn()
    demo.setDisabled('alice', true)
    const refused = { kind: 'refused', error: 'invalid_grant' }
    assert.deepEqual(await provider.refresh(token, ALICE), refused)
    demo.setDisabled('alice', false)
  })

  it('may have used one up when its answer did not come, and not when it was down', async () => {
    const token = await signedIn()
    for (const [how, unsure] of [
      ['unavailable', false],
      ['hang', true],
      ['lose', true],
    ] as const) {
      demo.pause(how)
      const refreshed = await provider.refresh(token, ALICE)
      assert.equal(refreshed.kind === 'unknown' && refreshed.unsure, unsure, how)
      demo.resume()
    }
    assert.equal((await provider.refresh(token, ALICE)).kind, 'refused')
  })
})

describe('a provider that answers oddly to a refresh token', { timeout: 20_000 }, () => {
  const { evil, openEvil } = withEvilProvider()
  const tokens = (more: Record<string, unknown> = {}) => ({
    token: reply(200, { access_token: 'a', token_type: 'Bearer', refresh_token: 'next', ...more }),
  })
  const reply = (status: number, body: unknown) => ({
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

  it('by no ID token is believed by its userinfo, if that is about the same person', async () => {
    const provider = await known(openEvil().provider)
    const me = { sub: 's', preferred_username: 'alice', groups: ['g'] }
    evil().behave({ answers: { ...tokens(), userinfo: reply(200, me) } })
    assert.deepEqual(await provider.refresh('token', 's'), {
      kind: 'refreshed',
      claims: me,
      partial: true,
      refreshToken: 'next',
    })
    assert.deepEqual(await provider.refresh('token', 'other'), { kind: 'other-subject' })
  })

  it('and has no userinfo either, says that all is well', async () => {
    evil().behave(metadata({ userinfo_endpoint: undefined }))
    const provider = await known(openEvil().provider)
    evil().behave({ answers: tokens() })
    const well = { kind: 'refreshed', refreshToken: 'next' }
    assert.deepEqual(await provider.refresh('token', 's'), well)
  })

  it('by an ID token that is none, or a userinfo that fails, still gave a new one', async () => {
    const provider = await known(openEvil().provider)
    for (const answers of [
      tokens({ id_token: 'e30.e30.e30' }),
      { ...tokens(), userinfo: reply(401, { error: 'invalid_grant' }) },
      { ...tokens(), userinfo: 'reset' },
    ] as const) {
      evil().behave({ answers })
      const { kind, ...rest } = await provider.refresh('token', 's')
      assert.equal(kind, 'unknown')
      const { code: _, ...left } = rest as Record<string, unknown>
      assert.deepEqual(left, { unsure: false, refreshToken: 'next' })
    }
  })

  it('is said at the start to give none, where its metadata says so and somebody wants to know', async () => {
    const warned = /names no refresh tokens/
    for (const [grants, wantsRefresh, isSaid] of [
      [['authorization_code'], true, true],
      [['authorization_code'], false, false],
      [['authorization_code', 'refresh_token'], true, false],
      [undefined, true, false],
      [7, true, false],
    ] as const) {
      evil().behave(metadata({ grant_types_supported: grants }))
      const { provider, lines } = openEvil({ wantsRefresh })
      await known(provider)
      assert.equal(
        lines.some(({ message }) => warned.test(message)),
        isSaid,
      )
    }
  })

  it('is over by some words, and out of order by all others', async () => {
    const provider = await known(openEvil().provider)
    for (const error of ['invalid_grant', 'interaction_required', 'access_denied']) {
      evil().behave({ answers: { token: reply(400, { error }) } })
      assert.deepEqual(await provider.refresh('token', 's'), { kind: 'refused', error })
    }
    for (const [answer, unsure] of [
      [reply(401, { error: 'invalid_client' }), false],
      [reply(400, { error: 'temporarily_unavailable' }), false],
      [reply(429, {}), false],
      [{ status: 503 }, false],
      [{ status: 504 }, true],
      [{ status: 200, body: 'what?' }, true],
      ['reset', true],
    ] as const) {
      evil().behave({ answers: { token: answer } })
      const refreshed = await provider.refresh('token', 's')
      assert.equal(refreshed.kind === 'unknown' && refreshed.unsure, unsure, JSON.stringify(answer))
    }
  })

  it('is unknown, and was told nothing, before discovery and where nobody listens', async () => {
    const early = openEvil().provider
    const unknown = { kind: 'unknown', code: 'provider_unknown', unsure: false }
    assert.deepEqual(await early.refresh('token', 's'), unknown)
    const nobody = new URL('/token', `http://127.0.0.1:${await freePort()}`).href
    evil().behave(metadata({ token_endpoint: nobody }))
    const provider = await known(openEvil().provider)
    const refreshed = await provider.refresh('token', 's')
    assert.equal(refreshed.kind === 'unknown' && refreshed.unsure, false)
  })
})
