import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createTwilioSender } from '../../proxy/sms/sender-twilio.ts'
import { problemsIn } from '../support/twilio-openapi.ts'
import { serveTwilio, TWILIO } from '../support/twilio-server.ts'

const MESSAGES = '/2010-04-01/Accounts/{AccountSid}/Messages.json'
const CALLS = '/2010-04-01/Accounts/{AccountSid}/Calls.json'
const ACCOUNT = '/2010-04-01/Accounts/{Sid}.json'
const messagesPath = MESSAGES.replace('{AccountSid}', TWILIO.accountSid)
const accountPath = ACCOUNT.replace('{Sid}', TWILIO.accountSid)
const to = '+4915112345678'

async function json(answer: Response): Promise<Record<string, unknown>> {
  return (await answer.json()) as Record<string, unknown>
}

async function start(t: TestContext) {
  const { standIn, origin, apiUrl } = await serveTwilio(t)
  const basic = (user: string, password: string) =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const authorization = basic(TWILIO.accountSid, TWILIO.authToken)
  const post = (form: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(origin + messagesPath, {
      method: 'POST',
      headers: { authorization, ...headers },
      body: new URLSearchParams(form),
    })
  const get = (path: string, header = authorization) =>
    fetch(origin + path, { headers: { authorization: header } })
  return { standIn, origin, apiUrl, authorization, basic, post, get }
}

for (const from of [
  { kind: 'number', number: TWILIO.from } as const,
  { kind: 'service', sid: TWILIO.service } as const,
]) {
  test(`what the sender asks for a ${from.kind} is what Twilio's OpenAPI declares`, async (t) => {
    const { standIn, apiUrl } = await start(t)
    const { accountSid } = TWILIO
    const sender = createTwilioSender({ accountSid, from, apiUrl }, TWILIO.authToken)
    await sender.send({ to, body: 'Hello', validForSeconds: 300 })
    const [request] = standIn.received()
    assert.equal(request?.method, 'POST')
    assert.equal(request?.path, messagesPath)
    assert.deepEqual(problemsIn('request', MESSAGES, 'post', request?.form), [])
    assert.deepEqual(problemsIn('path', MESSAGES, 'post', { AccountSid: accountSid }), [])
  })

  test(`the 201 for a ${from.kind} is what Twilio's OpenAPI declares, with all its fields`, async (t) => {
    const { post } = await start(t)
    const sent = from.kind === 'number' ? { From: from.number } : { MessagingServiceSid: from.sid }
    const answer = await post({ To: to, Body: 'ж'.repeat(71), ...sent })
    assert.equal(answer.status, 201)
    const body = await json(answer)
    assert.deepEqual(problemsIn('answer', MESSAGES, 'post', body), [])
    assert.equal(body.num_segments, '2')
    assert.equal(body.date_created, 'Tue, 24 Nov 2026 07:00:00 +0000')
  })
}

test("what the sender asks for a call, and the 201, are what Twilio's OpenAPI declares", async (t) => {
  const { standIn, origin, apiUrl, authorization } = await start(t)
  const { accountSid } = TWILIO
  const from = { kind: 'service', sid: TWILIO.service } as const
  const sender = createTwilioSender(
    { accountSid, from, voiceFrom: TWILIO.from, apiUrl },
    TWILIO.authToken,
  )
  await sender.call({ to, language: 'de-DE', sentences: ['Hallo & <guten> Tag', '1, 2.'] })
  const [request] = standIn.received()
  assert.equal(request?.path, CALLS.replace('{AccountSid}', accountSid))
  assert.deepEqual(problemsIn('request', CALLS, 'post', request?.form), [])
  assert.equal(standIn.messages()[0]?.body, 'Hallo & <guten> Tag 1, 2.')

  const ask = (form: Record<string, string>) =>
    fetch(origin + CALLS.replace('{AccountSid}', accountSid), {
      method: 'POST',
      headers: { authorization },
      body: new URLSearchParams(form),
    })
  const answer = await ask(request?.form ?? {})
  assert.equal(answer.status, 201)
  const body = await json(answer)
  assert.deepEqual(problemsIn('answer', CALLS, 'post', body), [])
  assert.notDeepEqual(problemsIn('answer', CALLS, 'post', { ...body, status: 'gone' }), [])
  assert.notDeepEqual(problemsIn('answer', CALLS, 'post', { ...body, sid: 'SM1' }), [])
  assert.notDeepEqual(problemsIn('request', CALLS, 'post', { To: to, Twiml: '<Response>' }), [])

  const form = { To: to, From: TWILIO.from, Twiml: '<Response/>' }
  const refused: [Record<string, string>, number][] = [
    [{ ...form, To: '' }, 21201],
    [{ ...form, From: '' }, 21213],
    [{ ...form, Twiml: '' }, 21205],
    [{ ...form, Twiml: 'x'.repeat(4001) }, 20001],
    [{ ...form, From: 'Acme' }, 21212],
    [{ ...form, To: '030123456' }, 21211],
    [{ ...form, From: '+15005550007' }, 21210],
  ]
  for (const [wrong, code] of refused) {
    const { status, ...refusal } = await json(await ask(wrong))
    assert.deepEqual([status, refusal.code], [400, code])
  }
})

test("the account and the page of messages are what Twilio's OpenAPI declares", async (t) => {
  const { post, get } = await start(t)
  await post({ To: to, From: TWILIO.from, Body: 'Hello' })
  const account = await json(await get(accountPath))
  assert.deepEqual(problemsIn('answer', ACCOUNT, 'get', account), [])
  const page = await json(await get(`${messagesPath}?PageSize=1`))
  assert.equal((page.messages as unknown[]).length, 1)
  assert.deepEqual(problemsIn('answer', MESSAGES, 'get', page), [])
})

test('the comparison with the OpenAPI sees what is wrong', async (t) => {
  const { post } = await start(t)
  const good = await json(await post({ To: to, From: TWILIO.from, Body: 'Hello' }))
  const { uri: _, ...short } = good
  for (const answer of [
    short,
    { ...good, more: 1 },
    { ...good, sid: 'SM1' },
    { ...good, status: 'gone' },
    { ...good, num_segments: 1 },
    { ...good, date_created: '2026-11-24T07:00:00Z' },
    { ...good, direction: null },
  ]) {
    assert.notDeepEqual(problemsIn('answer', MESSAGES, 'post', answer), [])
  }
  for (const request of [
    { Body: 'Hello' },
    { To: to, Text: 'Hello' },
    { To: '015112345678' },
    { To: to, ValidityPeriod: '5m' },
    { To: to, MessagingServiceSid: 'MG1' },
  ]) {
    assert.notDeepEqual(problemsIn('request', MESSAGES, 'post', request), [])
  }
})

const refusals: [string, Record<string, string>, number][] = [
  ['no To', { From: TWILIO.from, Body: 'x' }, 21604],
  ['no From', { To: to, Body: 'x' }, 21603],
  ['no Body', { To: to, From: TWILIO.from }, 21602],
  ['a Body that is too long', { To: to, From: TWILIO.from, Body: 'x'.repeat(1601) }, 21617],
  ['a To that is not E.164', { To: '015112345678', From: TWILIO.from, Body: 'x' }, 21211],
  ['a service that is none', { To: to, MessagingServiceSid: 'MG1', Body: 'x' }, 21705],
  ['a From of another account', { To: to, From: '+15005550007', Body: 'x' }, 21606],
]
for (const [name, form, code] of refusals) {
  test(`${name} is refused as Twilio refuses it`, async (t) => {
    const { standIn, post } = await start(t)
    const answer = await post(form)
    assert.equal(answer.status, 400)
    const { message, ...body } = await json(answer)
    const more_info = `https://www.twilio.com/docs/errors/${code}`
    assert.deepEqual(body, { code, more_info, status: 400 })
    assert.equal(typeof message, 'string')
    assert.equal(standIn.messages().length, 0)
  })
}

test('other credentials, accounts, paths and methods are refused', async (t) => {
  const { origin, basic, get, post } = await start(t)
  const key = basic(TWILIO.apiKey.sid, TWILIO.apiKey.secret)
  const seen = async (answering: Promise<Response>) => {
    const answer = await answering
    const { code, status } = await json(answer)
    assert.equal(status, answer.status)
    return [status, code]
  }
  const form = { To: to, From: TWILIO.from, Body: 'x' }
  for (const authorization of ['', 'Bearer x', 'Basic', basic(TWILIO.accountSid, 'wrong')]) {
    assert.deepEqual(await seen(post(form, { authorization })), [401, 20003])
  }
  const elsewhere = '/2010-04-01/Accounts/ACdddddddddddddddddddddddddddddddd.json'
  assert.deepEqual(await seen(get(elsewhere)), [404, 20404])
  assert.deepEqual(await seen(get(accountPath, key)), [401, 20003])
  assert.equal((await get(messagesPath, key)).status, 200)
  const headers = { authorization: key }
  assert.deepEqual(
    await seen(fetch(origin + messagesPath, { method: 'DELETE', headers })),
    [405, 20004],
  )
  assert.deepEqual(await seen(post({ ...form, Body: 'x'.repeat(70_000) })), [413, 20001])
})

test('messages are newest first, and only the last 200 are kept', async (t) => {
  const { standIn, post } = await start(t)
  for (let n = 0; n <= 200; n += 1) await post({ To: to, From: TWILIO.from, Body: `${n}` })
  const bodies = standIn.messages().map(({ body }) => body)
  assert.equal(bodies.length, 200)
  assert.deepEqual([bodies.at(0), bodies.at(-1)], ['200', '1'])
})

test('a scripted answer is given once, and one that waits delivers in the end', async (t) => {
  const { standIn, post } = await start(t)
  const form = { To: to, From: TWILIO.from, Body: 'x' }
  const { promise, resolve } = Promise.withResolvers<void>()
  standIn.script({ kind: 'error', status: 503, code: 20503 }, { kind: 'wait', until: promise })
  assert.equal((await post(form)).status, 503)
  const waiting = post(form)
  assert.equal((await post(form)).status, 201)
  resolve()
  assert.equal((await waiting).status, 201)
  assert.equal(standIn.messages().length, 2)
})
