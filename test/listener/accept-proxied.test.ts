import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { acceptProxied } from '../../proxy/listener/accept-proxied.ts'
import { createLog } from '../../proxy/log.ts'

async function serve(t: TestContext, timeout: number, headersTimeout = 60_000) {
  const lines: string[] = []
  const log = createLog({ level: 'info', access: false }, { write: (line) => lines.push(line) })
  const inner = createServer({ headersTimeout, connectionsCheckingInterval: 20 }, (_, response) =>
    response.end('yes'),
  )
  let now = 0
  const clock = () => now
  const outer = acceptProxied(inner, { trusted: () => true, timeout, clock, log })
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
  return { dial, lines, turn }
}

test('a header that takes too long ends the connection', async (t) => {
  const { dial, lines } = await serve(t, 30)
  const silent = dial('')
  const begun = dial('PROXY TCP4 ')
  await Promise.all([once(silent, 'close'), once(begun, 'close')])
  assert.match(lines[0] ?? '', /"reason":"too_late"/)
})

test('a request that takes too long behind the header is looked after', async (t) => {
  const { dial } = await serve(t, 60_000, 50)
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
