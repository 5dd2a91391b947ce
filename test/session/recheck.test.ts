import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, test } from 'node:test'
import { dropTokens, keepTokens } from '../../proxy/session/provider-tokens.ts'
import { type Store, StoreUnavailableError } from '../../proxy/store/store.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import { openAddress } from '../store/open-address.ts'
import { type Redis, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import {
  checkedSession,
  createProcess,
  GRACE,
  INTERVAL,
  LATE,
  rotatingProvider,
} from './recheck-parts.ts'
import { HOUR, MINUTE, NOW } from './session-sample.ts'

const LOST = { kind: 'unknown', code: 'OAUTH_TIMEOUT', unsure: true } as const
const CLAIMS = { sub: 'subject-1', preferred_username: 'alice' }
const DOWN = { kind: 'unknown', code: 'TypeError', unsure: false } as const

/** A session in a store of its own, one process, and a provider. */
async function one(
  changes: Parameters<typeof checkedSession>[0] = {},
  options: Parameters<typeof createProcess>[3] = {},
) {
  const clock = { now: NOW }
  const store = createMemoryStore()
  const provider = rotatingProvider()
  const process = createProcess(store, provider, clock, options)
  const session = checkedSession(changes)
  await process.begin(session)
  return { ...process, session, store, provider: provider.state, clock, refresh: provider.refresh }
}

describe('a session that is not due', () => {
  it('is in force at once, and the provider hears nothing', async () => {
    const { request, session, provider, clock } = await one()
    for (const now of [NOW, NOW + INTERVAL - 1]) {
      clock.now = now
      assert.equal(request(session), session)
    }
    assert.equal(provider.asked, 0)
  })

  it('is none that was checked in the future, by a clock gone wrong', async () => {
    const { request, begin, session, provider, clock } = await one()
    const checkedAt = NOW + 2 * MINUTE
    const ahead = { ...session, checkedAt }
    await begin(ahead)
    const { groups, checkedAt: now } = (await request(ahead)) ?? {}
    assert.deepEqual([groups, now], [['new'], clock.now])
    assert.equal(provider.asked, 1)
    const within = { ...session, checkedAt: NOW + MINUTE }
    assert.equal(request(within, 'of a clock that is a minute ahead'), within)
  })

  it('is one that came without a refresh token, always', async () => {
    const { request, provider, clock } = await one()
    const { checkedAt: _, ...session } = checkedSession()
    clock.now = NOW + 11 * HOUR
    assert.equal(request(session), session)
    assert.equal(provider.asked, 0)
  })
})

describe('a session that is due', () => {
  it('goes on for a tenth of the interval while it is rechecked, then has its new claims', async () => {
    const { request, session, provider, clock } = await one({ name: 'Alice of before' })
    const answered = Promise.withResolvers<void>()
    provider.answer = (refreshed) => answered.promise.then(() => refreshed)
    clock.now = NOW + LATE - 1
    for (let times = 0; times < 3; times++) assert.equal(request(session), session)
    answered.resolve()
    await until(async () => request(session) !== session)
    const renewed = await request(session)
    const { name: _, claimedPhones: __, ...kept } = session
    assert.deepEqual(renewed, { ...kept, groups: ['new'], checkedAt: clock.now })
    assert.equal(request(session, 'another cookie of before') instanceof Promise, false)
    assert.deepEqual(request(session, 'another cookie of before'), renewed)
    assert.equal(provider.asked, 1)
  })

  it('after that waits for the provider, and all its requests for the same answer', async () => {
    const { request, session, provider, clock } = await one()
    clock.now = NOW + LATE
    const waiting = Array.from({ length: 50 }, (_, n) => request(session, `cookie ${n % 3}`))
    assert.ok(waiting.every((each) => each instanceof Promise))
    for (const each of await Promise.all(waiting)) assert.deepEqual(each?.groups, ['new'])
    assert.equal(provider.asked, 1)
  })

  it('ends when the provider refuses, for its whole family, with its tokens', async () => {
    const { request, session, provider, clock, ended, revoked, stored, lines } = await one()
    provider.ended = true
    clock.now = NOW + 11 * HOUR
    assert.equal(await request(session), undefined)
    assert.deepEqual([...revoked], [session.family])
    const fields = { subject: session.subject, reason: 'refused', detail: 'invalid_grant' }
    assert.deepEqual(ended(), [{ message: 'session.ended', fields }])
    assert.equal(await stored(session), undefined)
    assert.doesNotMatch(JSON.stringify(lines), /token-/)
  })

  it('ends when the answer is about somebody else, or lacks the username', async () => {
    for (const [answer, reason] of [
      [{ kind: 'other-subject' }, 'other_subject'],
      [{ kind: 'refreshed', claims: { sub: 'subject-1' } }, 'missing_claim'],
    ] as const) {
      const { request, session, provider, clock, ended } = await one()
      provider.answer = () => answer
      clock.now = NOW + LATE
      assert.equal(await request(session), undefined)
      assert.deepEqual(
        ended().map(({ fields }) => (fields as { reason?: string }).reason),
        [reason],
      )
    }
  })

  it('ends when it lacks what was asked for as essential, but for how the person signed in', async () => {
    const essential = { essential: true }
    const claims = {
      id_token: { acr: essential, auth_time: essential, sid: essential },
      userinfo: { department: { ...essential, value: 'hr' }, team: null },
    }
    for (const [said, left] of [
      [{ department: 'hr' }, 0],
      [{ department: 'sales' }, 1],
      [{}, 1],
    ] as const) {
      const { request, session, provider, clock, ended } = await one({}, { claims })
      provider.claims = said
      clock.now = NOW + LATE
      await request(session)
      const fields = { subject: session.subject, reason: 'missing_claim', detail: 'department' }
      assert.deepEqual(ended(), Array(left).fill({ message: 'session.ended', fields }))
    }
  })

  it('keeps what an answer that does not say all leaves out', async () => {
    const essential = { essential: true, value: 'hr' }
    const { phone, ...rest } = {
      phone: { claimedPhones: ['+15551234567'] },
      email: 'alice@example.com',
    }
    const before = { ...rest, name: 'Alice Ünal', username: 'alice', groups: ['old'] }
    for (const [said, expected] of [
      [{}, { ...before, ...phone }],
      [
        { groups: ['less'], name: 'A' },
        { ...before, ...phone, groups: ['less'], name: 'A' },
      ],
      [{ phone_number: '+15557654321' }, before],
      [{ department: 'sales' }, undefined],
    ] as const) {
      const claims = { userinfo: { department: essential } }
      const { request, session, provider, clock } = await one({}, { claims })
      const all = { sub: session.subject, ...said }
      provider.answer = () => ({ kind: 'refreshed', claims: all, partial: true })
      clock.now = NOW + LATE
      const { username, email, name, groups, claimedPhones } = (await request(session)) ?? {}
      const now = { email, name, username, groups, ...(claimedPhones && { claimedPhones }) }
      assert.deepEqual(username === undefined ? undefined : now, expected)
    }
  })

  it('never becomes that of somebody else, whatever is learned of its family', async () => {
    const { request, begin, session, provider, clock, recheck } = await one()
    // Two people signed in at once, in tabs that had one cookie: the last one's tokens are kept.
    const bob = { ...session, id: 'id-of-bob', subject: 'subject-2', username: 'bob' }
    await begin(bob)
    provider.claims = { sub: 'subject-2', preferred_username: 'bob' }
    clock.now = NOW + LATE
    assert.deepEqual((await request(bob, 'cookie of bob'))?.groups, ['new'])
    assert.equal(provider.asked, 1)
    assert.equal(await request(session), session)
    assert.equal(recheck.attend(session, clock.now), session)
  })

  it('keeps its claims when the provider says no more than that all is well', async () => {
    const { request, session, provider, clock } = await one()
    provider.claims = undefined
    clock.now = NOW + LATE
    assert.deepEqual(await request(session), { ...session, checkedAt: clock.now })
    clock.now += LATE
    assert.deepEqual(await request(session), { ...session, checkedAt: clock.now })
  })

  it('gains and loses groups by the hundred', async () => {
    const { request, session, provider, clock } = await one()
    for (const count of [300, 2_000, 0, 1]) {
      provider.groups = Array.from({ length: count }, (_, n) => `cn=group-${n},dc=example,dc=com`)
      clock.now += LATE
      assert.deepEqual((await request(session))?.groups, provider.groups)
    }
  })
})

describe('while nothing can be learned', () => {
  it('a session goes on for its grace without waiting again, then its person signs in', async () => {
    const { request, session, provider, clock, ended, lines } = await one()
    provider.answer = () => DOWN
    clock.now = NOW + LATE
    assert.equal(await request(session), session)
    for (const now of [NOW + LATE, NOW + HOUR, NOW + INTERVAL + GRACE - 1]) {
      clock.now = now
      assert.equal(request(session), session)
      await until(async () => !(request(session) instanceof Promise))
    }
    clock.now = NOW + INTERVAL + GRACE
    assert.equal(await request(session), undefined)
    assert.equal(request(session), undefined)
    assert.deepEqual(ended(), [])
    assert.equal(lines.filter(({ message }) => /can not be rechecked/.test(message)).length, 1)
  })

  it('the provider is asked twice a minute at most, and once it answers all is as before', async () => {
    const { request, session, provider, clock, lines } = await one()
    const { answer } = provider
    provider.answer = () => DOWN
    provider.token = 'token-0'
    clock.now = NOW + LATE
    await request(session)
    for (let times = 0; times < 20; times++) request(session)
    assert.equal(provider.asked, 1)
    provider.answer = answer
    provider.token = 'token-0'
    clock.now += 30_000
    assert.equal(request(session), session)
    await until(async () => (await request(session))?.groups[0] === 'new')
    assert.equal(provider.asked, 2)
    assert.ok(lines.some(({ message }) => message === 'Sessions are rechecked again'))
  })

  it('a request does not wait for a provider that is silent', async () => {
    const { request, session, provider, clock } = await one({}, { patience: 20 })
    provider.answer = () => new Promise(() => {})
    clock.now = NOW + LATE
    assert.equal(await request(session), session)
    assert.equal(request(session), session)
  })

  it('nobody else waits: one at a time tries whether the provider is still away', async () => {
    const { request, begin, session, provider, clock, ended } = await one()
    const others = Array.from({ length: 20 }, (_, n) => ({
      ...session,
      id: `id-${n}`,
      family: `${n}`,
    }))
    for (const each of others) await begin(each)
    provider.answer = () => DOWN
    clock.now = NOW + LATE
    assert.equal(await request(session), session)
    const askAll = () => others.map((each) => request(each, each.id))
    assert.deepEqual(askAll(), others)
    assert.equal(provider.asked, 1)

    clock.now += 15_000
    await Promise.all(askAll())
    await until(async () => provider.asked === 2)
    askAll()
    assert.equal(provider.asked, 2)

    // Whose grace is over has nothing to lose.
    clock.now = NOW + INTERVAL + GRACE
    provider.answer = (refreshed) => ({ ...refreshed, kind: 'refreshed', claims: CLAIMS })
    const renewed = await Promise.all(askAll())
    assert.ok(renewed.every((each) => each?.checkedAt === clock.now))
    assert.deepEqual(ended(), [])
  })

  it('a session of which the answer is lost keeps no others from being rechecked', async () => {
    const { request, begin, session, provider, clock } = await one()
    const other = { ...session, id: 'other', family: 'other' }
    await begin(other)
    const { answer } = provider
    provider.answer = () => ({ ...LOST, unsure: false, refreshToken: 'token-0' })
    clock.now = NOW + LATE
    await request(session)
    provider.answer = answer
    provider.token = 'token-0'
    assert.deepEqual((await request(other, 'other'))?.groups, ['new'])
  })

  it('a session without a grace goes on for the tenth of the interval, and no longer', async () => {
    const { request, session, provider, clock } = await one({}, { grace: 0 })
    provider.answer = () => DOWN
    clock.now = NOW + LATE - 1
    assert.equal(request(session), session)
    await until(async () => provider.asked === 1)
    assert.equal(await request(session), session)
    clock.now = NOW + LATE
    assert.equal(await request(session), undefined)
  })

  it('does not begin where the last of two sign-ins kept the tokens of the first', async () => {
    const { request, session, provider, clock, ended } = await one()
    provider.ended = true
    clock.now = NOW + LATE + MINUTE
    const second = { ...session, id: 'of another tab', checkedAt: NOW + MINUTE }
    assert.equal(await request(second), undefined)
    assert.equal(ended().length, 1)
  })

  it('who comes when the grace is over still gets in if the provider answers', async () => {
    const { request, session, clock } = await one()
    clock.now = NOW + 11 * HOUR
    assert.deepEqual((await request(session))?.groups, ['new'])
    const down = await one()
    down.provider.answer = () => DOWN
    down.clock.now = NOW + 11 * HOUR
    assert.equal(await down.request(down.session), undefined)
  })
})

describe('a refresh token that works once', () => {
  it('is not the end of a session when the answer to it is lost', async () => {
    const { request, session, provider, clock, ended } = await one()
    const { answer } = provider
    provider.answer = () => LOST
    clock.now = NOW + LATE
    assert.equal(await request(session), session)
    provider.answer = answer
    clock.now += 30_000
    request(session)
    await until(async () => provider.ended)
    await until(async () => !(request(session) instanceof Promise))
    assert.deepEqual(await request(session), session)
    assert.deepEqual(ended(), [])
    clock.now = NOW + INTERVAL + GRACE
    assert.equal(await request(session), undefined)
    assert.equal(provider.asked, 2)
  })

  it('of a provider that was never reached is the end when it is refused afterwards', async () => {
    const { request, session, provider, clock, ended, revoked } = await one()
    const { answer } = provider
    provider.answer = () => DOWN
    clock.now = NOW + LATE
    await request(session)
    provider.answer = answer
    provider.ended = true
    clock.now += 30_000
    request(session)
    await until(async () => ended().length === 1)
    assert.ok(revoked.has(session.family))
  })

  it('is replaced by the next one though the rest of the answer was not taken', async () => {
    const { request, session, provider, clock, stored } = await one()
    const { answer } = provider
    provider.answer = () => ({ ...LOST, unsure: false, refreshToken: provider.token })
    clock.now = NOW + LATE
    assert.equal(await request(session), session)
    assert.equal((await stored(session))?.refreshToken, 'token-1')
    provider.answer = answer
    clock.now += 30_000
    request(session)
    await until(async () => (await request(session))?.groups[0] === 'new')
  })

  it('is not lost when the store does not take the next one at once', async () => {
    const { recheck, request, session, store, provider, clock, stored } = await one()
    const { swap } = store
    let taken = 0
    store.swap = async (...asked) => {
      if (++taken > 1) throw new StoreUnavailableError('down')
      return swap(...asked)
    }
    clock.now = NOW + LATE
    assert.deepEqual((await request(session))?.groups, ['new'])
    assert.equal((await stored(session))?.refreshToken, 'token-0')
    store.swap = swap
    await until(async () => (await stored(session))?.refreshToken === 'token-1')
    clock.now += LATE
    assert.deepEqual((await request(session))?.groups, ['new'])
    assert.equal(provider.asked, 2)
    store.swap = async () => {
      throw new StoreUnavailableError('down')
    }
    await recheck.close()
  })

  it('is not the end of a session when the store has gone back to an older one', async () => {
    const { request, session, store, tokens, provider, clock, stored, ended } = await one()
    clock.now = NOW + LATE
    await request(session)
    const older = { ...(await stored(session)), refreshToken: 'token-0', checkedAt: NOW }
    await keepTokens({ ...tokens, store }, session.family, older, NOW + 12 * HOUR, NOW)
    clock.now += LATE
    assert.deepEqual((await request(session))?.groups, ['new'])
    assert.equal(provider.ended, true)
    assert.deepEqual(ended(), [])
  })

  it('does not come back when somebody signs out in the middle', async () => {
    const { request, session, provider, clock, tokens, stored, revoked } = await one()
    const { answer } = provider
    provider.answer = async (refreshed) => {
      await dropTokens(tokens, session.family, clock.now)
      revoked.add(session.family)
      return answer(refreshed)
    }
    clock.now = NOW + LATE
    assert.equal(await request(session), undefined)
    assert.equal(await stored(session), undefined)
  })
})

describe('a family that signs in again while it is being rechecked', () => {
  for (const [answer, name] of [
    [{ kind: 'refused', error: 'invalid_grant' }, 'goes on, whatever is said of its old token'],
    [undefined, 'keeps the new refresh token, also where the sign-in began before the recheck'],
  ] as const) {
    it(name, async () => {
      const { request, session, provider, clock, tokens, stored, ended, revoked } = await one()
      provider.answer = async (refreshed) => {
        const { checkedAt = 0, identity } = (await stored(session)) ?? {}
        const again = {
          refreshToken: 'of-the-new-sign-in',
          checkedAt,
          ...(identity && { identity }),
        }
        await keepTokens(tokens, session.family, again, NOW + 12 * HOUR, NOW)
        return answer ?? refreshed
      }
      clock.now = NOW + LATE
      assert.notEqual(await request(session), undefined)
      assert.equal((await stored(session))?.refreshToken, 'of-the-new-sign-in')
      assert.deepEqual(ended(), [])
      assert.equal(revoked.size, 0)
    })
  }

  it('ends all the same, and then has no tokens, when the store is away at the refusal', async () => {
    const { request, session, provider, clock, store, revoked } = await one()
    provider.answer = async () => {
      store.swap = async () => {
        throw new StoreUnavailableError('down')
      }
      return { kind: 'refused', error: 'invalid_grant' }
    }
    clock.now = NOW + LATE
    assert.equal(await request(session), undefined)
    assert.ok(revoked.has(session.family))
  })
})

it('a family is revoked before its tokens are dropped', async () => {
  const { request, session, provider, clock, store, revoked } = await one()
  const { take } = store
  let isRevoked = false
  store.take = async (...asked) => {
    isRevoked = revoked.has(session.family)
    return take(...asked)
  }
  provider.ended = true
  clock.now = NOW + LATE
  assert.equal(await request(session), undefined)
  assert.ok(isRevoked)
})

describe('what stays open', () => {
  it('is rechecked without requests, and its session ends when the provider refuses', async () => {
    const { recheck, session, provider, clock, ended, revoked } = await one()
    assert.equal(recheck.attend(session, NOW + INTERVAL - 1), session)
    clock.now = NOW + INTERVAL
    assert.equal(recheck.attend(session, clock.now), session)
    await until(async () => recheck.attend(session, clock.now).groups[0] === 'new')
    assert.equal(provider.asked, 1)
    provider.ended = true
    clock.now += INTERVAL
    recheck.attend(session, clock.now)
    await until(async () => revoked.has(session.family))
    for (let times = 0; times < 3; times++) recheck.attend(session, clock.now)
    assert.equal(ended().length, 1)
  })

  it('is rechecked also when its session has a new id, as after a code', async () => {
    const { recheck, session, clock, provider, revoked } = await one()
    revoked.add(session.id)
    clock.now = NOW + INTERVAL
    recheck.attend(session, clock.now)
    await until(async () => recheck.attend(session, clock.now).groups[0] === 'new')
    assert.equal(provider.asked, 1)
  })

  it('goes on past its grace when another process has asked, or is asking', async () => {
    const { recheck, session, provider, clock, store, ended, stored, tokens } = await one()
    const answer = Promise.withResolvers<void>()
    const able = rotatingProvider()
    const other = createProcess(
      store,
      { refresh: (token) => answer.promise.then(() => able.refresh(token)) },
      clock,
    )
    provider.answer = () => DOWN
    clock.now = NOW + INTERVAL + GRACE - 1
    recheck.attend(session, clock.now)
    await until(async () => {
      const { heldUntil } = (await stored(session)) ?? {}
      return provider.asked === 1 && heldUntil === undefined
    })
    const asking = other.request(session)
    await until(async () => (await stored(session))?.heldUntil !== undefined)
    clock.now += 1
    recheck.attend(session, clock.now)
    answer.resolve()
    await asking
    await until(async () => recheck.attend(session, clock.now).groups[0] === 'new')
    assert.deepEqual(ended(), [])
    assert.equal(provider.asked, 1)

    // The same where the other one takes longer than anybody waits.
    const patient = createProcess(store, able, clock, { patience: 1 })
    clock.now += INTERVAL + GRACE
    const held = { ...(await stored(session)), checkedAt: NOW, heldUntil: clock.now + MINUTE }
    await keepTokens(tokens, session.family, held, NOW + 12 * HOUR, NOW)
    patient.recheck.attend(session, clock.now)
    await patient.request(session)
    assert.deepEqual(patient.ended(), [])
  })

  it('ends with the grace when nothing can be learned, and not before it was tried', async () => {
    const { recheck, session, provider, clock, ended, stored } = await one()
    provider.answer = () => DOWN
    clock.now = NOW + INTERVAL + GRACE
    recheck.attend(session, clock.now)
    assert.deepEqual(ended(), [])
    await until(async () => {
      recheck.attend(session, clock.now)
      return ended().length > 0
    })
    const fields = { subject: session.subject, reason: 'recheck', detail: undefined }
    assert.deepEqual(ended(), [{ message: 'session.ended', fields }])
    await until(async () => (await stored(session)) === undefined)
  })
})

test('that there is no refresh token is said once', async () => {
  const { recheck, session, lines } = await one()
  recheck.began(session)
  assert.equal(lines.length, 0)
  const { checkedAt: _, ...without } = session
  recheck.began(without)
  recheck.began(without)
  assert.equal(lines.length, 1)
  assert.match(lines[0]?.message ?? '', /STEPGATE_SESSION_RECHECK/)
})

describe('several processes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'stepgate-recheck-'))
  let redis: Redis
  before(async () => {
    redis = await startRedis()
  })
  after(async () => {
    await redis.stop()
    rmSync(folder, { recursive: true })
  })
  const shared = createMemoryStore()
  let files = 0
  const kinds: Record<string, () => (n: number) => Store | Promise<Store>> = {
    'the memory': () => () => shared,
    'one file': () => {
      const path = join(folder, `${++files}.db`)
      return () => openAddress(`sqlite:${path}`)
    },
    'one Redis': () => {
      const url = `${redis.url}?prefix=recheck-${++files}`
      return () => openAddress(url)
    },
  }

  for (const [kind, newStore] of Object.entries(kinds)) {
    it(`over ${kind} use a refresh token once, and all of them know`, async () => {
      const clock = { now: NOW }
      const provider = rotatingProvider()
      const open = newStore()
      const stores = [await open(0), await open(1), await open(2)]
      const processes = stores.map((store) => createProcess(store, provider, clock))
      const [first] = processes
      const session = checkedSession({ family: `family over ${kind}` })
      await first?.begin(session)
      for (let round = 1; round <= 3; round++) {
        clock.now += LATE
        provider.state.groups = Array.from(
          { length: round * 100 },
          (_, n) => `${kind} ${round} ${n}`,
        )
        const answers = await Promise.all(
          Array.from({ length: 60 }, (_, n) => processes[n % 3]?.request(session, `${n}`)),
        )
        for (const answer of answers) assert.deepEqual(answer?.groups, provider.state.groups)
        assert.equal(provider.state.asked, round)
      }
      for (const { ended } of processes) assert.deepEqual(ended(), [])
      for (const store of new Set(stores)) await store.close()
    })
  }

  it('go on when one dies with the refresh token in its hand, and take it over in time', async () => {
    for (const reached of [true, false]) {
      const clock = { now: NOW }
      const store = createMemoryStore()
      const provider = rotatingProvider()
      const silent = () => new Promise<never>(() => {})
      const dying = createProcess(
        store,
        { refresh: reached ? (token) => provider.refresh(token).then(silent) : silent },
        clock,
      )
      const session = checkedSession()
      await dying.begin(session)
      clock.now = NOW + LATE
      void dying.request(session)
      await until(async () => (await dying.stored(session))?.heldUntil !== undefined)

      const other = createProcess(store, provider, clock, { patience: 20 })
      assert.equal(await other.request(session), session)
      clock.now += 2 * MINUTE
      await until(async () => {
        clock.now += 1000
        await other.request(session)
        return (await other.stored(session))?.heldUntil === undefined
      })
      const { groups } = (await other.request(session)) ?? {}
      assert.deepEqual(groups, reached ? ['old'] : ['new'])
      assert.deepEqual(other.ended(), [])
    }
  })

  it('read what was kept before the secret was rotated', async () => {
    const clock = { now: NOW }
    const store = createMemoryStore()
    const provider = rotatingProvider()
    const [OLD, NEW] = ['an older secret for the tests', 'a newer secret for the tests.']
    const before = createProcess(store, provider, clock, { secrets: [OLD] })
    const after = createProcess(store, provider, clock, { secrets: [NEW, OLD] })
    const groups = Array.from({ length: 300 }, (_, n) => `cn=group-${n},dc=example,dc=com`)
    const session = checkedSession({ groups })
    await before.begin(session)
    provider.state.claims = undefined
    clock.now = NOW + LATE
    assert.deepEqual((await after.request(session))?.groups, groups)
    assert.equal((await after.stored(session))?.refreshToken, 'token-1')
  })
})
