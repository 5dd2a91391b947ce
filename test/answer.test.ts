import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { type Answer, writeAnswer } from '../proxy/answer.ts'
import { listen } from '../proxy/listen.ts'
import { rawRequest, sendRaw } from './support/raw-exchange.ts'

test('an answer says how long it is, but for one that has no content', async (t) => {
  const answers: Answer[] = [
    { status: 200, headers: { 'X-A': 'b' }, setCookies: ['a=1', 'b=2'], body: 'grün' },
    { status: 303, headers: { Location: '/x' }, body: '' },
    { status: 204, headers: {}, body: '' },
  ]
  const server = createServer((_, outgoing) => {
    const answer = answers.shift()
    if (answer !== undefined) writeAnswer({ outgoing, requestId: 'the-id' }, answer, true)
  })
  const address = await listen(server, { kind: 'tcp', host: '127.0.0.1', port: 0 })
  t.after(() => server.close())
  const port = Number(address.split(':').at(-1))
  const ask = () => sendRaw(t, port, rawRequest('GET / HTTP/1.1', ['Host: a']))

  const page = await ask()
  assert.match(page, /^HTTP\/1.1 200 [\s\S]*\r\nX-Request-Id: the-id\r\nX-A: b\r\n/)
  assert.match(page, /\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n/)
  assert.match(page, /\r\nContent-Length: 5\r\n/)
  assert.match(await ask(), /^HTTP\/1.1 303 [\s\S]*\r\nContent-Length: 0\r\n/)
  assert.doesNotMatch(await ask(), /Content-Length|Transfer-Encoding/i)
})
