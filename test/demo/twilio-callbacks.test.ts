import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import twilio from 'twilio'
import type { DeliveryStep } from '../../demo/twilio-callbacks.ts'
import { createTwilioSender } from '../../proxy/sms/sender-twilio.ts'
import { serveTwilio, TWILIO } from '../support/twilio-server.ts'

type Callback = { signature: string; form: Record<string, string> }

/** A stand-in, and somebody whom it reports to. */
async function start(t: TestContext, deliveries?: readonly DeliveryStep[]) {
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
    { accountSid, from: { kind: 'number', number: from }, apiUrl, statusCallback },
    authToken,
  )
  const send = () => sender.send({ to: '+4915112345678', body: 'Hello', validForSeconds: 300 })
  const next = () => new Promise<Callback>((resolve) => waiting.push(resolve))
  return { standIn, statusCallback, send, next }
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

test('reports by itself, each message by its own sequence', async (t) => {
  const { standIn, send, next } = await start(t, [{ status: 'queued' }, { status: 'delivered' }])
  standIn.scriptDeliveries([{ status: 'sent' }, { status: 'failed', errorCode: 30006 }])
  for (const expected of ['sent', 'failed', 'queued', 'delivered']) {
    const came = next()
    if (expected === 'sent' || expected === 'queued') await send()
    assert.equal((await came).form.MessageStatus, expected)
  }
})
