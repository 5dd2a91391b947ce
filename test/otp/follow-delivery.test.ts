import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Context } from '../../proxy/context.ts'
import { readChallenge } from '../../proxy/otp/challenge-record.ts'
import { addReport } from '../../proxy/otp/delivery-record.ts'
import { deliveryEvents, lookAtDelivery } from '../../proxy/otp/follow-delivery.ts'
import { loadPageSet } from '../../proxy/page-set.ts'
import { type Store, StoreUnavailableError } from '../../proxy/store/store.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import { loadedOk, loadWith } from '../config/valid-env.ts'
import { NOW } from '../session/session-sample.ts'
import { basicSession, codeSteps, TTL } from './otp-parts.ts'

const { config } = loadedOk(loadWith({}))
const frame = (await loadPageSet(config)).frame({ requestId: 'r' })
const session = basicSession()

/** A stream of a code that was sent, whose seconds pass one by one as the test lets them. */
async function open() {
  let now = NOW
  let revoked = false
  let down = false
  const memory = createMemoryStore()
  const store: Store = {
    ...memory,
    async get(key, at) {
      if (down) throw new StoreUnavailableError(undefined)
      return memory.get(key, at)
    },
  }
  const steps = codeSteps(memory)
  await steps.issue(session, now)
  const context = {
    config,
    store,
    sealer: steps.parts.sealer,
    clock: () => now,
    revocations: { isOver: () => revoked, isRevoked: () => revoked },
  } as unknown as Context
  const stored = await readChallenge(steps.parts, session, now)
  const delivery = stored?.challenge.delivery
  assert.equal(delivery?.kind, 'sent')
  const sid = delivery?.kind === 'sent' ? delivery.id : ''

  let asked = Promise.withResolvers<void>()
  let pass = Promise.withResolvers<boolean>()
  const end = new AbortController()
  end.signal.addEventListener('abort', () => pass.resolve(false))
  const wait = (ms: number) => {
    assert.equal(ms, 1000)
    asked.resolve()
    return pass.promise
  }
  const first = await lookAtDelivery(context, frame, session)
  const told: string[] = []
  const stream = deliveryEvents(context, frame, session, first, end.signal, wait)
  const ended = (async () => {
    const decoder = new TextDecoder()
    for await (const piece of stream) told.push(decoder.decode(piece))
    asked.resolve()
  })()
  /** Lets so many seconds pass, each when the stream has looked after the one before. */
  const seconds = async (count: number) => {
    for (let n = 0; n < count; n++) {
      await asked.promise
      const passing = pass
      asked = Promise.withResolvers()
      pass = Promise.withResolvers()
      now += 1000
      passing.resolve(true)
    }
    await asked.promise
  }
  await asked.promise
  return {
    told,
    ended,
    seconds,
    report: () =>
      addReport(memory, sid, { state: 'sent' }, { ...session, id: '', expiresAt: NOW + TTL }, now),
    setDown: (value: boolean) => {
      down = value
    },
    revoke: () => {
      revoked = true
    },
    stop: () => end.abort(),
  }
}

const kinds = (told: readonly string[]) =>
  told.map((text) => (text === ':\n\n' ? ':' : JSON.parse(text.slice('data: '.length)).kind))

test('a word comes after each fifteen seconds without news, so that the line stays open', async () => {
  const { told, seconds, stop, ended } = await open()
  await seconds(14)
  assert.deepEqual(kinds(told), ['sending'])
  await seconds(1)
  assert.deepEqual(kinds(told), ['sending', ':'])
  await seconds(30)
  assert.deepEqual(kinds(told), ['sending', ':', ':', ':'])
  stop()
  await ended
})

test('a store that fails for a while has no news: the stream stays, and tells when it is back', async () => {
  const { told, seconds, setDown, report, stop, ended } = await open()
  setDown(true)
  await report()
  await seconds(20)
  assert.deepEqual(kinds(told), ['sending', ':'])
  setDown(false)
  await seconds(1)
  assert.deepEqual(kinds(told), ['sending', ':', 'sent'])
  stop()
  await ended
})

test('a store that stays away holds no stream for longer than the code lives', async () => {
  const { told, seconds, setDown, stop, ended } = await open()
  setDown(true)
  await seconds(TTL / 1000)
  stop()
  await ended
  assert.equal(kinds(told).at(-1), 'over')
})

test('a session that ends is told of at once, without another look', async () => {
  const { told, ended, revoke, stop } = await open()
  revoke()
  stop()
  await ended
  assert.equal(kinds(told).at(-1), 'over')
})

test('a session that ends ends the stream, even when the store is away', async () => {
  const { told, seconds, setDown, revoke, stop, ended } = await open()
  setDown(true)
  revoke()
  await seconds(1)
  stop()
  await ended
  assert.deepEqual(kinds(told), ['sending', 'over'])
})
