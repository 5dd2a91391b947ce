import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createClaimsDirectory } from '../../proxy/phone/phone-directory-claims.ts'

describe('numbers from the claims', () => {
  it('are the verified number of the provider, or none', async () => {
    const directory = createClaimsDirectory()
    const person = { subject: 's', username: 'alice' }
    assert.deepEqual(await directory.lookUp({ ...person, claimedPhones: ['+4915112345678'] }), {
      kind: 'found',
      numbers: ['+4915112345678'],
    })
    assert.deepEqual(await directory.lookUp(person), { kind: 'none' })
    assert.equal((await directory.check()).kind, 'ok')
    await directory.close()
  })
})
