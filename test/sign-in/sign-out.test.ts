import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keepTokens, readTokens } from '../../proxy/session/provider-tokens.ts'
import { type Revocations, watchRevocations } from '../../proxy/session/revocations.ts'
import { readSignedOut, signOut } from '../../proxy/sign-in/sign-out.ts'
import { keyOf } from '../../proxy/store/key-of.ts'
import { StoreUnavailableError } from '../../proxy/store/store.ts'
import { sampleSession } from '../session/session-sample.ts'
import { fakeProvider, HOUR, keptLog, NOW, signInParts } from './parts.ts'

const SIGNED_OUT = new URL('https://app.example.com/_stepgate/signed-out')
const session = sampleSession({ createdAt: NOW, sid: 'sid-1' })
const UNTIL = NOW + 12 * HOUR
const HERE = { session, everywhere: false, signedOut: SIGNED_OUT, until: UNTIL }
const EVERYWHERE = { ...HERE, everywhere: true }

async function withRevocations(
  run: (parts: ReturnType<typeof signInParts> & { revocations: Revocations }) => Promise<void>,
  provider = fakeProvider().provider,
): Promise<void> {
  const parts = signInParts(provider)
  const revocations = await watchRevocations(parts.store, () => NOW, keptLog().log)
  try {
    await run({ ...parts, revocations })
  } finally {
    revocations.close()
  }
}

const noEndSession = () => ({ ...fakeProvider().provider, endSessionUrl: () => undefined })

describe('signing out', () => {
  it('kills the family, here and in the store, and uses the ID token once', async () => {
    const { provider, ended } = fakeProvider()
    await withRevocations(async (parts) => {
      const tokens = { idToken: 'the.id.token', refreshToken: 'spent', checkedAt: NOW }
      await keepTokens(parts, session.family, tokens, NOW + HOUR, NOW)
      const next = await signOut(parts, HERE, NOW)
      assert.equal(next.href, 'https://login.example.com/end')
      const [{ state, ...asked } = assert.fail()] = ended
      assert.deepEqual(asked, { idToken: 'the.id.token', returnTo: SIGNED_OUT })
      assert.deepEqual(await readSignedOut(parts.sealer, state ?? null, NOW), { uiLocales: 'en' })
      const other = sampleSession({ id: 'of another tab', family: session.family })
      assert.equal(parts.revocations.isRevoked(other), true)
      const { ids } = await parts.store.revocations(0, NOW)
      assert.deepEqual(ids, [{ id: session.family, expiresAt: NOW + 36 * HOUR }])
      assert.equal(await readTokens(parts, session.family, NOW), undefined)
    }, provider)
  })

  it('goes without a hint where the ID token is gone or not ours', async () => {
    for (const stored of [undefined, 'rubbish', 'wrong purpose']) {
      const { provider, ended } = fakeProvider()
      await withRevocations(async (parts) => {
        const wrong = await parts.sealer.seal('session', 'the.id.token', NOW + HOUR, NOW)
        const value = stored === 'wrong purpose' ? wrong : stored
        const key = keyOf('provider-tokens', session.family)
        if (value !== undefined) await parts.store.put(key, value, NOW + HOUR)
        await signOut(parts, HERE, NOW)
        assert.deepEqual(
          ended.map(({ idToken }) => idToken),
          [undefined],
        )
      }, provider)
    }
  })

  it('ends at our own page where the provider has none', async () => {
    const { provider } = fakeProvider()
    await withRevocations(
      async (parts) => {
        const next = await signOut(parts, HERE, NOW)
        assert.equal(next.origin + next.pathname, SIGNED_OUT.href)
        const state = next.searchParams.get('state')
        assert.deepEqual(await readSignedOut(parts.sealer, state, NOW), { uiLocales: 'en' })
      },
      { ...provider, endSessionUrl: () => undefined },
    )
  })

  it('asks the store for the ID token while it tells it of the end', async () => {
    await withRevocations(async (parts) => {
      const { revoke, take } = parts.store
      const taking = Promise.withResolvers<void>()
      parts.store.take = (...asked) => {
        taking.resolve()
        return take(...asked)
      }
      parts.store.revoke = async (...asked) => {
        await taking.promise
        await revoke(...asked)
      }
      await signOut(parts, HERE, NOW)
      assert.equal((await parts.store.revocations(0, NOW)).ids.length, 1)
    })
  })

  it('everywhere ends all sessions of the person that began before, and nobody else’s', async () => {
    await withRevocations(async (parts) => {
      const next = await signOut(parts, EVERYWHERE, NOW)
      const { isRevoked } = parts.revocations
      const on = (changes: Parameters<typeof sampleSession>[0]) =>
        isRevoked(sampleSession({ id: 'i', family: 'f', createdAt: NOW - HOUR, ...changes }))
      assert.equal(on({}), true)
      assert.equal(on({ subject: 'another' }), false)
      const state = next.searchParams.get('state')
      assert.equal((await readSignedOut(parts.sealer, state, NOW)).everywhere, 'done')
    }, noEndSession())
  })

  it('everywhere says that it may take a while when the store is down', async () => {
    await withRevocations(async (parts) => {
      parts.store.revoke = () => Promise.reject(new StoreUnavailableError('down'))
      const next = await signOut(parts, EVERYWHERE, NOW)
      const state = next.searchParams.get('state')
      assert.equal((await readSignedOut(parts.sealer, state, NOW)).everywhere, 'later')
    }, noEndSession())
  })

  it('says nothing by a state that is none of ours', async () => {
    await withRevocations(async ({ sealer }) => {
      const other = await sealer.seal('session', { everywhere: 'done' }, NOW + HOUR, NOW)
      for (const state of [null, '', 'rubbish', other]) {
        assert.deepEqual(await readSignedOut(sealer, state, NOW), {})
      }
    })
  })

  it('goes on to the provider, without a hint, when the store is down; the session is dead here', async () => {
    await withRevocations(async (parts) => {
      parts.store.revoke = () => Promise.reject(new StoreUnavailableError('down'))
      parts.store.take = () => Promise.reject(new StoreUnavailableError('down'))
      const next = await signOut(parts, HERE, NOW)
      assert.notEqual(next, SIGNED_OUT)
      assert.equal(next.searchParams.has('id_token_hint'), false)
      assert.equal(parts.revocations.isRevoked(session), true)
    })
  })
})
