import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, createServer as createEntrance } from 'node:net'
import { type TestContext, test } from 'node:test'
import { acceptProxied } from '../../proxy/listener/accept-proxied.ts'
import { setPeer } from '../../proxy/listener/peer.ts'
import { createLog } from '../../proxy/log.ts'
import { listen } from '../upstream/sockets.ts'

type Options = { headersTimeout?: number; trusted?: boolean }

async function serve(t: TestContext, timeout: number, options: Options = {}) {
  const { headersTimeout = 60_000, trusted = true } = options
  const lines: string[] = []
  const log = createLog({ level: 'info', access: false }, { write: (line) => lines.push(line) })
  const inner = createServer({ headersTimeout, connectionsCheckingInterval: 20 }, (_, response) =>
    response.end('yes'),
  )
  let now = 0
  const clock = () => now
  const outer = acceptProxied(inner, { trusted: () => trusted, timeout, clock, log })
  outer.listen(0, '127.0.0.1')
  await once(outer, 'listening')
  t.after(() => outer.close())
  t.after(() => inner.close())
  const dial = (bytes: string) => {
    const socket = connect((outer.address() as AddressInfo).port, '127.0.0.1')
    t.after(() => socket.destroy())
    socket.on('error', () => {}).write(bytes)
    return socket
  }
  const turn = (ms: number) => {
    now += ms
  }
  /** A connection as from this address. */
  const dialFrom = async (address: string, bytes: string) => {
    const entrance = createEntrance((socket) => {
      setPeer(socket, { address, port: 4711 })
      outer.emit('connection', socket)
    })
    const port = await listen(t, entrance)
    const socket = connect(port, '127.0.0.1')
    t.after(() => socket.destroy())
    socket.on('error', () => {}).write(bytes)
    return socket
  }
  return { dial, dialFrom, lines, turn }
}

test('a header that takes too long ends the connection', async (t) => {
  const { dial, lines } = await serve(t, 30)
  const silent = dial('')
  const begun = dial('PROXY TCP4 ')
  await Promise.all([once(silent, 'close'), once(begun, 'close')])
  assert.match(lines[0] ?? '', /"reason":"too_late"/)
})

test('a request that takes too long behind the header is looked after', async (t) => {
  const { dial } = await serve(t, 60_000, { headersTimeout: 50 })
  const socket = dial('PROXY UNKNOWN\r\nGET / HT')
  socket.resume()
  await once(socket, 'close')
})

test('who scans makes a line a minute, which says how many they were', async (t) => {
  const { dial, lines, turn } = await serve(t, 60_000)
  for (let count = 0; count < 5; count++) await once(dial('GET / HTTP/1.1\r\n\r\n'), 'close')
  assert.equal(lines.length, 1)
  turn(60_000)
  await once(dial('GET / HTTP/1.1\r\n\r\n'), 'close')
  assert.match(lines[1] ?? '', /"connections":5/)
})

test('of those who are not trusted only this machine may come, and name nobody', async (t) => {
  const { dialFrom, lines } = await serve(t, 60_000, { trusted: false })
  const ask = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
  const textOf = async (address: string, header: string) => {
    const socket = await dialFrom(address, `${header}\r\n${ask}`)
    return (
      await socket
        .setEncoding('latin1')
        .toArray()
        .catch(() => [])
    ).join('')
  }
  const named = 'PROXY TCP4 203.0.113.9 192.0.2.1 4711 443'
  assert.match(await textOf('127.0.0.1', 'PROXY UNKNOWN'), / 200 /)
  assert.match(await textOf('::1', 'PROXY UNKNOWN'), / 200 /)
  for (const [address, header] of [
    ['203.0.113.50', 'PROXY UNKNOWN'],
    ['203.0.113.50', named],
    ['127.0.0.1', named],
  ] as const) {
    assert.equal(await textOf(address, header), '')
  }
  assert.match(lines[0] ?? '', /"client":"203\.0\.113\.50","reason":"not_trusted"/)
})
