import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLdapConnection } from '../../proxy/phone/ldap-connection.ts'
import { startLdapRelay } from '../support/ldap-relay.ts'
import { startSlapd } from '../support/slapd.ts'

describe('a bound LDAP connection', { timeout: 60_000 }, () => {
  it('is never opened again by the client itself, which would make it anonymous', async (test) => {
    const slapd = await startSlapd({ anonymousRead: true })
    test.after(() => slapd.stop())
    const relay = await startLdapRelay(slapd.url, {})
    test.after(() => relay.stop())
    const { bindDn, baseDn } = slapd
    const connection = createLdapConnection(
      {
        url: relay.url,
        bindDn,
        baseDn,
        startTls: false,
        userFilter: '(uid={username})',
        phoneAttributes: ['mobile'],
      },
      slapd.bindPassword,
      { timeout: 5000 },
    )
    test.after(() => connection.close())

    const asked = connection.use(async (client) => {
      await client.unbind()
      return client.search(baseDn, { scope: 'base' })
    }, AbortSignal.timeout(5000))

    await assert.rejects(asked, { code: 'ERR_LDAP', reason: 'connection' })
    const searched = relay.connections.filter((operations) => operations.includes('search'))
    assert.deepEqual(searched, [])
  })
})
