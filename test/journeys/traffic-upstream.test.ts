import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { openDoor } from '../support/door.ts'
import { freePort } from '../support/free-port.ts'
import { headerOf, rawRequest, sendRaw, statusesOf } from '../support/raw-exchange.ts'
import { createCertificate } from '../support/slapd-certificate.ts'
import type { LogLine } from '../support/world.ts'
import { answering, listen, rawApplication, rawClient } from '../upstream/sockets.ts'

const HEADERS = ['Host: app.example.com', 'Connection: close']
const PAGE = ['Sec-Fetch-Mode: navigate', 'Accept: text/html']

async function doorTo(
  t: TestContext,
  upstream: string,
  env: Readonly<Record<string, string>> = {},
) {
  const door = await openDoor({
    env: { STEPGATE_UPSTREAM: upstream, STEPGATE_DEFAULT_ACR: 'basic', ...env },
  })
  t.after(() => door.close())
  const cookie = await door.cookieOf()
  const ask = (line: string, headers: readonly string[] = [], body = '') =>
    sendRaw(t, door.port, rawRequest(`${line} HTTP/1.1`, [...HEADERS, cookie, ...headers], body))
  return { ...door, cookie, ask }
}

type Asking = Awaited<ReturnType<typeof doorTo>>

/** A page for a person, JSON for a program, both with the id that the log has. */
async function assertFailure({ ask, logs }: Asking, status: number, kind: string, outcome: string) {
  const form = ['Content-Type: application/x-www-form-urlencoded', 'Content-Length: 7']
  const [page, json, posted] = await Promise.all([
    ask('GET /x?secret=canary', PAGE),
    ask('GET /x'),
    ask('POST /x', [...PAGE, ...form], 'a=b&c=d'),
  ])
  for (const text of [page, json, posted]) {
    assert.deepEqual(statusesOf(text), [status])
    const id = headerOf(text, 'x-request-id')
    const failed = (line: LogLine) =>
      line.msg === 'The application did not answer' && line.request_id === id
    assert.deepEqual(
      logs()
        .filter(failed)
        .map((line) => line.outcome),
      [outcome],
    )
    assert.ok(text.split('\r\n\r\n')[1]?.includes(`${id}`))
  }
  for (const text of [page, posted]) assert.match(text, /^content-type: text\/html/im)
  assert.match(page, /href="\/x\?secret=canary"/)
  // Nobody should send a form again without knowing.
  assert.doesNotMatch(posted, /href="\/x"/)
  const shown = { error: kind, request_id: headerOf(json, 'x-request-id') }
  assert.deepEqual(JSON.parse(json.split('\r\n\r\n')[1] ?? ''), shown)
}

test('an application that is down is a 502, and its return is noticed', async (t) => {
  const port = await freePort()
  const door = await doorTo(t, `http://127.0.0.1:${port}`)
  await assertFailure(door, 502, 'upstream_unreachable', 'unreachable')

  const application = createServer((_, response) => response.end('back'))
  t.after(() => application.close())
  await new Promise<void>((resolve) => application.listen(port, '127.0.0.1', resolve))
  assert.match(await door.ask('GET /x'), /back$/)
})

test('an application that hangs is a 504', async (t) => {
  const { origin, connections } = await rawApplication(t, () => {})
  const door = await doorTo(t, origin.origin, { STEPGATE_UPSTREAM_TIMEOUT: '1s' })
  await assertFailure(door, 504, 'upstream_timed_out', 'timed-out')
  assert.ok(
    connections.every(
      ({ received }) => received.startsWith('GET /x') || received.startsWith('POST /x'),
    ),
  )
})

for (const [name, bytes] of [
  ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  ['endless headers', `HTTP/1.1 200 OK\r\nX-A: ${'x'.repeat(200_000)}`],
] as const) {
  test(`an application that answers with ${name} is a 502`, async (t) => {
    const { origin } = await rawApplication(t, answering(bytes))
    const door = await doorTo(t, origin.origin)
    await assertFailure(door, 502, 'upstream_invalid_response', 'invalid-response')
  })
}

test('a response that is cut in the middle is cut for the client, and nothing is added', async (t) => {
  for (const head of [
    'Content-Length: 100\r\n\r\nhalf',
    'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
  ]) {
    const { origin } = await rawApplication(t, ({ socket, received }) => {
      if (!received.includes('\r\n\r\n')) return
      socket.end(`HTTP/1.1 200 OK\r\n${head}`)
    })
    const door = await doorTo(t, origin.origin)
    const text = await door.ask('GET /x', PAGE)
    assert.deepEqual(statusesOf(text), [200])
    assert.match(text, /half(\r\n)?$/)
    const line = door.logs().find(({ msg }) => msg === 'The application did not answer')
    assert.equal(line?.outcome, 'cut-off')
    while (door.logs('request').length === 0) await setImmediate()
    assert.equal(door.logs('request').at(-1)?.complete, false)
  }
})

test('a second response that nobody asked for reaches nobody', async (t) => {
  const yes = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes'
  const { origin } = await rawApplication(t, answering(yes + yes.replace('yes', 'bad')))
  const door = await doorTo(t, origin.origin)
  for (let count = 0; count < 3; count++) assert.match(await door.ask(`GET /${count}`), /yes$/)
})

test('a client that leaves takes its request away from the application', async (t) => {
  const gone = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const { origin } = await rawApplication(t, ({ socket }) => {
    socket.once('close', () => gone.resolve())
    asked.resolve()
  })
  const door = await doorTo(t, origin.origin)
  const { socket } = rawClient(
    t,
    door.port,
    rawRequest('GET /x HTTP/1.1', [...HEADERS, door.cookie]),
  )
  await asked.promise
  socket.destroy()
  await gone.promise
})

test('an application behind a unix socket', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'stepgate-upstream-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'app.sock')
  const seen: string[] = []
  const application = createServer(({ headers, url }, response) => {
    seen.push(`${url} ${headers.host} ${headers['x-forwarded-user']}`)
    response.end('by socket')
  })
  await listen(t, application, path)
  const door = await doorTo(t, `unix:${path}`)
  assert.match(await door.ask('GET /x'), /by socket$/)
  assert.deepEqual(seen, ['/x app.example.com alice'])
})

test('an application behind TLS is believed by its certificate alone', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'stepgate-upstream-'))
  t.after(() => rm(folder, { recursive: true }))
  const { ca, cert, key } = await createCertificate(folder, 'IP:127.0.0.1')
  const seen: string[] = []
  const application = createSecureServer(
    { cert: await readFile(cert), key: await readFile(key) },
    ({ headers }, response) => {
      seen.push(`${headers['x-forwarded-user']}`)
      response.end('by TLS')
    },
  )
  const upstream = `https://127.0.0.1:${await listen(t, application)}`
  const strange = await doorTo(t, upstream)
  await assertFailure(strange, 502, 'upstream_unreachable', 'unreachable')
  assert.deepEqual(seen, [])

  const before = getCACertificates('default')
  setDefaultCACertificates([...before, await readFile(ca, 'utf8')])
  t.after(() => setDefaultCACertificates(before))
  const known = await doorTo(t, upstream)
  assert.match(await known.ask('GET /x'), /by TLS$/)
  assert.deepEqual(seen, ['alice'])
})
