import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { startCountingUpstream, valuesUnder } from '../support/counting-upstream.ts'
import { openDoor } from '../support/door.ts'
import { rawRequest, sendRaw, statusesOf } from '../support/raw-exchange.ts'

async function start(t: TestContext, assertion: 'on' | 'off') {
  const upstream = await startCountingUpstream()
  const door = await openDoor({
    env: {
      STEPGATE_UPSTREAM: upstream.origin.origin,
      STEPGATE_RULES: 'public /public; basic /**',
      STEPGATE_ASSERTION: assertion,
    },
  })
  t.after(async () => {
    await door.close()
    await upstream.close()
  })
  const cookie = await door.cookieOf({ groups: ['hr'] })
  const ask = async (path: string, headers: readonly string[]) => {
    const fixed = ['Host: app.example.com', 'Connection: close', ...headers]
    const text = await sendRaw(t, door.port, rawRequest(`GET ${path} HTTP/1.1`, fixed))
    return { text, arrivals: upstream.take() }
  }
  const keys = new URL(`http://127.0.0.1:${door.port}/_stepgate/jwks.json`)
  return { door, ask, cookie, keys }
}

const FORGED = ['X-Stepgate-Assertion: forged', 'x_stepgate.assertion: forged']

test('the application can check who is asking by what is published, and nobody else says so', async (t) => {
  const { ask, cookie, keys } = await start(t, 'on')
  const { arrivals } = await ask('/x', [cookie, ...FORGED])
  const [token, ...others] = arrivals.flatMap((each) => valuesUnder(each, 'X-Stepgate-Assertion'))
  assert.deepEqual(others, [])
  const { payload } = await jwtVerify(token ?? '', createRemoteJWKSet(keys), {
    algorithms: ['ES256'],
    issuer: 'https://app.example.com',
    audience: 'https://app.example.com',
  })
  assert.deepEqual([payload.sub, payload.groups], ['subject-of-alice', ['hr']])

  const again = await ask('/public', [cookie])
  assert.deepEqual(
    again.arrivals.flatMap((each) => valuesUnder(each, 'X-Stepgate-Assertion')),
    [token],
  )
  const nobody = await ask('/public', FORGED)
  assert.equal(nobody.arrivals.length, 1)
  assert.deepEqual(
    valuesUnder(nobody.arrivals[0] ?? { rawHeaders: [] }, 'X-Stepgate-Assertion'),
    [],
  )

  const response = await fetch(keys)
  assert.equal(response.headers.get('cache-control'), 'public, max-age=3600')
  assert.doesNotMatch(await response.text(), /"d"/)
})

test('off, there is neither header nor key', async (t) => {
  const { ask, cookie, keys } = await start(t, 'off')
  const { text, arrivals } = await ask('/x', [cookie, ...FORGED])
  assert.deepEqual(statusesOf(text), [200])
  assert.deepEqual(
    arrivals.flatMap((each) => valuesUnder(each, 'X-Stepgate-Assertion')),
    [],
  )
  assert.equal((await fetch(keys)).status, 404)
})
