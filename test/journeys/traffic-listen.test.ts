import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createClient } from '../support/cookie-jar.ts'
import { startCountingUpstream, valuesUnder, YES } from '../support/counting-upstream.ts'
import { type DoorOptions, openDoor } from '../support/door.ts'
import { rawRequest, sendRaw, statusesOf } from '../support/raw-exchange.ts'
import { createCertificate } from '../support/slapd-certificate.ts'

async function open(t: TestContext, options: DoorOptions = {}) {
  const upstream = await startCountingUpstream()
  t.after(() => upstream.close())
  const door = await openDoor({
    ...options,
    env: {
      STEPGATE_UPSTREAM: upstream.origin.origin,
      STEPGATE_DEFAULT_ACR: 'basic',
      STEPGATE_RULES: 'public /public',
      ...options.env,
    },
  })
  t.after(() => door.close())
  return { door, upstream }
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'stepgate-door-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}

test('TLS by stepgate itself: a browser takes its cookies and the application hears https', async (t) => {
  const { ca, cert, key } = await createCertificate(await folder(t), 'DNS:app.example.test')
  const { door, upstream } = await open(t, {
    env: {
      STEPGATE_PUBLIC_URL: 'https://app.example.test',
    },
    tls: { certFile: cert, keyFile: key },
  })
  const browser = createClient({ ca: await readFile(ca, 'utf8'), now: door.now })
  t.after(() => browser.close())
  const url = new URL(`https://app.example.test:${door.port}/x`)

  const start = await browser.get(url)
  assert.equal(start.location?.host, 'login.example.com')
  assert.match(
    Object.keys(browser.cookies(url)).join(' '),
    /^__Host-stepgate-browser __Host-stepgate-browser\.\d{8}$/,
  )

  const cookie = (await door.cookieOf()).replace('Cookie: ', '')
  browser.setCookie(url, `${cookie}; Secure; Path=/`)
  assert.equal((await browser.get(url)).text(), YES)
  door.turnClock(30 * 60_000)
  assert.equal((await browser.get(url)).text(), YES)
  assert.deepEqual(browser.refusedCookies(), [])
  assert.notEqual(`__Host-stepgate=${browser.cookies(url)['__Host-stepgate']}`, cookie)
  const [first] = upstream.take()
  assert.ok(first)
  assert.deepEqual(valuesUnder(first, 'x-forwarded-proto'), ['https'])
  assert.deepEqual(valuesUnder(first, 'cookie'), [])

  await sendRaw(t, door.port, rawRequest('GET /public HTTP/1.1', ['Host: app.example.test']))
  assert.deepEqual(upstream.take(), [])
})

/** Sends bytes and a reset before anybody here can have looked. */
function sendAndVanish(port: number, bytes: string): void {
  const program = `
    const [port, bytes] = process.argv.slice(1)
    const socket = require('node:net').connect(Number(port), '127.0.0.1', () =>
      socket.write(bytes, () => socket.resetAndDestroy()))`
  execFileSync(process.execPath, ['-e', program, String(port), bytes])
}

test('who has left before anybody looked sends nothing, and is nobody on a unix socket', async (t) => {
  const post = rawRequest('POST /public HTTP/1.1', [
    'Host: app.example.com',
    'X-Forwarded-For: 203.0.113.7',
    'Content-Length: 0',
  ])
  for (const [protocol, header] of [
    ['off', ''],
    ['on', 'PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n'],
    ['on', 'PROXY UNKNOWN\r\n'],
  ] as const) {
    const { door, upstream } = await open(t, {
      env: { STEPGATE_TRUSTED_PROXIES: 'unix, 127.0.0.1', STEPGATE_PROXY_PROTOCOL: protocol },
    })
    sendAndVanish(door.port, header + post)
    const get = rawRequest('GET /public HTTP/1.1', ['Host: app.example.com', 'Connection: close'])
    assert.deepEqual(statusesOf(await sendRaw(t, door.port, header + get)), [200])
    assert.deepEqual(
      upstream.take().map(({ method }) => method),
      ['GET'],
    )
  }
})

test('a unix socket, with a proxy in front that is believed if it is trusted', async (t) => {
  for (const trusted of [true, false]) {
    const path = join(await folder(t), 'stepgate.sock')
    const { door, upstream } = await open(t, {
      listen: { kind: 'unix', path },
      ...(trusted && { env: { STEPGATE_TRUSTED_PROXIES: 'unix' } }),
    })
    const socket = connect(path)
    socket.write(
      rawRequest('GET /public HTTP/1.1', [
        'Host: app.example.com',
        'Connection: close',
        'X-Forwarded-For: 203.0.113.7',
        'X-Forwarded-Proto: https',
      ]),
    )
    assert.deepEqual(statusesOf((await socket.setEncoding('latin1').toArray()).join('')), [200])
    const [one] = upstream.take()
    assert.ok(one)
    assert.deepEqual(valuesUnder(one, 'x-forwarded-for'), trusted ? ['203.0.113.7'] : [])
    assert.deepEqual(valuesUnder(one, 'x-forwarded-proto'), [trusted ? 'https' : 'http'])
    assert.equal(door.logs('request').at(-1)?.client, trusted ? '203.0.113.7' : 'unix')
  }
})

test('a trusted proxy names the client, beyond it nobody does', async (t) => {
  const { door, upstream } = await open(t, {
    env: { STEPGATE_TRUSTED_PROXIES: '127.0.0.0/8,10.0.0.0/8' },
  })
  const ask = (...headers: readonly string[]) => {
    const fixed = ['Host: app.example.com', 'Connection: close']
    return sendRaw(t, door.port, rawRequest('GET /public HTTP/1.1', [...fixed, ...headers]))
  }
  for (const [sent, client, chain] of [
    ['203.0.113.7', '203.0.113.7', '203.0.113.7, 127.0.0.1'],
    ['198.51.100.1, 203.0.113.7, 10.1.2.3', '203.0.113.7', '203.0.113.7, 10.1.2.3, 127.0.0.1'],
    ['127.0.0.1', '127.0.0.1', '127.0.0.1, 127.0.0.1'],
    ['unknown, rubbish', '127.0.0.1', '127.0.0.1'],
  ] as const) {
    await ask(`X-Forwarded-For: ${sent}`, 'X-Forwarded-Proto: https', 'X-Forwarded-Host: a.example')
    const [one] = upstream.take()
    assert.ok(one)
    assert.deepEqual(valuesUnder(one, 'x-forwarded-for'), [chain])
    assert.deepEqual(valuesUnder(one, 'x-forwarded-proto'), ['https'])
    assert.deepEqual(valuesUnder(one, 'x-forwarded-host'), ['a.example'])
    assert.equal(door.logs('request').at(-1)?.client, client)
  }
  await sendRaw(
    t,
    door.port,
    rawRequest('GET //x HTTP/1.1', ['Host: a', 'X-Forwarded-For: 203.0.113.7']),
  )
  assert.equal(door.logs('request.denied').at(-1)?.client, '203.0.113.7')
})

test('of what a trusted proxy passes on only the headers count that it writes', async (t) => {
  const listed = ['X-Forwarded-For: 203.0.113.7', 'X-Forwarded-Host: a.example']
  const standard = ['Forwarded: for=203.0.113.8;host=b.example']
  for (const [headers, client, host] of [
    ['x-forwarded', '203.0.113.7', 'a.example'],
    ['forwarded', '203.0.113.8', 'b.example'],
  ] as const) {
    const { door, upstream } = await open(t, {
      env: { STEPGATE_TRUSTED_PROXIES: '127.0.0.1', STEPGATE_PROXY_HEADERS: headers },
    })
    const fixed = ['Host: app.example.com', 'Connection: close']
    await sendRaw(
      t,
      door.port,
      rawRequest('GET /public HTTP/1.1', [...fixed, ...listed, ...standard]),
    )
    const [one] = upstream.take()
    assert.ok(one)
    assert.deepEqual(valuesUnder(one, 'x-forwarded-for'), [`${client}, 127.0.0.1`])
    assert.deepEqual(valuesUnder(one, 'x-forwarded-host'), [host])
    assert.deepEqual(valuesUnder(one, 'forwarded'), [
      `for=${client};host=${host};proto=http, for=127.0.0.1`,
    ])
    assert.equal(door.logs('request').at(-1)?.client, client)
  }
})

test('of two hosts that the application hears of, the stricter one is judged', async (t) => {
  const { door, upstream } = await open(t, {
    env: {
      STEPGATE_TRUSTED_PROXIES: '127.0.0.1',
      STEPGATE_RULES: 'public open.example.com/**',
    },
  })
  const ask = (host: string, forwarded: string) => {
    const headers = [`Host: ${host}`, 'Connection: close', `X-Forwarded-Host: ${forwarded}`]
    return sendRaw(t, door.port, rawRequest('GET /x HTTP/1.1', headers))
  }
  assert.deepEqual(statusesOf(await ask('app.example.com', 'open.example.com')), [401])
  assert.deepEqual(statusesOf(await ask('open.example.com', 'app.example.com:81')), [401])
  assert.deepEqual(upstream.take(), [])
  assert.deepEqual(statusesOf(await ask('open.example.com', 'OPEN.example.com:81')), [200])
  assert.equal(upstream.take().length, 1)
})
