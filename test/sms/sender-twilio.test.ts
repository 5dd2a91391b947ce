import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import type { TwilioStandIn } from '../../demo/twilio-api.ts'
import type { Config } from '../../proxy/config/config.ts'
import type { Sender } from '../../proxy/sms/sender.ts'
import { createTwilioSender, type TwilioSenderOptions } from '../../proxy/sms/sender-twilio.ts'
import { serveTwilio, TWILIO } from '../support/twilio-server.ts'

const NUMBER = '+4915112345678'
const CODE = '424242'
const message = {
  to: NUMBER,
  body: `Contoso code ${CODE}. Never share it.\n@a.example #${CODE}`,
  validForSeconds: 300,
}
const number = { kind: 'number', number: TWILIO.from } as const

type Setup = Partial<Omit<Config['twilio'], 'apiUrl'>> & { secret?: string; apiUrl?: URL }

function senderTo(apiUrl: URL, setup: Setup = {}, options: TwilioSenderOptions = {}): Sender {
  const { secret = TWILIO.authToken, ...config } = setup
  const twilio = { accountSid: TWILIO.accountSid, from: number, apiUrl, ...config }
  return createTwilioSender(twilio, secret, { delay: noDelay, random: () => 0.5, ...options })
}

async function start(t: TestContext, setup?: Setup, options?: TwilioSenderOptions) {
  const { standIn, apiUrl } = await serveTwilio(t)
  return { standIn, sender: senderTo(apiUrl, setup, options) }
}

async function noDelay() {}

function assertNoCanary(seen: unknown): void {
  const text = inspect(seen, { depth: null, showHidden: true })
  const basic = Buffer.from(`${TWILIO.accountSid}:${TWILIO.authToken}`).toString('base64')
  const keyBasic = Buffer.from(`${TWILIO.apiKey.sid}:${TWILIO.apiKey.secret}`).toString('base64')
  const canaries = [NUMBER, NUMBER.slice(1), CODE, TWILIO.authToken, TWILIO.apiKey.secret]
  for (const canary of [...canaries, basic, keyBasic]) assert.ok(!text.includes(canary), text)
}

test('sends from the number with the account and its token', async (t) => {
  const { standIn, sender } = await start(t)
  const outcome = await sender.send(message)
  assert.equal(outcome.kind, 'sent')
  assert.match(outcome.kind === 'sent' ? outcome.id : '', /^SM[0-9a-f]{32}$/)
  const { to, body } = message
  assert.deepEqual(standIn.messages(), [
    { to, from: TWILIO.from, body, channel: 'sms', sentAt: '2026-11-24T07:00:00.000Z' },
  ])
  assertNoCanary(outcome)
})

test('sends through a messaging service with an API key', async (t) => {
  const { standIn, sender } = await start(t, {
    apiKeySid: TWILIO.apiKey.sid,
    secret: TWILIO.apiKey.secret,
    from: { kind: 'service', sid: TWILIO.service },
  })
  assert.equal((await sender.send(message)).kind, 'sent')
  const [request] = standIn.received()
  assert.equal(request?.path, `/2010-04-01/Accounts/${TWILIO.accountSid}/Messages.json`)
  assert.deepEqual(request?.form, {
    To: NUMBER,
    Body: message.body,
    MessagingServiceSid: TWILIO.service,
    ValidityPeriod: '300',
    MessageIntent: 'otp',
  })
})

test('a message lives as long as its code, within what Twilio takes', async (t) => {
  const { standIn, sender } = await start(t)
  for (const validForSeconds of [89.9, 2, 90_000])
    await sender.send({ ...message, validForSeconds })
  const periods = standIn.received().map(({ form }) => form.ValidityPeriod)
  assert.deepEqual(periods, ['89', '6', '36000'])
})

test('another base URL may have a path of its own', async (t) => {
  const { standIn, apiUrl } = await serveTwilio(t, { basePath: '/egress/twilio' })
  assert.equal((await senderTo(apiUrl).send(message)).kind, 'sent')
  assert.equal((await senderTo(new URL(`${apiUrl}/`)).send(message)).kind, 'sent')
  assert.equal(standIn.messages().length, 2)
})

test('each message has a connection of its own, as one that went stale would lose it', async (t) => {
  const { apiUrl, connections } = await serveTwilio(t)
  const sender = senderTo(apiUrl)
  for (let n = 0; n < 3; n += 1) assert.equal((await sender.send(message)).kind, 'sent')
  assert.equal(connections(), 3)
})

test("the SDK's own environment variables change nothing and print nothing", async (t) => {
  const environment = { TWILIO_EDGE: 'sydney', TWILIO_REGION: 'au1', TWILIO_LOG_LEVEL: 'debug' }
  Object.assign(process.env, environment)
  t.after(() => {
    for (const name of Object.keys(environment)) delete process.env[name]
  })
  const printed = t.mock.method(console, 'log', () => {})
  const { standIn, sender } = await start(t)
  assert.equal((await sender.send(message)).kind, 'sent')
  assert.equal(standIn.messages().length, 1)
  assert.equal(printed.mock.callCount(), 0)
})

const testNumbers: [string, string, number][] = [
  ['+15005550001', 'not_a_number', 21211],
  ['+15005550002', 'not_routable', 21612],
  ['+15005550003', 'country_not_enabled', 21408],
  ['+15005550004', 'opted_out', 21610],
  ['+15005550009', 'not_mobile', 21614],
]
for (const [to, reason, code] of testNumbers) {
  test(`Twilio's test number ${to} is refused: ${reason}`, async (t) => {
    const { sender } = await start(t)
    assert.deepEqual(await sender.send({ ...message, to }), { kind: 'refused', reason, code })
  })
}

test('wrong credentials, a foreign account and a foreign sender are for the operator', async (t) => {
  const { apiUrl } = await serveTwilio(t)
  const ended = async (setup: Setup) => {
    const outcome = await senderTo(apiUrl, setup).send(message)
    return outcome.kind === 'failed' ? [outcome.reason, outcome.code, outcome.status] : outcome
  }
  assert.deepEqual(await ended({ secret: 'wrong' }), ['credentials', 20003, 401])
  const accountSid = 'ACdddddddddddddddddddddddddddddddd'
  const { sid: apiKeySid, secret } = TWILIO.apiKey
  assert.deepEqual(await ended({ accountSid, apiKeySid, secret }), ['credentials', 20404, 404])
  assert.deepEqual(await ended({ from: { kind: 'number', number: '+15005550007' } }), [
    'sender_not_registered',
    21606,
    400,
  ])
})

test('an error that nobody foresaw is rejected, with its code', async (t) => {
  const { standIn, sender } = await start(t)
  standIn.script({ kind: 'error', status: 400, code: 21999 })
  const outcome = await sender.send(message)
  assert.deepEqual(outcome, { kind: 'failed', reason: 'rejected', code: 21999, status: 400 })
})

test('a rate limit is tried once more after a jittered pause', async (t) => {
  const pauses: number[] = []
  const delay = async (ms: number) => pauses.push(ms)
  const { standIn, sender } = await start(t, {}, { delay, random: () => 0.4 })
  standIn.script({ kind: 'error', status: 429, code: 20429 })
  assert.equal((await sender.send(message)).kind, 'sent')
  assert.deepEqual(pauses, [550])
  assert.equal(standIn.received().length, 2)
  assert.equal(standIn.messages().length, 1)
})

test('a second rate limit is not tried again', async (t) => {
  const { standIn, sender } = await start(t)
  const limit = { kind: 'error', status: 429, code: 20429 } as const
  standIn.script(limit, limit)
  const outcome = await sender.send(message)
  assert.deepEqual(outcome, { kind: 'failed', reason: 'rate_limited', code: 20429, status: 429 })
  assert.equal(standIn.received().length, 2)
})

test('a full queue of the sender, or a rate limit that came late, is not tried again', async (t) => {
  const full = await start(t)
  full.standIn.script({ kind: 'error', status: 429, code: 21611 })
  assert.equal((await full.sender.send(message)).kind, 'failed')
  assert.equal(full.standIn.received().length, 1)

  let now = 0
  const late = await start(t, {}, { elapsed: () => (now += 8_000) })
  late.standIn.script({ kind: 'error', status: 429, code: 20429 })
  assert.equal((await late.sender.send(message)).kind, 'failed')
  assert.equal(late.standIn.received().length, 1)
})

const unclear: [string, Parameters<TwilioStandIn['script']>[0]][] = [
  ['HTTP 500', { kind: 'error', status: 500, code: 20500 }],
  ['HTTP 503 with a page', { kind: 'raw', status: 503, body: '<h1>Down</h1>' }],
  ['a redirect', { kind: 'raw', status: 302, body: '' }],
  ['a reset', { kind: 'reset' }],
  ['silence', { kind: 'hang' }],
  ['201 without a body', { kind: 'raw', status: 201, body: '' }],
  ['201 with null', { kind: 'raw', status: 201, body: 'null' }],
  ['201 with a page', { kind: 'raw', status: 201, body: `<p>${NUMBER} ${CODE}</p>` }],
  [
    '201 with another thing',
    { kind: 'raw', status: 201, body: `{"sid":"${CODE}","to":"${NUMBER}"}` },
  ],
  ['400 that echoes', { kind: 'raw', status: 500, body: `{"code":${CODE},"message":"${NUMBER}"}` }],
  [
    'an endless answer',
    {
      kind: 'raw',
      status: 201,
      body: JSON.stringify({ sid: `SM${'e'.repeat(32)}`, body: 'x'.repeat(2_000_000) }),
    },
  ],
]
for (const [name, script] of unclear) {
  test(`${name} is unavailable, asked once, and says nothing private`, async (t) => {
    const { standIn, sender } = await start(t, {}, { timeout: 300 })
    standIn.script(script)
    const outcome = await sender.send(message)
    assert.deepEqual(
      [outcome.kind, 'reason' in outcome && outcome.reason],
      ['failed', 'unavailable'],
    )
    assert.equal(standIn.received().length, 1)
    assertNoCanary(outcome)
  })
}

test('an answer that drips in is given up on after the timeout as a whole', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.write('HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n')
    const drip = setInterval(() => socket.write(' '), 20)
    socket.on('close', () => clearInterval(drip))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => new Promise((resolve) => server.close(resolve)))
  const { port } = server.address() as { port: number }
  const sender = senderTo(new URL(`http://127.0.0.1:${port}`), {}, { timeout: 200 })
  const outcome = await sender.send(message)
  assert.deepEqual(outcome, { kind: 'failed', reason: 'unavailable', network: 'ETIMEDOUT' })
})

test('a message that Twilio took and gave up at once is not called sent', async (t) => {
  const { standIn, sender } = await start(t)
  const sid = `SM${'e'.repeat(32)}`
  const body = JSON.stringify({ sid, status: 'failed', error_code: 30006 })
  standIn.script({ kind: 'raw', status: 201, body })
  const outcome = await sender.send(message)
  assert.deepEqual(outcome, { kind: 'refused', reason: 'not_mobile', code: 30006 })
})

test('nobody at the other end is unavailable', async () => {
  const sender = senderTo(new URL('http://127.0.0.1:1'))
  const outcome = await sender.send(message)
  assert.deepEqual(outcome, { kind: 'failed', reason: 'unavailable', network: 'ECONNREFUSED' })
  assert.match((await sender.check()).detail, /ECONNREFUSED/)
})

test('the check tells good credentials from wrong ones without sending', async (t) => {
  const { standIn, apiUrl } = await serveTwilio(t, { basePath: '/twilio' })
  const key = { apiKeySid: TWILIO.apiKey.sid, secret: TWILIO.apiKey.secret }
  const cases: [Setup, 'ok' | 'problem', RegExp][] = [
    [{}, 'ok', /account is active/],
    [{ secret: 'wrong' }, 'problem', /STEPGATE_TWILIO_TOKEN/],
    [{ ...key }, 'ok', /API key/],
    [{ ...key, secret: 'wrong' }, 'problem', /STEPGATE_TWILIO_API_KEY_SECRET/],
    [{ accountSid: 'ACdddddddddddddddddddddddddddddddd', ...key }, 'problem', /no account/],
    [{ apiUrl: new URL(`${apiUrl.origin}/elsewhere`) }, 'problem', /STEPGATE_TWILIO_API_URL/],
  ]
  for (const [setup, kind, words] of cases) {
    const check = await senderTo(apiUrl, setup).check()
    assert.equal(check.kind, kind, check.detail)
    assert.match(check.detail, words)
    assertNoCanary(check)
  }
  assert.equal(standIn.messages().length, 0)
})

test('the check says when the account is suspended or a trial, or the answer is none', async (t) => {
  const detail = async (account: { status: string; type: string }) => {
    const { apiUrl } = await serveTwilio(t, { account })
    return (await senderTo(apiUrl).check()).detail
  }
  assert.match(await detail({ status: 'suspended', type: 'Full' }), /suspended/)
  assert.match(await detail({ status: 'active', type: 'Trial' }), /trial account/)
  const { standIn, sender } = await start(t)
  for (const body of ['<p>Hello</p>', '{}', 'null', '[]']) {
    standIn.script({ kind: 'raw', status: 200, body })
    assert.match((await sender.check()).detail, /not Twilio's API/)
  }
})
