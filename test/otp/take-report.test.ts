import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createLog } from '../../proxy/log.ts'
import { auditReport } from '../../proxy/otp/audit-report.ts'
import { readChallenge } from '../../proxy/otp/challenge-record.ts'
import { addReport, rememberOwner, reportOf } from '../../proxy/otp/delivery-record.ts'
import { takeReport } from '../../proxy/otp/take-report.ts'
import type { Sealer } from '../../proxy/session/sealed.ts'
import type { Store } from '../../proxy/store/store.ts'
import { createMemoryStore } from '../../proxy/store/store-memory.ts'
import { NOW } from '../session/session-sample.ts'
import { basicSession, codeSteps, MINUTE, overStores } from './otp-parts.ts'

const SID = `SM${'0a'.repeat(16)}`
const form = (status: string) => new URLSearchParams({ MessageSid: SID, MessageStatus: status })

/** A code whose message Twilio has taken, as its answer is about to say: reports may come before. */
async function start(store: Store, through: Store = store) {
  const events: string[] = []
  const log = createLog(
    { level: 'info', access: false },
    { write: (line) => void events.push(JSON.parse(line).event) },
  )
  const { parts, issue } = codeSteps(store)
  const session = basicSession()
  await issue(session, NOW)
  const stored = await readChallenge(parts, session, NOW)
  assert.ok(stored)
  const { challenge } = stored
  const { subject, family, id, expiresAt } = challenge
  const owner = { subject, family, id, expiresAt }
  // At once: the time that sealing takes would leave the interleavings out that matter.
  const sealer: Sealer = {
    ...parts.sealer,
    seal: async () => 'the owner',
    unseal: async (purpose, text, now) =>
      text === 'the owner' ? owner : parts.sealer.unseal(purpose, text, now),
  }
  const ours = { store: through, sealer, log, clock: () => NOW }
  return {
    report: (status: string) => takeReport(ours, form(status), 'request-1'),
    answer: async () => {
      const early = await rememberOwner(ours, challenge, SID, NOW)
      if (early !== undefined) auditReport(log, challenge, SID, early, 'request-2')
    },
    known: (now: number) =>
      reportOf(store, { kind: 'sent', id: SID, at: NOW, channel: 'sms' }, now),
    ends: () => events.filter((event) => event === 'otp.delivered' || event === 'otp.undelivered'),
  }
}

overStores('a report that comes before the answer of Twilio', (open) => {
  test('is audited once the answer has come, and lasts', async () => {
    const { report, answer, ends, known } = await start(open())
    await report('delivered')
    assert.deepEqual(ends(), [])
    await answer()
    await report('delivered')
    await report('sent')
    assert.deepEqual(ends(), ['otp.delivered'])
    assert.deepEqual(await known(NOW + 2 * MINUTE), { state: 'delivered' })
  })

  test('is audited when the answer comes while it is being stored, and lasts', async () => {
    const store = open()
    const atSwap = Promise.withResolvers<void>()
    const answered = Promise.withResolvers<void>()
    const through: Store = {
      ...store,
      swap: async (...swap) => {
        atSwap.resolve()
        await answered.promise
        return store.swap(...swap)
      },
    }
    const { report, answer, ends, known } = await start(store, through)
    const reported = report('delivered')
    await atSwap.promise
    await answer()
    answered.resolve()
    await reported
    assert.deepEqual(ends(), ['otp.delivered'])
    await report('sent')
    assert.deepEqual(await known(NOW + 2 * MINUTE), { state: 'delivered' })
  })
})

test('whoever sends the code is told of an end that was reported before', async () => {
  const steps = codeSteps(createMemoryStore())
  const { store } = steps.parts
  await addReport(store, 'SM1', { state: 'delivered' }, undefined, NOW)
  await addReport(store, 'SM2', { state: 'sent' }, undefined, NOW)
  await steps.issue(basicSession(), NOW)
  await steps.issue(basicSession({ subject: 's2', family: 'f2' }), NOW)
  assert.equal(steps.sent.length, 2)
  assert.deepEqual(steps.ended, [{ message: 'SM1', report: { state: 'delivered' } }])
})

test('however reports and the answer interleave, the end is audited once and lasts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const store = createMemoryStore()
      const through: Store = {
        ...store,
        get: scheduler.scheduleFunction(store.get),
        put: scheduler.scheduleFunction(store.put),
        swap: scheduler.scheduleFunction(store.swap),
      }
      const { report, answer, ends, known } = await start(store, through)
      const all = [report('sent'), report('undelivered'), report('undelivered'), answer()]
      await scheduler.waitFor(Promise.all(all))
      assert.deepEqual(ends(), ['otp.undelivered'])
      assert.equal((await known(NOW + 2 * MINUTE))?.state, 'failed')
    }),
    { numRuns: 500 },
  )
})
