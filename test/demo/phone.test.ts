import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { startPhone } from '../../demo/phone.ts'
import { createTwilioStandIn } from '../../demo/twilio-api.ts'
import { createTwilioSender } from '../../proxy/sms/sender-twilio.ts'
import { launchBrowser } from '../support/browser.ts'
import { TWILIO } from '../support/twilio-server.ts'

const ALICE = '+4915228817386'
const BOB = '+4915228895456'
const STRANGER = '+491713920042'
const body = (code: string) => `Acme code ${code}. Never share it.\n@localhost #${code}`

async function start(t: TestContext) {
  const { accountSid, authToken, from } = TWILIO
  let now = TWILIO.now
  const clock = () => now
  const standIn = createTwilioStandIn({ accountSid, authToken, clock })
  const owners = { [ALICE]: 'alice', [BOB]: 'bob' }
  const phone = await startPhone({ port: 0, standIn, owners, clock })
  t.after(() => phone.close())
  const sender = createTwilioSender(
    { accountSid, from: { kind: 'number', number: from }, voiceFrom: from, apiUrl: phone.url },
    authToken,
  )
  const send = async (to: string, text: string) => {
    now += 1000
    const outcome = await sender.send({ to, body: text, validForSeconds: 300 })
    assert.equal(outcome.kind, 'sent')
  }
  const get = async (path: string, method = 'GET') => {
    const answer = await fetch(new URL(path, phone.url), { method })
    return { answer, text: await answer.text() }
  }
  const ring = async (to: string, ...sentences: string[]) => {
    now += 1000
    assert.equal((await sender.call({ to, language: 'en-US', sentences })).kind, 'sent')
  }
  return { phone, send, ring, get }
}

test('what is sent through the stand-in is at /messages, newest first', async (t) => {
  const { send, get } = await start(t)
  assert.equal((await get('/messages')).text, '[]')
  await send(ALICE, body('111111'))
  await send(BOB, body('222222'))
  const { answer, text } = await get('/messages')
  assert.equal(answer.headers.get('content-type'), 'application/json')
  const from = TWILIO.from
  assert.deepEqual(JSON.parse(text), [
    { to: BOB, from, body: body('222222'), channel: 'sms', sentAt: '2026-11-24T07:00:02.000Z' },
    { to: ALICE, from, body: body('111111'), channel: 'sms', sentAt: '2026-11-24T07:00:01.000Z' },
  ])
})

test('each number has its phone, with the messages that were sent to it only', async (t) => {
  const { send, get } = await start(t)
  await send(ALICE, body('111111'))
  await send(STRANGER, body('333333'))
  const phones = (await get('/')).text.split('<article').slice(1)
  const summary = phones.map((phone) => [
    /<strong>(.*?)<\/strong>/.exec(phone)?.[1],
    [...phone.matchAll(/class="code">(\d+)</g)].map(([, code]) => code),
    phone.includes('No messages yet'),
  ])
  assert.deepEqual(summary, [
    ['alice', ['111111'], false],
    ['bob', [], true],
    ['Unknown', ['333333'], false],
  ])
})

test('a call shows who called and what was said, with the digits to copy', async (t) => {
  const { ring, get } = await start(t)
  const digits = '1, 2, 3, 4, 5, 6.'
  await ring(ALICE, 'Hello <i>Alice</i>.', digits, 'Again.', digits, 'Goodbye.')
  const { text } = await get('/')
  assert.match(text, /<div class="bubble call">.*Call from/s)
  assert.match(text, /Hello &lt;i&gt;Alice&lt;\/i&gt;\./)
  assert.equal(text.match(/<b class="code">1, 2, 3, 4, 5, 6<\/b>/g)?.length, 2)
  assert.match(text, /Goodbye\./)
  assert.match(text, /data-code="123456"><small>From a call/)
  const [message] = JSON.parse((await get('/messages')).text)
  assert.equal(message.channel, 'call')
})

test('a message cannot bring markup or script to the page', async (t) => {
  const { send, get } = await start(t)
  await send(ALICE, '<img src=x onerror=alert(1)> 4711\n@"><script>alert(1)</script> #"4711')
  const { answer, text } = await get('/')
  assert.ok(!text.includes('<img') && !text.includes('<script>alert'))
  assert.match(answer.headers.get('content-security-policy') ?? '', /^default-src 'none'/)
  assert.ok(!answer.headers.get('content-security-policy')?.includes('unsafe'))
})

test('the page has its assets, and nothing else is served', async (t) => {
  const { get } = await start(t)
  const { text } = await get('/')
  const assets = [...text.matchAll(/(?:href|src)="(\/[^"]+)"/g)].map(([, path]) => path ?? '')
  assert.deepEqual(assets.toSorted(), ['/phone.css', '/phone.js', '/phone.svg'])
  for (const path of assets) assert.equal((await get(path)).answer.status, 200, path)
  for (const path of ['/phone-page.ts', '/constructor', '/../people.ts', '/%2e%2e/people.ts']) {
    assert.equal((await get(path)).answer.status, 404, path)
  }
  assert.equal((await get('/messages', 'DELETE')).answer.status, 405)
})

test('a taken port is said at once', async (t) => {
  const { phone } = await start(t)
  const { accountSid, authToken } = TWILIO
  const standIn = createTwilioStandIn({ accountSid, authToken, clock: () => 0 })
  const port = Number(phone.url.port)
  await assert.rejects(startPhone({ port, standIn, owners: {}, clock: () => 0 }), {
    code: 'EADDRINUSE',
  })
})

test('in a browser a message arrives by itself and its code is copied with one tap', async (t) => {
  const { phone, send } = await start(t)
  const browser = await launchBrowser()
  t.after(() => browser.close())
  const context = await browser.newContext()
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await send(ALICE, body('111111'))
  await page.goto(phone.url.href)
  const alice = page.locator('article', { hasText: 'alice' })
  await alice.locator('.code', { hasText: '111111' }).waitFor()
  await send(ALICE, body('222222'))
  await send(STRANGER, body('333333'))
  await alice.locator('.arrived .code', { hasText: '222222' }).waitFor()
  await page.locator('article', { hasText: 'Unknown' }).locator('.code').waitFor()
  assert.equal(await alice.locator('.arrived').count(), 1)
  await alice.getByRole('button', { name: 'Copy code' }).click()
  await alice.getByText('Copied').waitFor()
  assert.equal(await page.evaluate('navigator.clipboard.readText()'), '222222')
  assert.deepEqual(complaints, [])
})
