import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileAnswerHeaders, mayTrailResponse } from '../../proxy/upstream/answer-headers.ts'

const answerHeaders = compileAnswerHeaders(['stepgate', 'stepgate-browser'])

function passing(status: number, ...raw: string[]): string[] {
  return answerHeaders(
    raw.map((text) => Buffer.from(text, 'latin1')),
    status,
    [],
  )
}

for (const name of [
  ...['Connection', 'Keep-Alive', 'Proxy-Connection', 'Proxy-Authenticate', 'TE', 'Trailer'],
  ...['Transfer-Encoding', 'Upgrade', 'X-Stepgate-Acr', 'x-stepgate', 'X_STEPGATE_ACR'],
]) {
  test(`an application's ${name} does not reach the browser`, () => {
    assert.deepEqual(passing(200, 'A', '1', name, 'x', 'B', '2'), ['A', '1', 'B', '2'])
  })
}

test('what Connection names goes, whatever its case and place', () => {
  const raw = ['X-Hop', '1', 'Connection', 'Close, x-hop', 'connection', 'X-Too', 'x-too', '2']
  assert.deepEqual(passing(200, ...raw, 'X-Stays', '3'), ['X-Stays', '3'])
})

for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
  test(`a header called ${name} is a header like any other`, () => {
    const raw = ['X-Frame-Options', 'DENY', name, 'X-Frame-Options', 'Content-Length', '2']
    assert.deepEqual(passing(200, ...raw), raw)
    assert.equal(mayTrailResponse(name), true)
  })
}

test('a length beside chunked framing is not believed', () => {
  const chunked = ['Transfer-Encoding', 'chunked']
  assert.deepEqual(passing(200, 'Content-Length', '5', ...chunked), [])
  assert.deepEqual(passing(200, ...chunked, 'Content-Length', '5'), [])
})

const cookies: [setCookie: string, passes: boolean][] = [
  ['a=1; Path=/', true],
  ['a=stepgate=1', true],
  ['stepgates=1', true],
  ['stepgate.x=1', true],
  ['stepgate=1; Path=/', false],
  ['\tSTEPGATE =1', false],
  ['stepgate', false],
  ['stepgate.12=1', false],
  ['=stepgate=1', false],
  [' = =Stepgate-Browser=1', false],
]
for (const [setCookie, passes] of cookies) {
  test(`Set-Cookie: ${setCookie} ${passes ? 'passes' : 'is dropped'}`, () => {
    const expected = passes ? ['Set-Cookie', setCookie] : []
    assert.deepEqual(passing(200, 'Set-Cookie', setCookie), expected)
  })
}
