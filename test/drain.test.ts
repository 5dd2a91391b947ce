import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import {
  createServer,
  get,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect as connectSecurely } from 'node:tls'
import { prepareDrain } from '../proxy/drain.ts'
import { endsSoon } from '../proxy/listener/linger.ts'
import { createCertificate } from './support/slapd-certificate.ts'
import { until } from './support/until.ts'

const LONG = 60_000

async function listen(t: TestContext, server: Server, patience = LONG) {
  const drain = prepareDrain(server, patience)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { drain, port: (server.address() as AddressInfo).port }
}

const serve = (t: TestContext, listener: RequestListener, patience?: number) =>
  listen(t, createServer(listener), patience)

function open(t: TestContext, port: number, text = ''): Socket {
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  socket.write(text)
  return socket
}

const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: app.example.com\r\n\r\n`

async function textOf(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('latin1').on('data', (piece) => {
    text += piece
  })
  await once(socket, 'close')
  return text
}

test('connections without a request close at once, used ones and new ones', async (t) => {
  const { drain, port } = await serve(t, (_, response) => response.end('done'))
  const fresh = open(t, port)
  await once(fresh, 'connect')
  const used = open(t, port, request('/'))
  await once(used, 'data')
  await drain()
})

test('a response whose head is not sent yet ends, and says that the connection does', async (t) => {
  let answer = () => {}
  const { drain, port } = await serve(t, (_, response) => {
    answer = () => response.end('whole')
    started()
  })
  let started = () => {}
  const asked = new Promise<void>((resolve) => {
    started = resolve
  })
  const text = textOf(open(t, port, request('/')))
  await asked
  const drained = drain()
  answer()
  await drained
  assert.match(await text, /Connection: close[\s\S]*whole$/)
})

test('a response in the middle of its body ends, and the kept-alive connection with it', async (t) => {
  let finish = () => {}
  const { drain, port } = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('first')
    finish = () => response.end('-last')
  })
  const socket = open(t, port, request('/'))
  await once(socket, 'data')
  const text = textOf(socket)
  const drained = drain()
  finish()
  assert.equal(await text, '-last')
  await drained
})

test('a response that a slow reader has not read yet arrives whole', async (t) => {
  const size = 30_000_000
  const { drain, port } = await serve(t, (_, response) => response.end(Buffer.alloc(size, 'x')))
  const response = await new Promise<IncomingMessage>((resolve) => {
    get({ port, host: '127.0.0.1' }, resolve)
  })
  const drained = drain()
  let read = 0
  for await (const piece of response) read += piece.length
  assert.equal(read, size)
  await drained
})

test('of two requests sent in one go, both are answered', async (t) => {
  let drained: Promise<void> | undefined
  const { drain, port } = await serve(t, ({ url }, response) => {
    if (url === '/first') {
      response.end('answer to /first')
      return
    }
    drained = drain()
    setImmediate(() => setImmediate(() => response.end(`answer to ${url}`)))
  })
  const text = await textOf(open(t, port, request('/first') + request('/second')))
  assert.match(text, /answer to \/first[\s\S]*answer to \/second$/)
  await drained
})

test('of requests that are all under way each is answered, and only the last says that it is', async (t) => {
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
  ]) {
    const answers: (() => void)[] = []
    let late = 0
    const { drain, port } = await serve(t, ({ url, socket }, response) => {
      if (endsSoon(socket)) return void late++
      answers.push(() => response.end(`answer to ${url}`))
    })
    const socket = open(t, port, request('/0') + request('/1') + request('/2'))
    const text = textOf(socket)
    await until(async () => answers.length === 3)
    const drained = drain()
    socket.write(request('/too-late'))
    await until(async () => late === 1)
    for (const which of order) answers[which]?.()
    await drained
    assert.match(await text, /answer to \/0[\s\S]*answer to \/1[\s\S]*answer to \/2$/)
    assert.deepEqual((await text).match(/^connection: \S+/gim), [
      'Connection: keep-alive',
      'Connection: keep-alive',
      'Connection: close',
    ])
  }
})

test('an answer that waits for an earlier one, and did not know that it is the last, arrives', async (t) => {
  let answer = () => {}
  let asked = 0
  const { drain, port } = await serve(t, ({ url }, response) => {
    asked += 1
    if (url === '/first') answer = () => response.end('answer to /first')
    else response.end('answer to /second')
  })
  const text = textOf(open(t, port, request('/first') + request('/second')))
  await until(async () => asked === 2)
  const drained = drain()
  answer()
  assert.match(await text, /answer to \/first[\s\S]*answer to \/second$/)
  await drained
})

test('patience has an end', async (t) => {
  let asked = () => {}
  const started = new Promise<void>((resolve) => {
    asked = resolve
  })
  const { drain, port } = await serve(t, () => asked(), 50)
  const text = textOf(open(t, port, request('/never')))
  await started
  await drain()
  assert.equal(await text, '')
})

test('of TLS connections the idle ones close at once, the others after their response', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'stepgate-drain-'))
  t.after(() => rm(folder, { recursive: true }))
  const { cert, key } = await createCertificate(folder, 'IP:127.0.0.1')
  const pem = { cert: await readFile(cert), key: await readFile(key) }
  let finish = () => {}
  const server = createSecureServer(pem, ({ url }, response) => {
    if (url === '/idle') {
      response.end('ok')
      return
    }
    response.writeHead(200, { 'content-length': 10 }).write('first')
    finish = () => response.end('-last')
  })
  const { drain, port } = await listen(t, server)
  const openSecurely = (path: string) => {
    const socket = connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false })
    t.after(() => socket.destroy())
    socket.on('error', () => {}).write(request(path))
    return socket
  }
  const idle = openSecurely('/idle')
  const used = openSecurely('/used')
  await Promise.all([once(idle, 'data'), once(used, 'data')])
  const text = textOf(used)
  const drained = drain()
  await once(idle, 'close')
  finish()
  assert.equal(await text, '-last')
  await drained
})
