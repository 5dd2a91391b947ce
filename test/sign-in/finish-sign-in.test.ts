import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Config } from '../../proxy/config/config.ts'
import { createEndedSessions, endOfSid, endOfSubject } from '../../proxy/session/ended-sessions.ts'
import { readTokens } from '../../proxy/session/provider-tokens.ts'
import type { Session } from '../../proxy/session/session.ts'
import { finishSignIn } from '../../proxy/sign-in/finish-sign-in.ts'
import type { Redeemed } from '../../proxy/sign-in/provider.ts'
import { type SignInRequest, startSignIn } from '../../proxy/sign-in/start-sign-in.ts'
import { familyOf, TRANSACTION_LIFE } from '../../proxy/sign-in/transaction.ts'
import { keyOf } from '../../proxy/store/key-of.ts'
import { StoreUnavailableError } from '../../proxy/store/store.ts'
import { sampleSession } from '../session/session-sample.ts'
import { CONFIG, fakeProvider, HOUR, NOW, SECOND, signedIn, signInParts } from './parts.ts'

const COOKIE = 'b'.repeat(43)
const OTHER = 'c'.repeat(43)

/** A sign-in that has been started, and a way to call back. */
async function started(redeemed?: Redeemed, request: Partial<SignInRequest> = {}) {
  const fake = fakeProvider(redeemed)
  const parts = {
    ...signInParts(fake.provider),
    revocations: createEndedSessions(),
  }
  await startSignIn(parts, { returnTo: '/a?b', browser: COOKIE, ...request }, NOW)
  const [{ state } = assert.fail()] = fake.asked
  const query = `?${new URLSearchParams({ code: 'the-code', state, iss: 'https://i' })}`
  return {
    ...fake,
    parts,
    state,
    callBack: (
      changes: { query?: string; browsers?: readonly string[]; session?: Session } = {},
      now = NOW + SECOND,
    ) => finishSignIn(parts, { query, browsers: [COOKIE], session: undefined, ...changes }, now),
  }
}

describe('finishing a sign-in', () => {
  it('begins a session with a new id, in the family of the browser’s tabs', async () => {
    const { callBack, parts } = await started()
    const finished = await callBack()
    assert.equal(finished.kind, 'signed-in')
    const { session } = finished
    assert.equal(session.family, familyOf(COOKIE))
    assert.match(session.id, /^id-\d+_+$/)
    assert.notEqual(session.id, COOKIE)
    assert.equal(session.createdAt, NOW + SECOND)
    assert.equal(session.acr, 'basic')
    assert.deepEqual(finished.destination, { returnTo: '/a?b' })

    const again = await callBack()
    assert.equal(again.kind, 'signed-in')
    assert.notEqual(again.session.id, session.id)
    assert.equal(again.session.family, session.family)
    assert.ok(await parts.store.get(keyOf('provider-tokens', session.family), NOW))
  })

  it('begins a session that knows of the end of all before, if that was known when it was called', async () => {
    const ended = createEndedSessions()
    ended.learn(endOfSubject('subject-1', NOW), NOW + HOUR, NOW)
    const { callBack, parts } = await started()
    parts.revocations = ended
    const finished = await callBack()
    assert.equal(finished.kind, 'signed-in')
    assert.equal(finished.session.lastEndBefore, NOW)
    assert.equal(ended.isOver(finished.session), false)

    const { redeem } = parts.provider
    parts.provider.redeem = (...asked) => {
      ended.learn(endOfSubject('subject-1', NOW + 2 * SECOND), NOW + HOUR, NOW + 2 * SECOND)
      return redeem(...asked)
    }
    const late = await callBack()
    assert.equal(late.kind, 'signed-in')
    assert.equal(ended.isOver(late.session), true)
  })

  it('asks for the provider to ask whoever signed in there before they signed out everywhere, once', async () => {
    const at = NOW - 500
    const times = { before: at - 1000, same: at - 999 }
    for (const [auth_time, which, prompted, kind, end = at] of [
      [times.before / 1000, 'everywhere', undefined, 'not-asked'],
      [times.before / 1000, 'everywhere', true, 'signed-in'],
      [times.same / 1000, 'everywhere', undefined, 'signed-in'],
      // By the clock of another machine, which is ahead.
      [undefined, 'everywhere', undefined, 'signed-in', NOW + 5 * SECOND],
      [times.before / 1000, 'all', undefined, 'signed-in'],
    ] as const) {
      const ended = createEndedSessions()
      ended.learn(endOfSubject('subject-1', end, which), NOW + HOUR, NOW)
      const { callBack, parts } = await started(signedIn({ auth_time }), { prompted })
      parts.revocations = ended
      const finished = await callBack()
      assert.equal(finished.kind, kind)
      assert.deepEqual(finished.destination, { returnTo: '/a?b' })
      const kept = await parts.store.get(keyOf('provider-tokens', familyOf(COOKIE)), NOW)
      assert.equal(kept !== undefined, kind === 'signed-in')
    }
  })

  it('has the provider ask where its session is over already, once, and then fails', async () => {
    const ended = createEndedSessions()
    ended.learn(endOfSid('over'), NOW + HOUR, NOW)
    for (const [sid, prompted, kind] of [
      ['over', undefined, 'not-asked'],
      ['over', true, 'failed'],
      ['another', true, 'signed-in'],
    ] as const) {
      const { callBack, parts } = await started(signedIn({ sid }), { prompted })
      parts.revocations = ended
      const finished = await callBack()
      assert.equal(finished.kind, kind)
      if (finished.kind === 'failed') assert.deepEqual(finished.reason, { kind: 'ended' })
      const kept = await parts.store.get(keyOf('provider-tokens', familyOf(COOKIE)), NOW)
      assert.equal(kept !== undefined, kind === 'signed-in')
    }
  })

  it('hands the provider our redirect URI with the query as it came, and what was expected', async () => {
    const { callBack, exchanged, asked, state } = await started()
    await callBack()
    const [{ callback, expected } = assert.fail()] = exchanged
    const [{ nonce, codeVerifier } = assert.fail()] = asked
    assert.equal(callback.origin + callback.pathname, 'https://app.example.com/_stepgate/callback')
    assert.equal(callback.searchParams.get('code'), 'the-code')
    assert.equal(callback.searchParams.get('iss'), 'https://i')
    assert.equal(expected.state, state)
    assert.equal(expected.nonce, nonce)
    assert.equal(expected.codeVerifier, codeVerifier)
  })

  it('keeps the ID token sealed until sign-out, and no longer than the session can live', async () => {
    const { callBack, parts } = await started()
    await callBack()
    const key = keyOf('provider-tokens', familyOf(COOKIE))
    const sealed = (await parts.store.get(key, NOW)) ?? assert.fail()
    assert.doesNotMatch(sealed, /payload/)
    const { signIn: _, ...tokens } =
      (await readTokens(parts, familyOf(COOKIE), NOW + SECOND)) ?? assert.fail()
    assert.deepEqual(tokens, { idToken: 'header.payload.signature', checkedAt: NOW + SECOND })
    assert.equal(await parts.store.get(key, NOW + SECOND + 12 * HOUR), undefined)
  })

  it('knows where to go on whatever comes of it, by way of the code page if that was asked', async () => {
    const request = { stepUp: { maxAge: 900_000 }, uiLocales: 'de en' }
    const destination = { returnTo: '/a?b', ...request }
    for (const redeemed of [signedIn(), { kind: 'unavailable', code: 'x' }] as const) {
      const { callBack } = await started(redeemed, request)
      assert.deepEqual((await callBack()).destination, destination)
    }
    const { callBack } = await started(signedIn({ locale: 'fr' }), request)
    const finished = await callBack()
    assert.equal(finished.kind === 'signed-in' && finished.session.locale, 'de en')
  })

  it('refuses a state that is not ours before anything else', async () => {
    const { callBack, exchanged } = await started()
    for (const query of ['', '?', '?code=x', '?state=', '?state=x', '?error=access_denied']) {
      assert.deepEqual(await callBack({ query, session: sampleSession({ createdAt: NOW + 1 }) }), {
        kind: 'failed',
        reason: { kind: 'no-state' },
        destination: { returnTo: '/' },
      })
    }
    assert.equal(exchanged.length, 0)
  })

  it('refuses another browser, and says how often it was tried', async () => {
    for (const attempt of [0, 1]) {
      const { callBack, exchanged } = await started(undefined, { attempt })
      for (const browsers of [[], [OTHER], [`${COOKIE}b`], [OTHER, 'd'.repeat(43)]]) {
        assert.deepEqual(await callBack({ browsers }), {
          kind: 'failed',
          reason: { kind: 'other-browser', attempt },
          destination: { returnTo: '/a?b' },
        })
      }
      assert.equal(exchanged.length, 0)
    }
  })

  it('makes one family of tabs that set out at once, whichever cookie a tab set out with', async () => {
    const { callBack } = await started()
    for (const [browsers, first] of [
      [[COOKIE, OTHER], COOKIE],
      [[OTHER, COOKIE], OTHER],
    ] as const) {
      const finished = await callBack({ browsers })
      assert.equal(finished.kind === 'signed-in' && finished.session.family, familyOf(first))
    }
  })

  it('refuses an attempt that took too long, to the millisecond', async () => {
    const { callBack, exchanged } = await started()
    const late = await callBack({}, NOW + TRANSACTION_LIFE + 1)
    assert.deepEqual(late.kind === 'failed' && late.reason, { kind: 'expired' })
    assert.equal(exchanged.length, 0)
    assert.equal((await callBack({}, NOW + TRANSACTION_LIFE)).kind, 'signed-in')
  })

  it('does nothing where another tab has been faster, whatever the answer', async () => {
    const { callBack, exchanged } = await started()
    for (const createdAt of [NOW, NOW + 1]) {
      const session = sampleSession({ createdAt })
      const finished = await callBack({ session, browsers: [] }, NOW + 2 * TRANSACTION_LIFE)
      assert.deepEqual(finished, { kind: 'already', destination: { returnTo: '/a?b' } })
    }
    assert.equal(exchanged.length, 0)
  })

  it('replaces a session that is older than the attempt', async () => {
    const { callBack } = await started()
    const session = sampleSession({ createdAt: NOW - 1 })
    const finished = await callBack({ session })
    assert.equal(finished.kind === 'signed-in' && finished.session.id !== session.id, true)
  })

  it('keeps the code of the same person, and of nobody else', async () => {
    const { callBack } = await started()
    const proved = { acr: 'twilio_sms', otpTime: NOW - 2, createdAt: NOW - 5 } as const
    for (const [subject, acr, createdAt] of [
      ['subject-1', 'twilio_sms', NOW - 5],
      ['subject-2', 'basic', NOW + SECOND],
    ]) {
      const session = { ...sampleSession({ subject: String(subject) }), ...proved }
      const finished = await callBack({ session })
      assert.equal(finished.kind, 'signed-in')
      assert.deepEqual([finished.session.acr, finished.session.createdAt], [acr, createdAt])
    }
  })

  it('takes a sign-in that is as fresh as was asked for, and no other', async () => {
    const within = 15 * 60 * SECOND
    for (const prompted of [undefined, true] as const) {
      for (const [age, isFresh] of [
        [0, true],
        [within + 60 * SECOND, true],
        [within + 61 * SECOND, false],
        [undefined, false],
      ] as const) {
        const at = NOW + SECOND
        const claims = age === undefined ? {} : { auth_time: (at - age) / 1000 }
        const request = { signedInWithin: within, prompted }
        const { callBack, parts } = await started(signedIn(claims), request)
        const finished = await callBack({}, at)
        const { destination } = finished
        assert.deepEqual(destination, { returnTo: '/a?b', signedInWithin: within })
        if (isFresh) {
          assert.equal(finished.kind, 'signed-in', String(age))
          continue
        }
        const reason = { kind: 'not-fresh', within, prompted: prompted === true }
        assert.deepEqual(finished, { kind: 'failed', reason, destination })
        assert.equal(await parts.store.get(keyOf('id-token', familyOf(COOKIE)), NOW), undefined)
      }
    }
  })

  it('passes on why the provider’s answer was not taken', async () => {
    for (const redeemed of [
      { kind: 'refused', error: 'access_denied', description: 'No' },
      { kind: 'invalid', code: 'OAUTH_INVALID_RESPONSE' },
      { kind: 'unavailable', code: 'OAUTH_TIMEOUT' },
    ] as const) {
      const { callBack, parts } = await started(redeemed)
      const finished = await callBack()
      assert.deepEqual(finished, {
        kind: 'failed',
        reason: redeemed.kind === 'unavailable' ? { ...redeemed, part: 'provider' } : redeemed,
        destination: { returnTo: '/a?b' },
      })
      assert.equal(
        await parts.store.get(keyOf('provider-tokens', familyOf(COOKIE)), NOW),
        undefined,
      )
    }
    const { callBack } = await started(signedIn({ preferred_username: undefined }))
    const finished = await callBack()
    assert.deepEqual(finished.kind === 'failed' && finished.reason, {
      kind: 'missing-claim',
      claim: 'preferred_username',
    })
  })

  it('lets nobody in while the store is down', async () => {
    const { parts, callBack } = await started()
    parts.store.put = () => Promise.reject(new StoreUnavailableError('down'))
    assert.deepEqual(await callBack(), {
      kind: 'failed',
      reason: { kind: 'unavailable', part: 'store', code: 'store_unavailable' },
      destination: { returnTo: '/a?b' },
    })
  })
})

describe('claims that were asked for as essential', () => {
  type Wanted = NonNullable<Config['oidc']['request']['claims']>

  async function kindWith(claims: Wanted, came: Record<string, unknown>) {
    const { callBack, parts } = await started(signedIn(came))
    const request = { ...CONFIG.oidc.request, claims }
    parts.config = { ...parts.config, oidc: { ...CONFIG.oidc, request } }
    const finished = await callBack()
    if (finished.kind !== 'failed') return finished.kind
    const { reason } = finished
    return reason.kind === 'missing-claim' ? reason.claim : reason.kind
  }

  it('have to come, with a value that was asked for', async () => {
    const acr = { id_token: { acr: { essential: true, values: ['gold', 'silver'] } } }
    for (const came of ['gold', 'silver']) {
      assert.equal(await kindWith(acr, { acr: came }), 'signed-in')
    }
    for (const came of [
      undefined,
      null,
      '',
      'GOLD',
      'gold silver',
      ['gold'],
      { gold: 1 },
      0,
      true,
    ]) {
      assert.equal(await kindWith(acr, { acr: came }), 'acr', JSON.stringify(came))
    }
    const one = { id_token: { acr: { essential: true, value: 'gold' } } }
    assert.equal(await kindWith(one, { acr: 'gold' }), 'signed-in')
    assert.equal(await kindWith(one, { acr: 'silver' }), 'acr')
    const any = { id_token: { auth_time: { essential: true } } }
    assert.equal(await kindWith(any, { auth_time: 0 }), 'signed-in')
    assert.equal(await kindWith(any, {}), 'auth_time')
  })

  it('may be one of a list, and are looked for in both places', async () => {
    const amr = { id_token: { amr: { essential: true, values: ['hwk', 'mfa'] } } }
    assert.equal(await kindWith(amr, { amr: ['pwd', 'mfa'] }), 'signed-in')
    assert.equal(await kindWith(amr, { amr: ['pwd'] }), 'amr')
    assert.equal(await kindWith(amr, { amr: [] }), 'amr')
    const both = { id_token: {}, userinfo: { team: { essential: true, value: 'hr' } } }
    assert.equal(await kindWith(both, { team: 'it' }), 'team')
    assert.equal(await kindWith(both, { team: 'hr' }), 'signed-in')
  })

  it('are no others than those', async () => {
    const wishes = { id_token: { acr: { values: ['gold'] }, x: null, y: { essential: false } } }
    assert.equal(await kindWith(wishes, { acr: 'silver' }), 'signed-in')
  })
})
