import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type DeliveryReport,
  isFinal,
  mergeReport,
  readReport,
} from '../../proxy/sms/delivery-report.ts'

const SID = `SM${'0a'.repeat(16)}`
const ORDER = ['queued', 'sending', 'sent'] as const

const onTheWay = fc.constantFrom(...ORDER).map((state): DeliveryReport => ({ state }))
const end = fc.oneof(
  fc.constant<DeliveryReport>({ state: 'delivered' }),
  fc.constant<DeliveryReport>({ state: 'failed', reason: 'lost' }),
  fc
    .constantFrom(30003, 30006, 30007)
    .map((errorCode): DeliveryReport => ({ state: 'failed', reason: 'filtered', errorCode })),
)
const anything = fc.array(fc.oneof(onTheWay, end), { minLength: 1, maxLength: 12 })
const merged = (reports: readonly DeliveryReport[]) =>
  reports.reduce<DeliveryReport | undefined>(mergeReport, undefined)

test('in whatever order and however often reports of one message come, the end is the same', () => {
  fc.assert(
    fc.property(
      fc.array(onTheWay, { maxLength: 8 }),
      end,
      fc.nat(),
      fc.nat(3),
      (way, last, place, repeats) => {
        const reports = [...way, ...Array<DeliveryReport>(repeats).fill(last)]
        reports.splice(place % (reports.length + 1), 0, last)
        assert.deepEqual(merged(reports), last)
      },
    ),
  )
})

test('nothing ever goes back, and what is final never changes', () => {
  const rank = (report: DeliveryReport) =>
    isFinal(report) ? 3 : ORDER.indexOf(report.state as (typeof ORDER)[number])
  fc.assert(
    fc.property(anything, (reports) => {
      let known: DeliveryReport | undefined
      for (const report of reports) {
        const next = mergeReport(known, report)
        if (known !== undefined) {
          assert.ok(rank(next) >= rank(known))
          if (isFinal(known)) assert.equal(next, known)
        }
        assert.equal(mergeReport(next, report), next)
        known = next
      }
    }),
  )
})

test('without an end, the furthest state counts', () => {
  fc.assert(
    fc.property(fc.array(onTheWay, { minLength: 1 }), (reports) => {
      const furthest = ORDER.findLast((state) => reports.some((report) => report.state === state))
      assert.equal(merged(reports)?.state, furthest)
    }),
  )
})

const form = (fields: Record<string, string>) => new URLSearchParams(fields)

test('reads the statuses that Twilio knows', () => {
  const stateOf = (MessageStatus: string) =>
    readReport(form({ MessageSid: SID, MessageStatus }))?.report.state
  for (const status of ['accepted', 'scheduled', 'queued']) assert.equal(stateOf(status), 'queued')
  for (const status of ['sending', 'sent', 'delivered']) assert.equal(stateOf(status), status)
  assert.equal(stateOf('read'), 'delivered')
  for (const status of ['undelivered', 'failed', 'canceled'])
    assert.equal(stateOf(status), 'failed')
  for (const status of ['', 'DELIVERED', 'toString', '__proto__', 'received'])
    assert.equal(stateOf(status), undefined)
})

test('reads an error code of a failed message, and nothing else of it', () => {
  const read = (MessageStatus: string, ErrorCode: string) =>
    readReport(form({ MessageSid: SID, MessageStatus, ErrorCode }))
  assert.deepEqual(read('undelivered', '30003'), {
    sid: SID,
    report: { state: 'failed', reason: 'unreachable', errorCode: 30003 },
  })
  assert.deepEqual(read('delivered', '30003'), { sid: SID, report: { state: 'delivered' } })
  for (const code of ['', '0', '-1', '123456', '30003 x', '1e4', '３０００３']) {
    assert.deepEqual(read('failed', code), {
      sid: SID,
      report: { state: 'failed', reason: 'lost' },
    })
  }
})

test('reads how a call ended, and nothing before', () => {
  const CallSid = `CA${'0a'.repeat(16)}`
  const reportOf = (CallStatus: string) => readReport(form({ CallSid, CallStatus }))?.report
  assert.deepEqual(reportOf('completed'), { state: 'delivered' })
  for (const status of ['busy', 'no-answer'])
    assert.deepEqual(reportOf(status), { state: 'failed', reason: 'not_answered' })
  for (const status of ['failed', 'canceled'])
    assert.deepEqual(reportOf(status), { state: 'failed', reason: 'not_connected' })
  for (const status of ['queued', 'ringing', 'in-progress', 'delivered', '', 'toString'])
    assert.equal(reportOf(status), undefined)
  assert.equal(readReport(form({ CallSid, MessageStatus: 'delivered' })), undefined)
  assert.equal(readReport(form({ MessageSid: SID, CallStatus: 'completed' })), undefined)
})

test('a form without the sid of a message is no report', () => {
  for (const MessageSid of ['', 'SM1', `CA${'0a'.repeat(16)}`, `${SID}0`, `x${SID}`]) {
    assert.equal(readReport(form({ MessageSid, MessageStatus: 'sent' })), undefined)
  }
  assert.equal(readReport(form({ MessageStatus: 'sent' })), undefined)
})

test('each error code has its own meaning, and what is unknown is lost', () => {
  const expected = {
    21610: 'opted_out',
    30003: 'unreachable',
    30004: 'blocked',
    30005: 'not_in_service',
    30006: 'landline',
    30007: 'filtered',
    30008: 'lost',
    30032: 'filtered',
    30034: 'filtered',
    30450: 'blocked',
    30999: 'lost',
  }
  for (const [code, reason] of Object.entries(expected)) {
    const read = readReport(
      form({ MessageSid: SID, MessageStatus: 'undelivered', ErrorCode: code }),
    )
    assert.deepEqual(read?.report, { state: 'failed', reason, errorCode: Number(code) })
  }
})
