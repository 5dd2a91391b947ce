import assert from 'node:assert/strict'
import { constants } from 'node:http2'
import { type TestContext, test } from 'node:test'
import { answerOf, ask, connectHttp2 } from '../support/http2-client.ts'
import { connectFrames, END_HEADERS, FRAME, frame, requestFields } from '../support/http2-frames.ts'
import { openTlsDoor } from '../support/tls-door.ts'
import { until } from '../support/until.ts'

const SMALL = {
  STEPGATE_MAX_HEADER_SIZE: '16KB',
  STEPGATE_MAX_HEADERS: '20',
  STEPGATE_MAX_URL: '4KB',
  STEPGATE_MAX_BODY: '1KB',
}
const IDLE = { STEPGATE_BODY_IDLE_TIMEOUT: '1s' }

async function open(
  t: TestContext,
  env: Readonly<Record<string, string>>,
  answer?: Parameters<typeof openTlsDoor>[2],
) {
  const { door, upstream } = await openTlsDoor(t, { env }, answer)
  const session = await connectHttp2(t, door.port)
  const denied = () => door.logs('request.denied').map(({ reason }) => reason)
  return { door, upstream, session, denied }
}

test('headers, targets and content beyond the limits are refused, and the connection goes on', async (t) => {
  const { session, upstream, denied } = await open(t, SMALL)
  const path = { ':path': '/public/x' }
  const many = Object.fromEntries(Array.from({ length: 25 }, (_, at) => [`x-${at}`, 'y']))
  for (const [headers, body, status, error] of [
    [{ ...path, ...many }, undefined, 431, 'header-count'],
    [{ ...path, 'x-large': 'x'.repeat(17_000) }, undefined, 431, 'header-size'],
    [{ ':path': `/public/${'x'.repeat(4096)}` }, undefined, 414, 'url-length'],
    [{ ...path, ':method': 'POST', 'content-length': '1025' }, 'x'.repeat(1025), 413, 'body-size'],
    [{ ...path, ':method': 'POST' }, 'x'.repeat(1025), 413, 'body-size'],
  ] as const) {
    const answer = await ask(session, headers, body)
    assert.equal(answer.status, status, error)
    assert.equal(JSON.parse(answer.body).error, error)
  }
  assert.equal(denied().length, 5)
  assert.deepEqual(upstream.take(), [])
  const cookies = Array.from({ length: 50 }, (_, at) => `c${at}=x`)
  assert.equal((await ask(session, { ...path, cookie: cookies })).status, 200)
})

test('a client that goes on sending what was refused is stopped without an error', async (t) => {
  const { session } = await open(t, SMALL)
  const stream = session.request({
    ':path': '/public/x',
    ':authority': 'app.example.com',
    ':method': 'POST',
  })
  stream.write('x'.repeat(1025))
  const { status, body, reset } = await answerOf(stream)
  assert.deepEqual([status, reset], [413, constants.NGHTTP2_NO_ERROR])
  assert.equal(JSON.parse(body).error, 'body-size')
})

test('content that stands still is answered by 408', async (t) => {
  const { session, denied } = await open(t, IDLE)
  const stream = session.request({
    ':path': '/public/x',
    ':authority': 'app.example.com',
    ':method': 'POST',
  })
  stream.write('abc')
  const { status, body } = await answerOf(stream)
  assert.equal(status, 408)
  assert.equal(JSON.parse(body).error, 'body-idle')
  assert.deepEqual(denied(), ['body-idle'])
  assert.equal((await ask(session, { ':path': '/public/x' })).status, 200)
})

test('a response that nobody takes is reset, and a silent one of the same connection is not', async (t) => {
  const { session, denied } = await open(t, IDLE, (request, response) => {
    if (request.url === '/public/large') response.end(Buffer.alloc(3_000_000, 'x'))
    else if (request.url === '/public/silent') response.write('begun')
    else response.end('yes')
  })
  const fields = (path: string) => ({ ':path': path, ':authority': 'app.example.com' })
  const silent = session.request(fields('/public/silent')).on('error', () => {})
  await new Promise((resolve) => silent.once('data', resolve))
  // Without a reader its window is never opened again.
  const large = session.request(fields('/public/large'))
  large.on('error', () => {})
  await new Promise((resolve) => large.once('close', resolve))
  assert.equal(large.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM)
  assert.deepEqual(denied(), ['response-idle'])
  assert.ok(!silent.closed)
  assert.equal((await ask(session, fields('/public/x'))).status, 200)
})

test('a connection that takes nothing at all ends', async (t) => {
  const { door, denied } = await open(t, IDLE, (_, response) => {
    response.end(Buffer.alloc(20_000_000, 'x'))
  })
  const client = await connectFrames(t, door.port)
  const window = Buffer.alloc(4)
  window.writeUInt32BE(0x7fff_0000)
  const WINDOW_UPDATE = 8
  client.send(
    frame(WINDOW_UPDATE, 0, 0, window),
    frame(FRAME.HEADERS, END_HEADERS | 1, 1, requestFields()),
    frame(WINDOW_UPDATE, 0, 1, window),
  )
  client.socket.pause()
  const ended = new Promise((resolve) => client.socket.once('close', resolve))
  await until(async () => denied().includes('response-idle'))
  await until(async () => door.logs('request').some(({ complete }) => complete === false))
  client.socket.resume()
  await ended
})
