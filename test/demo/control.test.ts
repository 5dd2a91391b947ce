import assert from 'node:assert/strict'
import { request } from 'node:http'
import { type TestContext, test } from 'node:test'
import { FATES } from '../../demo/fates.ts'
import { startPhone } from '../../demo/phone.ts'
import { createTwilioStandIn } from '../../demo/twilio-api.ts'
import type { PlannedAnswer } from '../../demo/twilio-plan.ts'
import { createTwilioSender } from '../../proxy/sms/sender-twilio.ts'
import { axeFindings } from '../support/axe.ts'
import { launchBrowser } from '../support/browser.ts'
import { problemsIn } from '../support/twilio-openapi.ts'
import { TWILIO } from '../support/twilio-server.ts'

const message = { to: '+4915228817386', body: 'Hello', validForSeconds: 300 }
const MESSAGES = '/2010-04-01/Accounts/{AccountSid}/Messages.json'

async function start(t: TestContext, { timeout = 10_000 }: { timeout?: number } = {}) {
  const { accountSid, authToken, from } = TWILIO
  const clock = () => TWILIO.now
  const standIn = createTwilioStandIn({ accountSid, authToken, clock })
  const phone = await startPhone({ port: 0, standIn, owners: { [message.to]: 'alice' }, clock })
  t.after(() => phone.close())
  const twilio = { accountSid, from: { kind: 'number', number: from }, apiUrl: phone.url } as const
  const sender = createTwilioSender(twilio, authToken, { timeout, delay: async () => {} })
  const url = new URL('/control', phone.url)
  const post = async (body: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(url, { method: 'POST', body, headers, redirect: 'manual' })
    const text = await answer.text()
    return { status: answer.status, json: () => JSON.parse(text) }
  }
  const tell = async (plan: unknown) => {
    const { status, json } = await post(JSON.stringify(plan))
    assert.equal(status, 200, JSON.stringify(json()))
  }
  const plan = async () => (await fetch(url)).json()
  return { standIn, phone, sender, url, post, tell, plan }
}

test('what is planned for the next messages happens once each, then all is as usual', async (t) => {
  const { sender, tell, plan } = await start(t)
  const next = [
    { kind: 'error', code: 21610 },
    { kind: 'deliver' },
    { kind: 'error', code: 20503, status: 503, message: 'Not now' },
  ]
  await tell({ next })
  assert.deepEqual(await plan(), { next, always: null })
  const kinds: string[] = []
  for (let n = 0; n < 4; n++) kinds.push((await sender.send(message)).kind)
  assert.deepEqual(kinds, ['refused', 'sent', 'failed', 'sent'])
  assert.deepEqual(await plan(), { next: [], always: null })
})

test('what is to happen always does until it is changed, after what is next', async (t) => {
  const { sender, tell, plan } = await start(t)
  await tell({ always: { kind: 'error', code: 21614 }, next: [{ kind: 'deliver' }] })
  const kinds: string[] = []
  for (let n = 0; n < 3; n++) kinds.push((await sender.send(message)).kind)
  assert.deepEqual(kinds, ['sent', 'refused', 'refused'])
  await tell({ next: [] })
  assert.equal((await sender.send(message)).kind, 'refused')
  await tell({ always: null })
  assert.equal((await sender.send(message)).kind, 'sent')
  assert.deepEqual(await plan(), { next: [], always: null })
})

/** What is planned, what the sender makes of it, and how many messages arrive. */
const MISBEHAVIOUR: readonly (readonly [PlannedAnswer, string, number])[] = [
  [{ kind: 'deliver' }, 'sent', 1],
  [{ kind: 'slow', seconds: 0.01 }, 'sent', 1],
  [{ kind: 'error', code: 20003 }, 'credentials 20003', 0],
  [{ kind: 'error', code: 20404 }, 'credentials 20404', 0],
  [{ kind: 'error', code: 20429 }, 'rate_limited 20429', 0],
  [{ kind: 'error', code: 20500 }, 'unavailable 20500', 0],
  [{ kind: 'error', code: 20503 }, 'unavailable 20503', 0],
  [{ kind: 'error', code: 21211 }, 'not_a_number 21211', 0],
  [{ kind: 'error', code: 21408 }, 'country_not_enabled 21408', 0],
  [{ kind: 'error', code: 21606 }, 'sender_not_registered 21606', 0],
  [{ kind: 'error', code: 21608 }, 'trial_account 21608', 0],
  [{ kind: 'error', code: 21610 }, 'opted_out 21610', 0],
  [{ kind: 'error', code: 21612 }, 'not_routable 21612', 0],
  [{ kind: 'error', code: 21614 }, 'not_mobile 21614', 0],
  [{ kind: 'error', code: 30003 }, 'sent', 0],
  [{ kind: 'error', code: 30004 }, 'sent', 0],
  [{ kind: 'error', code: 30006 }, 'sent', 0],
  [{ kind: 'error', code: 30007 }, 'sent', 0],
  [{ kind: 'error', code: 30008 }, 'sent', 0],
  [{ kind: 'error', code: 30032 }, 'sent', 0],
  [{ kind: 'error', code: 30034 }, 'sent', 0],
  [{ kind: 'error', code: 30450 }, 'sent', 0],
  [{ kind: 'error', code: 30007, status: 400 }, 'sender_not_registered 30007', 0],
  [{ kind: 'busy' }, 'sent', 1],
  [{ kind: 'no-answer' }, 'sent', 1],
  [{ kind: 'nonsense' }, 'unavailable', 0],
  [{ kind: 'nonsense', delivers: true }, 'unavailable', 1],
  [{ kind: 'reset' }, 'unavailable', 0],
  [{ kind: 'reset', delivers: true }, 'unavailable', 1],
  [{ kind: 'hang' }, 'unavailable', 0],
  [{ kind: 'hang', delivers: true }, 'unavailable', 1],
]
for (const [answer, ended, arrived] of MISBEHAVIOUR) {
  test(`${JSON.stringify(answer)} ends as ${ended}, and ${arrived} arrives`, async (t) => {
    const timeout = answer.kind === 'hang' ? 500 : 10_000
    const { standIn, sender, tell } = await start(t, { timeout })
    await tell({ always: answer })
    const outcome = await sender.send(message)
    const code = 'code' in outcome ? outcome.code : undefined
    const said = outcome.kind === 'sent' ? 'sent' : [outcome.reason, code].filter(Boolean).join(' ')
    assert.equal(said, ended)
    assert.equal(standIn.messages().length, arrived)
    // Want of room is tried once more, nothing else is.
    assert.equal(standIn.received().length, ended.startsWith('rate_limited') ? 2 : 1)
  })
}

test("an error that Twilio finds later comes with a 201 that Twilio's OpenAPI declares", async (t) => {
  const { phone, tell } = await start(t)
  await tell({ next: [{ kind: 'error', code: 30007 }] })
  const { accountSid, authToken, from } = TWILIO
  const answer = await fetch(new URL(MESSAGES.replace('{AccountSid}', accountSid), phone.url), {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${accountSid}:${authToken}`)}` },
    body: new URLSearchParams({ To: message.to, From: from, Body: 'x' }),
  })
  assert.equal(answer.status, 201)
  const body = (await answer.json()) as Record<string, unknown>
  assert.deepEqual(problemsIn('answer', MESSAGES, 'post', body), [])
  assert.deepEqual([body.status, body.error_code], ['queued', null])
})

const BAD: readonly (readonly [string, RegExp])[] = [
  ['', /no JSON/],
  ['{"next":', /no JSON/],
  ['[]', /expected object/],
  ['{}', /needs next or always/],
  ['{"nxt":[]}', /nxt/],
  ['{"next":{"kind":"hang"}}', /next: .*expected array/],
  [
    '{"next":[{"kind":"explode"}]}',
    /next\[0\].*kind must be deliver, error, busy, no-answer, hang, reset/,
  ],
  ['{"next":[{"kind":"hang"},{"kind":"error"}]}', /next\[1\]\.code/],
  ['{"always":{"kind":"error","code":"21610"}}', /always\.code.*expected (int|number)/],
  ['{"always":{"kind":"error","code":21610,"status":200}}', /always\.status.*400/],
  ['{"always":{"kind":"slow","seconds":61}}', /always\.seconds.*60/],
  ['{"always":{"kind":"hang","delivered":true}}', /delivered/],
  [`{"next":[${'{"kind":"hang"},'.repeat(100)}{"kind":"hang"}]}`, /next: .*100/],
]
for (const [body, problem] of BAD) {
  test(`${body.slice(0, 60) || 'nothing'} is refused, and says why`, async (t) => {
    const { post, plan } = await start(t)
    const { status, json } = await post(body)
    assert.equal(status, 400)
    const { error } = json()
    assert.match(error, problem)
    assert.match(error, /for example \{"next"/)
    assert.deepEqual(await plan(), { next: [], always: null })
  })
}

test('other methods and long bodies are refused', async (t) => {
  const { url, post } = await start(t)
  assert.equal((await fetch(url, { method: 'DELETE' })).status, 405)
  assert.equal((await post('x'.repeat(70_000))).status, 413)
})

test('no page of another site and no foreign name may control it', async (t) => {
  const { url, post, plan } = await start(t)
  const body = '{"always":{"kind":"hang"}}'
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
  ] as Record<string, string>[]) {
    assert.equal((await post(body, headers)).status, 403, JSON.stringify(headers))
  }
  const asked = request(url, { method: 'POST', headers: { host: 'evil.example' } })
  asked.end(body)
  const status = await new Promise((resolve, reject) => {
    asked.on('response', (answer) => resolve(answer.resume().statusCode)).on('error', reject)
  })
  assert.equal(status, 403)
  assert.deepEqual(await plan(), { next: [], always: null })
})

test('another machine may not control it', async () => {
  const { control } = await import('../../demo/control.ts')
  const standIn = createTwilioStandIn({ ...TWILIO, clock: () => 0 })
  for (const [remoteAddress, status] of [
    ['192.0.2.7', 403],
    ['2001:db8::7', 403],
    ['127.0.0.1', 200],
    ['::1', 200],
    ['::ffff:127.0.0.1', 200],
  ] as const) {
    const req = { method: 'GET', socket: { remoteAddress }, headers: { host: '127.0.0.1:8083' } }
    const done = await control(standIn, req as Parameters<typeof control>[1])
    assert.equal(done.kind === 'json' && done.status, status, remoteAddress)
  }
})

test('the form on the page plans each of its choices, for one message or for all', async (t) => {
  const { post, plan } = await start(t)
  for (const { key, answers } of Object.values(FATES).flat()) {
    assert.equal((await post(`fate=${key}&for=next`)).status, 303)
    assert.deepEqual(await plan(), { next: answers, always: null })
    await post(`fate=${key}&for=always`)
    assert.deepEqual(await plan(), { next: [], always: answers[0] ?? null })
    await post('fate=deliver&for=always')
  }
  assert.equal((await post('fate=nothing&for=next')).status, 400)
  assert.equal((await post('fate=hang&for=ever')).status, 400)
})

test('in a browser a person chooses what becomes of the next message, and sees when it has', async (t) => {
  const { phone, sender } = await start(t)
  const browser = await launchBrowser()
  t.after(() => browser.close())
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on('console', (line) => complaints.push(line.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(phone.url.href)
  await page.getByText('What Twilio does: Messages arrive').click()
  assert.deepEqual(await axeFindings(page), [])
  await page.getByLabel('What becomes of it').selectOption('Opted out (21610)')
  await page.getByRole('button', { name: 'Next message' }).click()
  await page.getByText('Next request: Opted out (21610).').waitFor()
  assert.equal((await sender.send(message)).kind, 'refused')
  await page.getByText('What Twilio does: Messages arrive').waitFor()
  assert.deepEqual(complaints, [])
})
