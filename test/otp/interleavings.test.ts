import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readChallenge } from '../../proxy/otp/challenge-record.ts'
import { sendCode } from '../../proxy/otp/send-code.ts'
import type { Verified } from '../../proxy/otp/verify-code.ts'
import type { Session } from '../../proxy/session/session.ts'
import type { Store } from '../../proxy/store/store.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import { NOW } from '../session/session-sample.ts'
import { basicSession, codeSteps, MINUTE, NO_LIMITS, overStores, SECOND, TTL } from './otp-parts.ts'

// Two people with two session families each; numbers and codes are each their own.
const SESSIONS: readonly { subject: string; family: string; phone: string }[] = [
  { subject: 'alice', family: 'a', phone: '+4915228817386' },
  { subject: 'alice', family: 'b', phone: '+4915228817386' },
  { subject: 'bob', family: 'a', phone: '+4915228895456' },
  { subject: 'bob', family: 'b', phone: '+491713920042' },
]

type Action =
  | { readonly do: 'issue' | 'resend'; readonly who: number }
  /** `code`: the nth newest of all codes that have been sent to anybody, or a wrong one. */
  | { readonly do: 'verify'; readonly who: number; readonly code: number | 'wrong' }
  | { readonly do: 'wait'; readonly ms: number }

const who = fc.nat({ max: SESSIONS.length - 1 })
const send = fc.record({ do: fc.constantFrom('issue' as const, 'resend' as const), who })
const verify = fc.record({
  do: fc.constant('verify' as const),
  who,
  code: fc.oneof(fc.nat({ max: 3 }), fc.constant('wrong' as const)),
})
const wait = fc.record({
  do: fc.constant('wait' as const),
  ms: fc.constantFrom(SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, TTL),
})

/** What is known from outside of a code that was sent. */
type SentCode = { code: string; who: number; sentAt: number; supersededAt: number; used: boolean }

/** Plays actions and keeps an account of what may follow, from messages and results alone. */
function play(store: Store, prefix: string) {
  const steps = codeSteps(store, NO_LIMITS)
  const sessions = SESSIONS.map(({ subject, family }) =>
    basicSession({ subject: `${prefix}-${subject}`, family }),
  )
  const known: SentCode[] = []
  const compared = new Map<number, number>()
  let now = NOW
  let tick = 0

  /** Of sends at once either may be the newer: only what was sent before this one began is older. */
  function noteSent(index: number, code: string, before: readonly SentCode[]): void {
    tick += 1
    for (const sent of before) {
      const samePerson = SESSIONS[sent.who]?.subject === SESSIONS[index]?.subject
      if (samePerson && sent.supersededAt === 0) sent.supersededAt = tick
    }
    known.push({ code, who: index, sentAt: now, supersededAt: 0, used: false })
  }

  async function issue(index: number, session: Session): Promise<void> {
    const before = [...known]
    const previous = await readChallenge(steps.parts, session, now)
    const issued = await steps.issue(session, now, previous, SESSIONS[index]?.phone)
    if (issued.kind === 'sent') noteSent(index, issued.challenge.code, before)
  }

  async function resend(session: Session): Promise<void> {
    const present = await readChallenge(steps.parts, session, now)
    if (present === undefined || !present.newest || now >= present.challenge.expiresAt) return
    await sendCode(steps.parts, present, now)
  }

  async function guess(index: number, session: Session, code: string): Promise<Verified> {
    const began = ++tick
    const result = await steps.verify(session, code, now)
    if (result.kind === 'wrong' || result.kind === 'verified') {
      compared.set(index, (compared.get(index) ?? 0) + 1)
    }
    if (result.kind === 'verified') {
      const sent = known.find((one) => one.code === code)
      assert.ok(sent, 'a code that was never sent')
      assert.equal(sent.who, index, 'a code of another session')
      assert.equal(sent.used, false, 'a code that had been used')
      assert.ok(now < sent.sentAt + TTL, 'a code that had expired')
      const old = sent.supersededAt !== 0 && sent.supersededAt < began
      assert.ok(!old, 'a code older than one that had been sent before the guess began')
      sent.used = true
    }
    return result
  }

  return {
    steps,
    known,
    async run(action: Action): Promise<Verified | undefined> {
      if (action.do === 'wait') {
        now += action.ms
        return undefined
      }
      const session = sessions[action.who]
      assert.ok(session)
      if (action.do === 'issue') await issue(action.who, session)
      else if (action.do === 'resend') await resend(session)
      else if (action.do === 'verify') {
        const code = action.code === 'wrong' ? undefined : known.at(-1 - action.code)?.code
        return guess(action.who, session, code ?? '000000')
      }
      return undefined
    },
    /** What must hold in the end. */
    finish(): void {
      for (const [index, { phone }] of SESSIONS.entries()) {
        const own = known.filter((sent) => sent.who === index)
        assert.ok((compared.get(index) ?? 0) <= 5 * own.length, 'more guesses than five a code')
        for (const { code } of own) {
          const to = steps.sent.filter(({ body }) => body === code).map((message) => message.to)
          assert.deepEqual([...new Set(to)], [phone], 'a code at another phone')
        }
      }
    },
    live: (index: number) => {
      const sent = known.findLast((one) => one.who === index)
      const live = sent?.supersededAt === 0 && !sent.used && now < sent.sentAt + TTL
      return live ? sent : undefined
    },
  }
}

let run = 0

overStores('any order of sends and guesses', (open) => {
  test('verifies the session’s own newest living code and nothing else', async () => {
    const store = open()
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(send, verify, verify, wait), { maxLength: 30 }),
        async (actions) => {
          const game = play(store, `run-${++run}`)
          let failures = 0
          const tries = new Map<string, number>()
          for (const action of actions) {
            const live = action.do === 'verify' ? game.live(action.who) : undefined
            const guess =
              action.do === 'verify' && action.code !== 'wrong'
                ? game.known.at(-1 - action.code)?.code
                : undefined
            const result = await game.run(action)
            if (result === undefined) continue
            // With less than ten failures in all, nobody has to wait, and what follows is certain.
            if (live !== undefined && failures < 10) {
              const tried = tries.get(live.code) ?? 0
              const right = guess === live.code ? 'verified' : 'wrong'
              assert.equal(result.kind, tried < 5 ? right : 'used-up')
              tries.set(live.code, tried + 1)
            } else {
              assert.notEqual(result.kind, 'verified')
            }
            if (result.kind === 'wrong') failures += 1
          }
          game.finish()
        },
      ),
      { numRuns: 60 },
    )
  })
})

test('any interleaving of sends and guesses at once keeps one use, five tries and one phone', async () => {
  // Enough of what attackers would try, so that chance is needed for the order alone.
  const round = fc.array(fc.oneof(send, verify, verify), { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(round, { minLength: 1, maxLength: 4 }),
      fc.scheduler(),
      async (rounds, s) => {
        const game = play(scheduled(createMemoryStore(), s), `run-${++run}`)
        for (const actions of rounds) {
          const all = Promise.all(actions.map(game.run))
          await s.waitFor(all)
          await game.run({ do: 'wait', ms: 2 * MINUTE })
        }
        game.finish()
      },
    ),
    { numRuns: 300 },
  )
})

test('a right code, tried several times while it is replaced, is used once in any interleaving', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async (s) => {
      const game = play(scheduled(createMemoryStore(), s), `run-${++run}`)
      const issue: Action = { do: 'issue', who: 0 }
      await s.waitFor(game.run(issue))
      await game.run({ do: 'wait', ms: MINUTE })
      const right: Action = { do: 'verify', who: 0, code: 0 }
      await s.waitFor(Promise.all([right, right, issue, right].map(game.run)))
      game.finish()
    }),
    { numRuns: 300 },
  )
})

/** The store, each of whose operations takes its turn when the scheduler says so. */
function scheduled(store: Store, s: fc.Scheduler): Store {
  const turn = <Args extends unknown[], R>(operation: (...args: Args) => Promise<R>) =>
    s.scheduleFunction(operation) as (...args: Args) => Promise<R>
  return {
    ...store,
    get: turn(store.get),
    put: turn(store.put),
    swap: turn(store.swap),
    take: turn(store.take),
    remove: turn(store.remove),
    strike: turn(store.strike),
    waive: turn(store.waive),
    strikes: turn(store.strikes),
    count: turn(store.count),
    counts: turn(store.counts),
    uncount: turn(store.uncount),
  }
}
