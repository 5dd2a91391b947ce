import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { after, before, type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { startCli } from '../support/cli.ts'
import { rawRequest } from '../support/raw-exchange.ts'
import { type Surroundings, startSurroundings } from '../support/surroundings.ts'
import { until } from '../support/until.ts'
import { MB, peakMissing, peakOf } from '../support/volume.ts'
import { listen } from '../upstream/sockets.ts'

/** `IDLE_CONNECTIONS=10000 node --test …` needs as many open files here and there. */
const MANY = Number(process.env.IDLE_CONNECTIONS ?? 2000)
/** What they may take, in MB: 16 kB each, and what lies around. */
const SOCKETS = 48 + (MANY * 16) / 1024
const HOST = 'Host: app.example.com'
/** 10 MB of zeros. */
const BOMB = gzipSync(Buffer.alloc(10 * MB))

let around: Surroundings
before(async () => {
  around = await startSurroundings()
})
after(() => around.close())

async function start(t: TestContext) {
  const application = createServer((request, response) => {
    request.resume()
    if (request.url === '/endless') {
      const fill = () => {
        while (response.write(Buffer.alloc(65_536, 'x')));
      }
      response.on('drain', fill)
      fill()
    } else if (request.url === '/bomb') {
      response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(BOMB)
    } else {
      request.on('end', () => response.end('served'))
    }
  })
  const env = around.env({
    STEPGATE_UPSTREAM: `http://127.0.0.1:${await listen(t, application)}`,
    STEPGATE_RULES: 'public /**',
    STEPGATE_ACCESS_LOG: 'off',
  })
  const cli = startCli(t, ['start'], { env })
  await cli.until(/"msg":"stepgate is listening"/)
  const isServed = async () => (await (await fetch(new URL('/x', around.url))).text()) === 'served'
  assert.ok(await isServed())
  const open = async (bytes: string): Promise<Socket> => {
    const socket = connect(Number(around.url.port), '127.0.0.1').on('error', () => {})
    t.after(() => socket.destroy())
    await once(socket, 'connect')
    if (bytes !== '') socket.write(bytes)
    return socket
  }
  return { cli, open, isServed }
}

for (const [what, count, bytes, most] of [
  ['that say nothing', MANY, '', SOCKETS],
  ['that never end their headers', MANY, `GET / HTTP/1.1\r\n${HOST}\r\nX-A: `, SOCKETS],
  [
    'with 60 kB of headers that never end',
    200,
    `GET / HTTP/1.1\r\n${HOST}\r\n${`X-A: ${'x'.repeat(1000)}\r\n`.repeat(58)}`,
    96,
  ],
  [
    'that never end their content',
    500,
    rawRequest('POST / HTTP/1.1', [HOST, 'Content-Length: 9'], 'x'),
    64,
  ],
  [
    'that take nothing of an endless response',
    200,
    rawRequest('GET /endless HTTP/1.1', [HOST]),
    192,
  ],
] as const) {
  test(`${count} connections ${what} cost memory of a fixed size, and others are served`, {
    skip: peakMissing,
  }, async (t) => {
    const { cli, open, isServed } = await start(t)
    const before = peakOf(cli.pid)
    const sockets: Socket[] = []
    while (sockets.length < count) {
      const socket = await open(bytes)
      sockets.push(socket.pause())
    }
    assert.ok(await isServed())
    const growth = (peakOf(cli.pid) - before) / MB
    t.diagnostic(`${growth.toFixed(1)} MB, ${((growth * 1024) / count).toFixed(1)} kB each`)
    assert.ok(growth < most, `${growth} MB more`)
  })
}

test('many times a megabyte of headers costs no more than once', {
  skip: peakMissing,
}, async (t) => {
  const { cli, open, isServed } = await start(t)
  const before = peakOf(cli.pid)
  const flood = `GET / HTTP/1.1\r\n${HOST}\r\n${`X-A: ${'x'.repeat(1018)}\r\n`.repeat(1024)}`
  for (let count = 0; count < 50; count++) {
    const socket = await open(flood)
    await once(socket.resume(), 'close')
  }
  await until(async () => cli.stdout().split('"reason":"header-size"').length === 51)
  assert.ok(await isServed())
  assert.ok(peakOf(cli.pid) - before < 64 * MB)
})

test('what is compressed passes as it is, both ways', async (t) => {
  const { cli, open, isServed } = await start(t)
  const before = peakMissing ? 0 : peakOf(cli.pid)
  const down = await open(rawRequest('GET /bomb HTTP/1.1', [HOST, 'Connection: close']))
  const pieces: Buffer[] = []
  down.on('data', (piece) => pieces.push(piece as Buffer))
  await once(down, 'close')
  const answer = Buffer.concat(pieces)
  assert.match(answer.toString('latin1'), /^HTTP\/1\.1 200 .*\r\ncontent-encoding: gzip\r\n/is)
  assert.ok(answer.includes(BOMB.subarray(100)))
  const headers = [HOST, 'Content-Encoding: gzip', `Content-Length: ${BOMB.length}`]
  const up = await open(rawRequest('POST / HTTP/1.1', headers))
  up.write(BOMB)
  const [piece] = await once(up, 'data')
  assert.match(String(piece), /^HTTP\/1\.1 200 /)
  assert.ok(await isServed())
  if (!peakMissing) assert.ok(peakOf(cli.pid) - before < 32 * MB)
})
