import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  dropTokens,
  keepTokens,
  type ProviderTokens,
  readTokens,
} from '../../proxy/session/provider-tokens.ts'
import { createSealer } from '../../proxy/session/sealed.ts'
import { keyOf } from '../../proxy/store/key-of.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import { countingRandom } from '../sign-in/parts.ts'

const NOW = 1_700_000_000_000
const END = NOW + 60_000
const SECRET = 'a secret for what the provider gave'
const TOKENS: ProviderTokens = {
  idToken: 'the.id.token',
  refreshToken: 'the-refresh-token',
  checkedAt: NOW,
}

const partsOf = (...secrets: [string, ...string[]]) => ({
  store: createMemoryStore(),
  sealer: createSealer(secrets),
  random: countingRandom(),
})

describe('what the provider gave', () => {
  it('is kept for a family, sealed, until it is dropped or its time is over', async () => {
    const parts = partsOf(SECRET)
    await keepTokens(parts, 'family', TOKENS, END, NOW)
    const { signIn, ...kept } = (await readTokens(parts, 'family', NOW)) ?? {}
    assert.deepEqual(kept, TOKENS)
    assert.equal(await readTokens(parts, 'other', NOW), undefined)
    assert.equal(await readTokens(parts, 'family', END), undefined)
    const stored = await parts.store.get(keyOf('provider-tokens', 'family'), NOW)
    assert.doesNotMatch(`${stored}`, /token/)

    await keepTokens(parts, 'family', { checkedAt: NOW + 1 }, END, NOW)
    const { signIn: next, ...dropped } = (await dropTokens(parts, 'family', NOW)) ?? {}
    assert.deepEqual(dropped, { checkedAt: NOW + 1 })
    assert.notEqual(next, signIn)
    assert.equal(await dropTokens(parts, 'family', NOW), undefined)
  })

  it('is nobody else’s when somebody moves it in the store', async () => {
    const parts = partsOf(SECRET)
    await keepTokens(parts, 'mallory', TOKENS, END, NOW)
    const stored = await parts.store.get(keyOf('provider-tokens', 'mallory'), NOW)
    await parts.store.put(keyOf('provider-tokens', 'alice'), stored ?? '', END)
    assert.equal(await readTokens(parts, 'alice', NOW), undefined)
  })

  it('can be read after the secret was rotated, and not with another one', async () => {
    const parts = partsOf(SECRET)
    await keepTokens(parts, 'family', TOKENS, END, NOW)
    const NEWER = 'a newer secret for what the provider gave'
    const rotated = { ...parts, sealer: createSealer([NEWER, SECRET]) }
    assert.equal((await readTokens(rotated, 'family', NOW))?.idToken, TOKENS.idToken)
    const foreign = { ...parts, sealer: createSealer([NEWER]) }
    assert.equal(await readTokens(foreign, 'family', NOW), undefined)
  })

  it('has no ID token that is too long to be a hint in a URL', async () => {
    const parts = partsOf(SECRET)
    await keepTokens(parts, 'family', { ...TOKENS, idToken: 'x'.repeat(7_000) }, END, NOW)
    assert.equal((await readTokens(parts, 'family', NOW))?.idToken?.length, 7_000)
    await keepTokens(parts, 'family', { ...TOKENS, idToken: 'x'.repeat(100_000) }, END, NOW)
    const { idToken: _, ...rest } = TOKENS
    const { signIn: __, ...kept } = (await readTokens(parts, 'family', NOW)) ?? {}
    assert.deepEqual(kept, rest)
  })
})
