import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { directoryOf, person } from '../support/ldap-directory.ts'
import { startLdapRelay } from '../support/ldap-relay.ts'
import { personLdif, type Slapd, startSlapd } from '../support/slapd.ts'

const ALICE = '+4915112345678'
const FOUND = { kind: 'found', numbers: [ALICE] }

describe('the connection to LDAP', { timeout: 60_000 }, () => {
  let slapd: Slapd

  before(async () => {
    const entries = personLdif({ uid: 'alice', attributes: { mobile: ALICE } }, { uid: 'carol' })
    // An anonymous connection would see Alice's entry without her number: just like "none".
    slapd = await startSlapd({ entries, anonymousRead: true })
  })
  after(() => slapd?.stop())

  it('comes up by itself when the server was down at first', async (test) => {
    const directory = directoryOf(test, slapd)
    await slapd.halt()
    const down = await directory.lookUp(person('alice'))
    assert.ok(down.kind === 'unavailable')
    assert.equal(down.reason, 'connection')
    assert.match((await directory.check()).detail, /ECONNREFUSED/)
    await slapd.restart()
    assert.deepEqual(await directory.lookUp(person('alice')), FOUND)
    assert.equal((await directory.check()).kind, 'ok')
  })

  it('is bound again after each restart, so that nobody seems to have no number', async (test) => {
    const directory = directoryOf(test, slapd)
    for (let i = 0; i < 5; i++) {
      const [alice, carol] = await Promise.all(
        ['alice', 'carol'].map((name) => directory.lookUp(person(name))),
      )
      assert.deepEqual(alice, FOUND)
      assert.deepEqual(carol, { kind: 'none' })
      await slapd.restart()
    }
  })

  it('gives up in time on a server that hangs, and works again when it does', async (test) => {
    const directory = directoryOf(test, slapd, { timeout: 1000 })
    assert.deepEqual(await directory.lookUp(person('alice')), FOUND)
    slapd.pause()
    try {
      const looks = Array.from({ length: 10 }, () => directory.lookUp(person('alice')))
      for (const hung of [...(await Promise.all(looks)), await directory.lookUp(person('carol'))]) {
        assert.ok(hung.kind === 'unavailable')
        assert.equal(hung.reason, 'timeout')
      }
      assert.match((await directory.check()).detail, /in time/)
      assert.deepEqual(directory.events.slice(0, 2), [
        { event: 'ldap.connected' },
        { event: 'ldap.failed', reason: 'timeout' },
      ])
    } finally {
      slapd.resume()
    }
    assert.deepEqual(await directory.lookUp(person('alice')), FOUND)
  })

  it('gives a look-up that joins a hanging attempt all of its own time', async (test) => {
    const directory = directoryOf(test, slapd, { timeout: 1000 })
    slapd.pause()
    try {
      assert.equal((await directory.lookUp(person('alice'))).kind, 'unavailable')
    } finally {
      slapd.resume()
    }
    // The attempt of the first look-up may still be about to end.
    assert.deepEqual(await directory.lookUp(person('alice')), FOUND)
  })

  it('can be closed while it opens', async (test) => {
    slapd.pause()
    try {
      const directory = directoryOf(test, slapd, { timeout: 60_000 })
      const look = directory.lookUp(person('alice'))
      await directory.close()
      assert.equal((await look).kind, 'unavailable')
    } finally {
      slapd.resume()
    }
  })

  describe('when it is cut', () => {
    async function cutting(
      test: TestContext,
      cutAt: (operation: string, connection: number) => boolean,
    ) {
      const relay = await startLdapRelay(slapd.url, { cutAt })
      test.after(() => relay.stop())
      return { relay, directory: directoryOf(test, slapd, { url: relay.url }) }
    }

    it('takes all look-ups under way over to one new connection', async (test) => {
      const { relay, directory } = await cutting(test, (op, n) => op === 'search' && n === 1)
      const looks = Array.from({ length: 20 }, () => directory.lookUp(person('alice')))
      for (const found of await Promise.all(looks)) assert.deepEqual(found, FOUND)
      assert.equal(relay.connections.length, 2)
      assert.deepEqual(
        directory.events.map(({ event }) => event),
        ['ldap.connected', 'ldap.failed', 'ldap.connected'],
      )
    })

    it('gives up after the second time', async (test) => {
      const { relay, directory } = await cutting(test, (op) => op === 'search')
      const found = await directory.lookUp(person('alice'))
      assert.ok(found.kind === 'unavailable')
      assert.equal(found.reason, 'connection')
      assert.equal(relay.connections.length, 2)
    })

    it('tells a cut during bind as a problem of the connection', async (test) => {
      const { directory } = await cutting(test, (op) => op === 'bind')
      const found = await directory.lookUp(person('carol'))
      assert.ok(found.kind === 'unavailable')
      assert.equal(found.reason, 'connection')
    })

    it('never asks anything on a connection before it is bound', async (test) => {
      let searches = 0
      const { relay, directory } = await cutting(
        test,
        (op) => op === 'search' && ++searches % 3 === 0,
      )
      for (let i = 0; i < 30; i++) {
        assert.deepEqual(await directory.lookUp(person('alice')), FOUND)
      }
      assert.ok(relay.connections.length > 5)
      for (const [first] of relay.connections) assert.equal(first, 'bind')
    })
  })
})
