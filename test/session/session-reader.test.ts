import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createKeptGroups } from '../../proxy/session/kept-groups.ts'
import { createSealer, type JsonObject, type Sealer } from '../../proxy/session/sealed.ts'
import type { Session } from '../../proxy/session/session.ts'
import { createSessionReader } from '../../proxy/session/session-reader.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import { HOUR, MINUTE, NOW, sampleSession } from './session-sample.ts'

const LIMITS = { idle: HOUR, lifetime: 12 * HOUR }
const SECRET = 'a secret for the tests of sessions'
const sealer = createSealer([SECRET])
const keptGroups = createKeptGroups({ store: createMemoryStore(), sealer, lifetime: 12 * HOUR })
const BASIC = (({ otpTime: _, ...rest }) => rest)(sampleSession({ acr: 'basic', amr: ['pwd'] }))

function openReader(changes: Partial<Parameters<typeof createSessionReader>[0]> = {}) {
  const revoked = new Set<string>()
  const isRevoked = ({ id, family }: Session) => revoked.has(id) || revoked.has(family)
  const parts = { sealer, limits: LIMITS, keptGroups, isRevoked, ...changes }
  return { revoked, ...createSessionReader(parts) }
}

/** A seal of the right kind and life, whatever is in it. */
const sealAny = (value: unknown) => sealer.seal('session', value as JsonObject, NOW + HOUR, NOW)

describe('reading a session', () => {
  it('gives back what another process has sealed, unknown first and from memory then', async () => {
    for (const session of [sampleSession(), BASIC]) {
      const sealed = await openReader().seal(session, NOW)
      const reader = openReader()
      assert.equal(reader.peek(sealed, NOW), 'unknown')
      assert.deepEqual(await reader.read(sealed, NOW), session)
      assert.deepEqual(reader.peek(sealed, NOW), session)
    }
  })

  it('knows what it has sealed itself, and judges it as any other', async () => {
    const reader = openReader()
    const session = sampleSession()
    const sealed = await reader.seal(session, NOW)
    assert.deepEqual(reader.peek(sealed, NOW), await openReader().read(sealed, NOW))
    assert.equal(reader.peek(sealed, NOW + 12 * HOUR), undefined)
    reader.revoked.add(session.id)
    assert.equal(reader.peek(sealed, NOW), undefined)
  })

  it('says whose a session was that has ended, and nothing of what is none', async () => {
    const reader = openReader()
    const session = sampleSession()
    const sealed = await reader.seal(session, NOW)
    reader.revoked.add(session.id)
    assert.equal(await openReader().subjectOf(sealed), session.subject)
    assert.equal(await reader.subjectOf(sealed), session.subject)
    assert.equal(await reader.subjectOf(`${sealed}x`), undefined)
    assert.equal(
      await reader.subjectOf(await sealer.seal('other', session, NOW + 1, NOW)),
      undefined,
    )
  })

  it('gives a session that nobody can change', async () => {
    const reader = openReader()
    const sealed = await reader.seal(sampleSession(), NOW)
    for (const session of [reader.peek(sealed, NOW), await reader.read(sealed, NOW)]) {
      assert.ok(session !== undefined && session !== 'unknown')
      assert.throws(() => Object.assign(session, { acr: 'basic' }), TypeError)
      assert.throws(() => (session.groups as string[]).push('root'), TypeError)
      assert.throws(() => (session.amr as string[]).push('hwk'), TypeError)
      assert.throws(() => (session.claimedPhones as string[]).push('+15550000000'), TypeError)
    }
  })

  it('needs all fields, of their types, and no others', async () => {
    const reader = openReader()
    const wrong: Record<string, unknown[]> = {
      id: [undefined, '', 7, null],
      family: [undefined, '', {}],
      subject: [undefined, '', ['a']],
      username: [undefined, '', false],
      email: [7, null],
      name: [{}, null],
      groups: [undefined, 'hr', [7], { 0: 'hr' }, null],
      claimedPhones: ['+15551234567', [15551234567], [''], null],
      locale: [['en'], null],
      acr: [undefined, 'public', 'TWILIO_SMS', '', 50],
      amr: [undefined, 'pwd', [null]],
      authTime: [undefined, '1', -1, 0.5, null],
      otpTime: [undefined, '1', -1, 0.5, null],
      createdAt: [undefined, '1', -1, 0.5, null],
      seenAt: [undefined, '1', -1, 0.5, null],
      checkedAt: ['1', -1, 0.5, null],
      groupsHash: [7, '', null],
      admin: [true],
    }
    for (const [field, values] of Object.entries(wrong)) {
      for (const value of values) {
        const sealed = await sealAny({ ...sampleSession(), [field]: value })
        assert.equal(await reader.read(sealed, NOW), undefined, `${field}: ${value}`)
        assert.equal(reader.peek(sealed, NOW), 'unknown')
      }
    }
    assert.deepEqual(Object.keys(wrong).slice(0, -2).sort(), Object.keys(sampleSession()).sort())
  })

  it('needs the time of the code with twilio_sms, and none without', async () => {
    const reader = openReader()
    assert.equal(await reader.read(await sealAny({ ...BASIC, acr: 'twilio_sms' }), NOW), undefined)
    assert.equal(await reader.read(await sealAny({ ...BASIC, otpTime: NOW }), NOW), undefined)
  })

  it('takes nothing else for a session, whatever it is', async () => {
    const reader = openReader()
    for (const value of [null, 'x', 7, [], [sampleSession()], {}]) {
      assert.equal(await reader.read(await sealAny(value), NOW), undefined)
    }
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        assert.equal(await reader.read(text, NOW), undefined)
        assert.equal(reader.peek(text, NOW), 'unknown')
      }),
    )
  })

  it('takes no seal of another purpose or another secret', async () => {
    const reader = openReader()
    const session = sampleSession()
    const foreign = await sealer.seal('sign-in', session, NOW + HOUR, NOW)
    assert.equal(await reader.read(foreign, NOW), undefined)
    const other = openReader({ sealer: createSealer(['another secret, of 32 characters!']) })
    assert.equal(await reader.read(await other.seal(session, NOW), NOW), undefined)
  })
})

describe('a session that has ended', () => {
  it('by idleness or age is dead for memory and for the cookie', async () => {
    const cases = [
      { session: sampleSession(), end: NOW + HOUR },
      { session: sampleSession({ createdAt: NOW - 11.5 * HOUR }), end: NOW + HOUR / 2 },
    ]
    for (const { session, end } of cases) {
      const reader = openReader()
      const sealed = await reader.seal(session, NOW)
      assert.deepEqual(await reader.read(sealed, NOW), session)
      assert.deepEqual(reader.peek(sealed, end - 1), session)
      assert.equal(reader.peek(sealed, end), undefined)
      assert.deepEqual(await reader.read(sealed, end - 1), session)
      assert.equal(await reader.read(sealed, end), undefined)
    }
  })

  it('by limits that are shorter now is dead, though its seal still holds', async () => {
    const sealed = await openReader().seal(sampleSession(), NOW)
    const strict = openReader({ limits: { idle: MINUTE, lifetime: 12 * HOUR } })
    assert.notEqual(await strict.read(sealed, NOW + MINUTE - 1), undefined)
    assert.equal(await strict.read(sealed, NOW + MINUTE), undefined)
  })

  it('lies more than a minute in the future, so it is refused', async () => {
    const reader = openReader()
    const sealed = await sealAny(sampleSession({ seenAt: NOW + MINUTE + 1 }))
    assert.equal(await reader.read(sealed, NOW), undefined)
    assert.notEqual(await reader.read(sealed, NOW + 1), undefined)
    assert.equal(reader.peek(sealed, NOW), undefined)
  })

  it('by revocation of its id or family is dead at once', async () => {
    for (const part of ['id', 'family'] as const) {
      const reader = openReader()
      const session = sampleSession()
      const sealed = await reader.seal(session, NOW)
      await reader.read(sealed, NOW)
      reader.revoked.add(session[part])
      assert.equal(reader.peek(sealed, NOW), undefined)
      assert.equal(await reader.read(sealed, NOW), undefined)
      assert.equal(await openReader({ isRevoked: () => true }).read(sealed, NOW), undefined)
    }
  })
})

describe('the memory of sessions', () => {
  it('unseals a cookie once', async () => {
    let unsealed = 0
    const counting: Sealer = {
      ...sealer,
      unseal: (...args) => {
        unsealed++
        return sealer.unseal(...args)
      },
    }
    const reader = openReader({ sealer: counting })
    const sealed = await reader.seal(sampleSession(), NOW)
    await reader.read(sealed, NOW)
    for (let times = 0; times < 5; times++) assert.notEqual(reader.peek(sealed, NOW), 'unknown')
    assert.equal(unsealed, 1)
  })

  it('forgets the one that was not used for longest', async () => {
    const reader = openReader({ capacity: 2 })
    const seals = await Promise.all(
      ['a', 'b', 'c'].map((id) => reader.seal(sampleSession({ id }), NOW)),
    )
    const [a = '', b = '', c = ''] = seals
    await reader.read(a, NOW)
    await reader.read(b, NOW)
    reader.peek(a, NOW)
    await reader.read(c, NOW)
    assert.notEqual(reader.peek(a, NOW), 'unknown')
    assert.equal(reader.peek(b, NOW), 'unknown')
    assert.notEqual(reader.peek(c, NOW), 'unknown')
  })

  it('is not disturbed by a flood of malformed, foreign, dead and revoked cookies', async () => {
    const reader = openReader({ capacity: 2 })
    const sealed = await reader.seal(sampleSession(), NOW)
    await reader.read(sealed, NOW)
    reader.revoked.add('bad')
    const flood = [
      'rubbish',
      `${sealed}x`,
      sealed.replace(/~2$/, '~3'),
      await sealer.seal('sign-in', sampleSession(), NOW + HOUR, NOW),
      await sealAny(sampleSession({ seenAt: NOW - HOUR })),
      await sealAny(sampleSession({ id: 'bad' })),
    ]
    for (const cookie of flood) assert.equal(await reader.read(cookie, NOW), undefined)
    assert.deepEqual(reader.peek(sealed, NOW), sampleSession())
  })
})
