import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { LookupProblem, PhoneDirectory } from '../../proxy/phone/phone-directory.ts'
import { directoryOf, person } from '../support/ldap-directory.ts'
import { startLdapRelay } from '../support/ldap-relay.ts'
import { personLdif, type Slapd, startSlapd } from '../support/slapd.ts'

const ALICE = '+4915112345678'
const BOB = '+491701234567'
const WEIRD = '+491709999999'

const people = personLdif(
  { uid: 'alice', mail: 'alice@example.com', attributes: { mobile: '0151 12345678' } },
  { uid: 'bob', attributes: { phoneNumberVerified: [BOB, ALICE], mobile: '+4930123456' } },
  { uid: 'carol' },
  { uid: 'dave', attributes: { mobile: 'on request', oxMobileDevices: '{"phones":[{}]}' } },
  { uid: 'erin', attributes: { oxMobileDevices: '{"phones":[{"number":"491701234567"}]}' } },
  { uid: 'twin', rdn: 'cn=Twin One', attributes: { mobile: ALICE } },
  { uid: 'twin', rdn: 'cn=Twin Two', attributes: { mobile: BOB } },
  { uid: '*)(uid=*', attributes: { mobile: WEIRD } },
  { uid: '\\2a', attributes: { mobile: WEIRD } },
  { uid: 'jörg müller', attributes: { mobile: WEIRD } },
)

describe('numbers from LDAP', { timeout: 60_000 }, () => {
  let slapd: Slapd
  let directory: PhoneDirectory
  const cleanUps: (() => Promise<void>)[] = []

  before(async () => {
    slapd = await startSlapd({ entries: people, anonymousRead: true })
    directory = directoryOf({ after: (cleanUp) => cleanUps.push(cleanUp) }, slapd)
  })
  after(async () => {
    await Promise.all(cleanUps.map((cleanUp) => cleanUp()))
    await slapd?.stop()
  })

  async function assertFound(username: string, ...numbers: string[]) {
    assert.deepEqual(await directory.lookUp(person(username)), { kind: 'found', numbers })
  }

  async function assertProblem(
    reason: LookupProblem,
    username: string,
    from: PhoneDirectory = directory,
  ) {
    const found = await from.lookUp(person(username))
    assert.ok(found.kind === 'unavailable', `${username} is ${found.kind}`)
    assert.equal(found.reason, reason, found.detail)
    assert.ok(username.length < 3 || !found.detail.includes(username), 'names the person')
  }

  it('are the numbers of the one entry that matches', async () => {
    await assertFound('alice', ALICE)
    await assertFound('bob', BOB, ALICE)
    await assertFound('erin', BOB)
  })

  it('are none only for an entry that is there and holds nothing', async () => {
    assert.deepEqual(await directory.lookUp(person('carol')), { kind: 'none' })
  })

  it('are a problem when the entry holds only what is no number', async () => {
    await assertProblem('unreadable_number', 'dave')
  })

  it('are a problem when no entry or more than one matches', async () => {
    await assertProblem('no_entry', 'nobody')
    await assertProblem('several_entries', 'twin')
  })

  it('are found under names full of filter characters, and under no other name', async () => {
    await assertFound('*)(uid=*', WEIRD)
    await assertFound('\\2a', WEIRD)
    await assertFound('jörg müller', WEIRD)
    for (const name of ['*', 'a*', 'alice)(uid=*', 'alice\0', '\0', ')', '\\', '&', 'alice*']) {
      await assertProblem('no_entry', name)
    }
    await assertProblem('no_entry', '')
  })

  it("are not somebody's whose name only looks the same to the directory", async () => {
    for (const name of ['ａｌｉｃｅ', 'ali\u00adce', 'alice ']) {
      await assertProblem('no_entry', name)
    }
    await assertFound('ALICE', ALICE)
  })

  it('can be found by e-mail, but not for a person without one', async (test) => {
    const byMail = directoryOf(test, slapd, { userFilter: '(&(objectClass=person)(mail={email}))' })
    const found = await byMail.lookUp(person('x', 'alice@example.com'))
    assert.deepEqual(found, { kind: 'found', numbers: [ALICE] })
    await assertProblem('no_entry', 'carol', byMail)
  })

  it('change with the directory, at once', async () => {
    const dn = `uid=alice,ou=people,${slapd.baseDn}`
    const change = (number: string) =>
      slapd.modify(`dn: ${dn}\nchangetype: modify\nreplace: mobile\nmobile: ${number}\n`)
    await change(BOB)
    await assertFound('alice', BOB)
    await change(ALICE)
    await assertFound('alice', ALICE)
  })

  it('come for fifty people at once on a client that was never used', async (test) => {
    const cold = directoryOf(test, slapd)
    const looks = Array.from({ length: 50 }, (_, i) =>
      cold.lookUp(person(i % 2 ? 'alice' : 'erin')),
    )
    for (const [i, found] of (await Promise.all(looks)).entries()) {
      assert.deepEqual(found, { kind: 'found', numbers: [i % 2 ? ALICE : BOB] })
    }
    assert.deepEqual(cold.events, [{ event: 'ldap.connected' }])
  })

  it('are a problem of credentials, not none, for a wrong password or account', async (test) => {
    const wrong = directoryOf(test, slapd, { password: 'wrong' })
    await assertProblem('credentials', 'alice', wrong)
    await assertProblem('credentials', 'carol', wrong)
    assert.match((await wrong.check()).detail, /STEPGATE_LDAP_BIND_PASSWORD/)
    assert.deepEqual(wrong.events[0], { event: 'ldap.failed', reason: 'credentials', code: '49' })
    await assertProblem(
      'credentials',
      'alice',
      directoryOf(test, slapd, { bindDn: `cn=x,${slapd.baseDn}` }),
    )
  })

  it('can not be asked for without credentials, since that would be anonymous', (test) => {
    const empty = { name: 'LdapProblemError', reason: 'credentials' }
    assert.throws(() => directoryOf(test, slapd, { password: '' }), empty)
    assert.throws(() => directoryOf(test, slapd, { bindDn: ' ' }), empty)
  })

  it('are a problem when the search base is not there', async (test) => {
    const lost = directoryOf(test, slapd, { baseDn: `ou=lost,${slapd.baseDn}` })
    await assertProblem('refused', 'alice', lost)
    const check = await lost.check()
    assert.equal(check.kind, 'problem')
    assert.match(check.detail, /STEPGATE_LDAP_BASE_DN/)
  })

  it('are a problem when the directory refers to another server', async (test) => {
    const other = await startSlapd({ referral: 'ldap://127.0.0.1:1', entries: people })
    test.after(() => other.stop())
    const outside = directoryOf(test, other, { baseDn: 'dc=elsewhere,dc=org' })
    const inside = directoryOf(test, other)
    await assertProblem('referral', 'alice', outside)
    assert.match((await outside.check()).detail, /another server/)
    assert.equal((await inside.lookUp(person('alice'))).kind, 'found')
    await other.modify(
      `dn: ou=abroad,${other.baseDn}\nchangetype: add\nobjectClass: referral\nobjectClass: extensibleObject\nou: abroad\nref: ldap://127.0.0.1:1/ou=abroad,${other.baseDn}\n`,
    )
    await assertProblem('referral', 'alice', inside)
    await assertProblem('referral', 'nobody', inside)
    assert.match((await inside.check()).detail, /another server/)
  })

  it('are a problem when the directory is too busy, or forgot who is bound', async (test) => {
    for (const result of [1, 51]) {
      const relay = await startLdapRelay(slapd.url, {
        answer: (request, operation) =>
          operation === 'search' ? searchDone(request, result) : undefined,
      })
      test.after(() => relay.stop())
      const busy = directoryOf(test, slapd, { url: relay.url })
      await assertProblem('refused', 'carol', busy)
      const binds = relay.connections.map(([first]) => first)
      assert.deepEqual(binds, ['bind', 'bind'], 'tried once more on a new connection')
    }
  })

  it('are checked without looking anybody up', async () => {
    const check = await directory.check()
    assert.deepEqual(check, {
      kind: 'ok',
      detail: 'Bound as the service account; the search base is there.',
    })
  })

  it('refuse a filter that would match whoever asks', (test) => {
    const config = { userFilter: '(objectClass=person)' }
    assert.throws(() => directoryOf(test, slapd, config), { code: 'ERR_USER_FILTER' })
  })

  it('can not be asked for after close', async (test) => {
    const closed = directoryOf(test, slapd)
    assert.equal((await closed.lookUp(person('alice'))).kind, 'found')
    await closed.close()
    await assertProblem('connection', 'alice', closed)
  })
})

/** SearchResultDone (RFC 4511 §4.5.2) with this result code, for the request's message id. */
function searchDone(request: Buffer, result: number): Buffer {
  const long = request[1] ?? 0
  const idAt = long < 0x80 ? 2 : 2 + (long & 0x7f)
  const id = request.subarray(idAt, idAt + 2 + (request[idAt + 1] ?? 0))
  const done = Buffer.from([0x65, 7, 0x0a, 1, result, 4, 0, 4, 0])
  return Buffer.concat([Buffer.from([0x30, id.length + done.length]), id, done])
}
