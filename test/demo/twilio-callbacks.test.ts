import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import twilio from 'twilio'
import type { TwilioStandInOptions } from '../../demo/twilio-api.ts'
import { createTwilioSender } from '../../proxy/sms/sender-twilio.ts'
import { serveTwilio, TWILIO } from '../support/twilio-server.ts'

type Callback = { signature: string; form: Record<string, string> }

/** A stand-in, and somebody whom it reports to. */
async function start(t: TestContext, deliveries?: TwilioStandInOptions['deliveries']) {
  const { standIn, apiUrl } = await serveTwilio(t, deliveries && { deliveries })
  const waiting: ((callback: Callback) => void)[] = []
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk)
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()))
    res.writeHead(204).end()
    waiting.shift()?.({ signature: String(req.headers['x-twilio-signature']), form })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => new Promise((resolve) => server.close(resolve)))
  const { port } = server.address() as AddressInfo
  const statusCallback = new URL(`http://127.0.0.1:${port}/status`)
  const { accountSid, from, authToken } = TWILIO
  const sender = createTwilioSender(
    { accountSid, from: { kind: 'number', number: from }, voiceFrom: from, apiUrl, statusCallback },
    authToken,
  )
  const send = () => sender.send({ to: '+4915112345678', body: 'Hello', validForSeconds: 300 })
  const next = () => new Promise<Callback>((resolve) => waiting.push(resolve))
  const ring = () => sender.call({ to: '+4915112345678', language: 'en-US', sentences: ['Hello'] })
  return { standIn, statusCallback, send, ring, next }
}

test('reports when it is told to, signed as the SDK expects it', async (t) => {
  const { standIn, statusCallback, send, next } = await start(t)
  const sent = await send()
  assert.equal(standIn.sent()[0]?.statusCallback, statusCallback.href)
  const came = next()
  assert.equal(await standIn.report({ status: 'undelivered', errorCode: 30003 }), 204)
  const { signature, form } = await came
  assert.equal(form.MessageSid, sent.kind === 'sent' && sent.id)
  assert.equal(form.MessageStatus, 'undelivered')
  assert.equal(form.ErrorCode, '30003')
  assert.ok(twilio.validateRequest(TWILIO.authToken, signature, statusCallback.href, form))
  assert.equal(await standIn.report({ status: 'sent' }, 'SM-of-nobody'), undefined)
})

test('reports by itself, and the end that was planned instead of the usual one', async (t) => {
  const { standIn, send, ring, next } = await start(t, {
    sms: [{ status: 'sent' }, { status: 'delivered' }],
    call: [{ status: 'completed' }],
  })
  const told = async (ask: () => Promise<unknown>, count: number) => {
    const coming = Array.from({ length: count }, () => next())
    await ask()
    return (await Promise.all(coming)).map(({ form }) => form)
  }
  const statuses = (forms: readonly Record<string, string>[]) =>
    forms.map(({ MessageStatus, CallStatus }) => MessageStatus ?? CallStatus)

  assert.deepEqual(statuses(await told(send, 2)), ['sent', 'delivered'])
  assert.deepEqual(statuses(await told(ring, 1)), ['completed'])
  standIn.setPlan({ always: { kind: 'error', code: 30006 } })
  const undelivered = await told(send, 2)
  assert.deepEqual(statuses(undelivered), ['sent', 'undelivered'])
  assert.equal(undelivered[1]?.ErrorCode, '30006')
  assert.deepEqual(statuses(await told(ring, 1)), ['failed'])
  standIn.setPlan({ always: { kind: 'busy' } })
  assert.deepEqual(statuses(await told(ring, 1)), ['busy'])
  assert.deepEqual(statuses(await told(send, 2)), ['sent', 'delivered'])
})

test("reports a call's end with the call's own fields, signed", async (t) => {
  const { standIn, statusCallback, ring, next } = await start(t)
  const rung = await ring()
  const came = next()
  assert.equal(await standIn.report({ status: 'no-answer' }), 204)
  const { signature, form } = await came
  assert.equal(form.CallSid, rung.kind === 'sent' && rung.id)
  assert.equal(form.CallStatus, 'no-answer')
  assert.equal(form.MessageSid, undefined)
  assert.ok(twilio.validateRequest(TWILIO.authToken, signature, statusCallback.href, form))
})
