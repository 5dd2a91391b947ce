import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startSignIn } from '../../proxy/sign-in/start-sign-in.ts'
import { browserHash, openTransaction } from '../../proxy/sign-in/transaction.ts'
import { fakeProvider, NOW, signInParts } from './parts.ts'

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
