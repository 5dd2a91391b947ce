import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { openDoor } from '../support/door.ts'
import { freePort } from '../support/free-port.ts'
import { headerOf, rawRequest, sendRaw, statusesOf } from '../support/raw-exchange.ts'
import { listen, rawApplication, rawClient } from '../upstream/sockets.ts'

const PAGE = ['Sec-Fetch-Mode: navigate', 'Accept: text/html']

async function named(t: TestContext, name: string) {
  const seen: string[] = []
  const server = createServer(({ method, url, headers }, response) => {
    seen.push(`${method} ${headers.host} ${url} ${headers['x-forwarded-user']}`)
    response.end(name)
  })
  return { origin: `http://127.0.0.1:${await listen(t, server)}`, seen }
}

async function doorTo(t: TestContext, upstream: string, rules = '') {
  const env = { STEPGATE_UPSTREAM: upstream, STEPGATE_RULES: rules, STEPGATE_DEFAULT_ACR: 'basic' }
  const door = await openDoor({ env })
  t.after(() => door.close())
  const cookie = await door.cookieOf()
  const ask = (path: string, host = 'app.example.com', headers = [cookie]) =>
    sendRaw(
      t,
      door.port,
      rawRequest(`GET ${path} HTTP/1.1`, [`Host: ${host}`, 'Connection: close', ...headers]),
    )
  return { ...door, cookie, ask }
}

test('each application gets what is for it, unchanged, and the log says which it was', async (t) => {
  const [app, api, shop] = [await named(t, 'app'), await named(t, 'api'), await named(t, 'shop')]
  const door = await doorTo(
    t,
    `${app.origin}\n/api → ${api.origin}\nshop.example.com → ${shop.origin}`,
  )
  for (const [path, host, body] of [
    ['/api/v1?x=1', 'app.example.com', 'api'],
    ['/API/v2', 'app.example.com', 'api'],
    ['/%61pi/v3', 'app.example.com:443', 'api'],
    ['/apis', 'app.example.com', 'app'],
    ['/api/v4', 'SHOP.example.com', 'shop'],
  ] as const) {
    assert.ok((await door.ask(path, host)).endsWith(`\r\n\r\n${body}`), path)
  }
  assert.deepEqual(api.seen, [
    'GET app.example.com /api/v1?x=1 alice',
    'GET app.example.com /API/v2 alice',
    'GET app.example.com:443 /%61pi/v3 alice',
  ])
  assert.deepEqual(app.seen, ['GET app.example.com /apis alice'])
  assert.deepEqual(shop.seen, ['GET SHOP.example.com /api/v4 alice'])
  while (door.logs('request').length < 5) await setImmediate()
  assert.deepEqual(
    door.logs('request').map(({ upstream }) => upstream),
    [api.origin, api.origin, api.origin, app.origin, shop.origin],
  )
})

test('what no line covers is a page that says so, after the rules have been asked', async (t) => {
  const api = await named(t, 'api')
  const door = await doorTo(t, `/api → ${api.origin}`, 'deny /secret/**')
  const page = await door.ask('/x', 'app.example.com', [door.cookie, ...PAGE])
  assert.deepEqual(statusesOf(page), [404])
  assert.match(page, /content-type: text\/html/i)
  assert.ok(page.includes(headerOf(page, 'x-request-id') ?? '?'))
  const json = await door.ask('/x')
  assert.deepEqual(statusesOf(json), [404])
  assert.equal(JSON.parse(json.split('\r\n\r\n')[1] ?? '').error, 'no_upstream')
  // Who is not signed in learns nothing of what there is.
  assert.deepEqual(statusesOf(await door.ask('/x', 'app.example.com', [])), [401])
  assert.deepEqual(statusesOf(await door.ask('/secret/x')), [403])
  assert.deepEqual(api.seen, [])
})

test('one address that is down is noticed by the log alone, and the failure of all names one', async (t) => {
  const well = await named(t, 'well')
  const down = `http://127.0.0.1:${await freePort()}`
  const door = await doorTo(t, `${down}, ${well.origin}; /gone → ${down}`)
  for (let count = 0; count < 4; count++) assert.match(await door.ask('/x'), /well$/)
  const passedOver = door.logs().filter(({ msg }) => String(msg).includes('passed over'))
  assert.deepEqual(
    passedOver.map(({ level, upstream, code }) => [level, upstream, code]),
    [['warn', down, 'ECONNREFUSED']],
  )
  assert.deepEqual(statusesOf(await door.ask('/gone')), [502])
  const [failed] = door.logs().filter(({ msg }) => msg === 'The application did not answer')
  assert.equal(failed?.upstream, down)
})

test('nobody is told to send a body but by the application, or by a page that reads it', async (t) => {
  const { origin } = await rawApplication(t, ({ socket, received }) => {
    if (received.endsWith('body')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    else if (received.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 100 Continue\r\n\r\n')
  })
  const door = await doorTo(t, origin.origin, 'deny /denied; twilio_sms /code')
  const post = (path: string, ...headers: readonly string[]) =>
    rawRequest(`POST ${path} HTTP/1.1`, [
      'Host: app.example.com',
      'Expect: 100-continue',
      'Content-Length: 4',
      ...headers,
    ])
  for (const [path, status, ...headers] of [
    ['/x', 401],
    ['/denied', 403, door.cookie],
    ['/code', 401, door.cookie],
    ['//', 400, door.cookie],
  ] as const) {
    const { text } = await rawClient(t, door.port, post(path, ...headers)).ended
    assert.deepEqual(statusesOf(text), [status], path)
  }
  for (const [path, body, status] of [
    ['/x', 'body', 200],
    ['/_stepgate/otp', 'c=12', 303],
  ] as const) {
    const sent = post(path, door.cookie, 'Connection: close')
    const client = rawClient(t, door.port, sent)
    await client.until((text) => text === 'HTTP/1.1 100 Continue\r\n\r\n')
    client.socket.write(body)
    assert.deepEqual(statusesOf((await client.ended).text), [100, status], path)
  }
  const unknown = post('/x', door.cookie, 'Connection: close').replace('100-continue', 'miracles')
  assert.deepEqual(statusesOf(await sendRaw(t, door.port, `${unknown}body`)), [200])
})
