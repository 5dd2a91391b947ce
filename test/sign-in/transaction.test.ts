import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSealer } from '../../proxy/session/sealed.ts'
import {
  browserHash,
  familyOf,
  openTransaction,
  sealTransaction,
  TRANSACTION_LIFE,
} from '../../proxy/sign-in/transaction.ts'
import { HOUR, NOW } from './parts.ts'

const sealer = createSealer(['a secret for the tests of transactions'])
const TRANSACTION = {
  browser: browserHash('cookie'),
  nonce: 'nonce',
  codeVerifier: 'verifier',
  returnTo: '/payroll?a=1',
  stepUp: { maxAge: 900_000 },
  uiLocales: 'de',
  attempt: 0,
  startedAt: NOW,
}

describe('a transaction', () => {
  it('comes back as it was, after its life too, so that it can say where to go on', async () => {
    const state = await sealTransaction(sealer, TRANSACTION, NOW)
    assert.deepEqual(await openTransaction(sealer, state, NOW), TRANSACTION)
    const late = NOW + TRANSACTION_LIFE + 1
    assert.deepEqual(await openTransaction(sealer, state, late), TRANSACTION)
    assert.equal(await openTransaction(sealer, state, NOW + 24 * HOUR), undefined)
  })

  it('tells nobody on the way what is in it, and may stand in an address', async () => {
    const state = await sealTransaction(sealer, TRANSACTION, NOW)
    assert.doesNotMatch(state, /verifier|nonce|payroll/)
    assert.equal(Buffer.from(state, 'base64url').includes('verifier'), false)
    assert.equal(new URLSearchParams(`state=${state}`).get('state'), state)
  })

  it('is nothing else that we have sealed, and nobody else’s seal', async () => {
    const other = createSealer(['another secret for the same purpose..'])
    for (const state of [
      undefined,
      '',
      'x',
      await sealer.seal('session', TRANSACTION, NOW + HOUR, NOW),
      await sealer.seal('provider-tokens', 'token', NOW + HOUR, NOW),
      await sealTransaction(other, TRANSACTION, NOW),
    ]) {
      assert.equal(await openTransaction(sealer, state, NOW), undefined)
    }
  })

  it('and its session family are known by hashes that don’t tell the cookie or each other', () => {
    assert.equal(browserHash('cookie'), browserHash('cookie'))
    assert.equal(familyOf('cookie'), familyOf('cookie'))
    const values = new Set([
      'cookie',
      browserHash('cookie'),
      browserHash('other'),
      familyOf('cookie'),
      familyOf('other'),
    ])
    assert.equal(values.size, 5)
  })
})
