import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Challenge, Message } from '../../proxy/otp/challenge.ts'
import { addReport, readOwner, rememberOwner, reportOf } from '../../proxy/otp/delivery-record.ts'
import { createSealer } from '../../proxy/session/sealed.ts'
import type { DeliveryReport } from '../../proxy/sms/delivery-report.ts'
import { NOW } from '../session/session-sample.ts'
import { MINUTE, overStores, PHONE, TTL } from './otp-parts.ts'

const SID = `SM${'0a'.repeat(16)}`
const sealer = createSealer(['a-secret-of-32-characters-for-tests-only'])
const delivery: Message = { kind: 'sent', id: SID, at: NOW, channel: 'sms' }
const challenge: Challenge = {
  id: 'c1',
  subject: 's1',
  family: 'f1',
  purpose: 'step-up',
  phone: PHONE,
  unknown: false,
  choices: 1,
  code: '123456',
  createdAt: NOW,
  expiresAt: NOW + TTL,
  sends: [{ channel: 'sms', address: '192.0.2.7' }],
  strike: 1,
  channel: 'sms',
  delivery,
  arrived: true,
}
const owner = { subject: 's1', family: 'f1', id: 'c1', expiresAt: NOW + TTL }
const delivered: DeliveryReport = { state: 'delivered' }
const failed: DeliveryReport = { state: 'failed', reason: 'unreachable', errorCode: 30003 }

overStores('what is reported of a message', (open) => {
  test('is kept, never goes back, and ends once', async () => {
    const store = open()
    const add = (report: DeliveryReport) => addReport(store, SID, report, owner, NOW)
    assert.equal(await reportOf(store, delivery, NOW), undefined)
    assert.equal(await add({ state: 'sent' }), false)
    assert.equal(await add({ state: 'queued' }), false)
    assert.deepEqual(await reportOf(store, delivery, NOW), { state: 'sent' })
    assert.equal(await add(failed), true)
    for (const report of [failed, delivered, { state: 'sent' } as const]) {
      assert.equal(await add(report), false)
      assert.deepEqual(await reportOf(store, delivery, NOW), failed)
    }
  })

  test('ends once when reports come at the same time', async () => {
    const store = open()
    const reports = Array.from({ length: 20 }, (_, index) => (index % 2 ? delivered : failed))
    const ended = await Promise.all(
      reports.map((report) => addReport(store, SID, report, owner, NOW)),
    )
    assert.equal(ended.filter(Boolean).length, 1)
  })

  test('lasts as long as its code is remembered', async () => {
    const store = open()
    await addReport(store, SID, delivered, owner, NOW)
    assert.deepEqual(await reportOf(store, delivery, NOW + TTL + 14 * MINUTE), delivered)
    assert.equal(await reportOf(store, delivery, NOW + TTL + 16 * MINUTE), undefined)
  })

  test('lasts a minute for a message that nobody knows, and as long as others once it is known', async () => {
    const store = open()
    await addReport(store, SID, delivered, undefined, NOW)
    assert.deepEqual(await reportOf(store, delivery, NOW), delivered)
    assert.equal(await reportOf(store, delivery, NOW + 2 * MINUTE), undefined)
    await addReport(store, SID, delivered, undefined, NOW)
    await rememberOwner({ store, sealer }, challenge, SID, NOW)
    assert.deepEqual(await reportOf(store, delivery, NOW + 2 * MINUTE), delivered)
  })

  test('belongs to the code that the message carries', async () => {
    const store = open()
    const parts = { store, sealer }
    assert.equal(await readOwner(parts, SID, NOW), undefined)
    await rememberOwner(parts, challenge, SID, NOW)
    assert.deepEqual(await readOwner(parts, SID, NOW), owner)
  })
})
