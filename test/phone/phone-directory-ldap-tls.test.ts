import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { directoryOf, person, type TestDirectoryOptions } from '../support/ldap-directory.ts'
import { personLdif, type Slapd, startSlapd } from '../support/slapd.ts'

const ALICE = '+4915112345678'
const people = personLdif({ uid: 'alice', attributes: { mobile: ALICE } })

describe('numbers from LDAP over TLS', { timeout: 60_000 }, () => {
  let slapd: Slapd
  let stranger: Slapd
  let misnamed: Slapd

  before(async () => {
    slapd = await startSlapd({ entries: people, tls: true, anonymousRead: true })
    stranger = await startSlapd({ entries: people, tls: true })
    misnamed = await startSlapd({ entries: people, tls: { names: 'DNS:ldap.example.com' } })
  })
  after(async () => {
    await Promise.all([slapd, stranger, misnamed].map((server) => server?.stop()))
  })

  async function lookUp(test: TestContext, server: Slapd, options: TestDirectoryOptions) {
    const directory = directoryOf(test, server, options)
    return { found: await directory.lookUp(person('alice')), events: directory.events }
  }

  for (const mode of ['ldaps', 'starttls'] as const) {
    const overTls = (server: Slapd, host = '127.0.0.1'): TestDirectoryOptions => {
      const url = new URL((mode === 'ldaps' ? server.ldapsUrl : server.url)?.href ?? '')
      url.hostname = host
      return { url, startTls: mode === 'starttls' }
    }
    const ca = (server: Slapd) => ({ caFile: server.caFile ?? '' })

    it(`come with ${mode} from a server that the CA vouches for, by address or name`, async (test) => {
      for (const host of ['127.0.0.1', 'localhost']) {
        const { found } = await lookUp(test, slapd, { ...overTls(slapd, host), ...ca(slapd) })
        assert.deepEqual(found, { kind: 'found', numbers: [ALICE] }, host)
      }
    })

    it(`do not come with ${mode} from a server of another CA, or without a CA file`, async (test) => {
      for (const trust of [ca(stranger), {}]) {
        const { found, events } = await lookUp(test, slapd, { ...overTls(slapd), ...trust })
        assert.ok(found.kind === 'unavailable')
        assert.equal(found.reason, 'connection')
        assert.match(found.detail, /STEPGATE_LDAP_CA_FILE/)
        assert.equal(events[0]?.event, 'ldap.failed')
      }
    })

    it(`do not come with ${mode} when NODE_TLS_REJECT_UNAUTHORIZED is off`, async (test) => {
      const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED
      test.after(() => {
        if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
        else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before
      })
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
      const { found } = await lookUp(test, slapd, overTls(slapd))
      assert.equal(found.kind, 'unavailable')
    })

    it(`do not come with ${mode} from a server whose certificate names another host`, async (test) => {
      const { found } = await lookUp(test, misnamed, { ...overTls(misnamed), ...ca(misnamed) })
      assert.ok(found.kind === 'unavailable')
      assert.match(found.detail, /another host/)
    })

    it(`come with ${mode} again after the server was restarted`, async (test) => {
      const directory = directoryOf(test, slapd, { ...overTls(slapd), ...ca(slapd) })
      for (let i = 0; i < 3; i++) {
        const found = await directory.lookUp(person('alice'))
        assert.deepEqual(found, { kind: 'found', numbers: [ALICE] })
        await slapd.restart()
      }
    })

    it(`wait no longer than the deadline with ${mode} for a server that hangs`, async (test) => {
      const options = { ...overTls(slapd), ...ca(slapd), timeout: 2000 }
      const cold = directoryOf(test, slapd, options)
      const warm = directoryOf(test, slapd, options)
      assert.equal((await warm.lookUp(person('alice'))).kind, 'found')
      slapd.pause()
      try {
        const looks = [cold, warm].map((directory) => directory.lookUp(person('alice')))
        for (const found of await Promise.all(looks)) {
          assert.ok(found.kind === 'unavailable')
          assert.equal(found.reason, 'timeout')
        }
      } finally {
        slapd.resume()
      }
      for (const directory of [cold, warm]) {
        const found = await directory.lookUp(person('alice'))
        assert.deepEqual(found, { kind: 'found', numbers: [ALICE] })
      }
    })
  }

  it('never come in the clear when StartTLS is refused', async (test) => {
    const plain = await startSlapd({ entries: people })
    test.after(() => plain.stop())
    const { found } = await lookUp(test, plain, { startTls: true })
    assert.ok(found.kind === 'unavailable')
    assert.match(found.detail, /StartTLS/)
  })

  it('say so when a TLS port is spoken to without TLS, or the other way round', async (test) => {
    const wrongWays = [
      { url: new URL(`ldap://127.0.0.1:${slapd.ldapsUrl?.port}`) },
      { url: new URL(`ldaps://127.0.0.1:${slapd.url.port}`) },
    ]
    for (const url of wrongWays) {
      const { found } = await lookUp(test, slapd, url)
      assert.ok(found.kind === 'unavailable')
      assert.equal(found.reason, 'connection')
    }
  })

  it('say so when the CA file can not be read', async (test) => {
    const { found } = await lookUp(test, slapd, { startTls: true, caFile: '/does/not/exist.pem' })
    assert.ok(found.kind === 'unavailable')
    assert.match(found.detail, /STEPGATE_LDAP_CA_FILE can not be read/)
  })
})
