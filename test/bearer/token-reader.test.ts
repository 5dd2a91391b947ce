import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTokenReader, type TokenReaderParts } from '../../proxy/bearer/token-reader.ts'
import type { Verified } from '../../proxy/bearer/verify-token.ts'
import { CONFIG, keptLog, NOW } from '../sign-in/parts.ts'

const SECOND = 1000
const valid = (claims: object = {}): Verified => ({
  kind: 'valid',
  claims: { sub: 's', exp: NOW / SECOND + 300, ...claims },
})

function open(answer: () => Verified | Promise<Verified>, parts: Partial<TokenReaderParts> = {}) {
  const { log, lines } = keptLog()
  const asked: string[] = []
  const reader = createTokenReader({
    verify: async (token) => {
      asked.push(token)
      return answer()
    },
    config: { ...CONFIG, bearer: { audiences: ['a'] } } as unknown as TokenReaderParts['config'],
    isRevoked: () => false,
    log,
    ...parts,
  })
  const kindAt = async (now: number, token = 't') => (await reader.read(token, now)).kind
  return { reader, asked, kindAt, lines }
}

const introspecting = (introspection: number) =>
  ({
    ...CONFIG,
    bearer: { audiences: ['a'], introspection },
  }) as unknown as TokenReaderParts['config']

test('a token is verified once, and then comes without a promise until it expires', async () => {
  const { reader, asked, kindAt } = open(valid)
  const first = await reader.read('t', NOW)
  assert.equal(first.kind, 'accepted')
  const again = reader.read('t', NOW + 359 * SECOND)
  assert.ok(!(again instanceof Promise))
  assert.deepEqual(again, first)
  assert.equal(await kindAt(NOW + 360 * SECOND), 'accepted')
  assert.equal(await kindAt(NOW - SECOND), 'accepted')
  assert.equal(await kindAt(NOW, 'other'), 'accepted')
  assert.deepEqual(asked, ['t', 't', 't', 'other'])
})

test('an answer of the provider is believed as long as it is configured, and never longer than the token lives', async () => {
  for (const [introspection, last] of [
    [10 * SECOND, 10 * SECOND],
    [3600 * SECOND, 300 * SECOND],
  ] as const) {
    const { asked, kindAt } = open(valid, { config: introspecting(introspection) })
    await kindAt(NOW)
    await kindAt(NOW + last - 1)
    assert.equal(asked.length, 1)
    await kindAt(NOW + last)
    assert.equal(asked.length, 2)
  }
})

test('a token without an end ends as a session would', async () => {
  const { reader } = open(() => valid({ exp: undefined }), { config: introspecting(10 * SECOND) })
  const read = await reader.read('t', NOW)
  assert.equal(read.kind === 'accepted' && read.until, NOW + CONFIG.session.lifetime)
})

test('the provider is asked again about a token that is no good after five seconds', async () => {
  const inactive: Verified = { kind: 'invalid', reason: 'inactive' }
  const { reader, asked, kindAt } = open(() => inactive, { config: introspecting(60 * SECOND) })
  assert.deepEqual(await reader.read('t', NOW), { kind: 'invalid', reason: 'inactive' })
  assert.deepEqual(reader.read('t', NOW + 4_999), { kind: 'invalid', reason: 'inactive' })
  assert.equal(asked.length, 1)
  await kindAt(NOW + 5_000)
  assert.equal(asked.length, 2)
})

test('a JWT that is no good may be good as soon as its key is known', async () => {
  let answer: Verified = { kind: 'invalid', reason: 'signature' }
  const { kindAt } = open(() => answer)
  assert.equal(await kindAt(NOW), 'invalid')
  answer = valid()
  assert.equal(await kindAt(NOW), 'accepted')
})

test('what could not be checked is not remembered, and is told to the log without the token', async () => {
  let answer: Verified = { kind: 'unavailable', code: 'OAUTH_TIMEOUT' }
  const { kindAt, lines } = open(() => answer)
  assert.equal(await kindAt(NOW), 'unavailable')
  answer = valid()
  assert.equal(await kindAt(NOW), 'accepted')
  assert.deepEqual(
    lines.map(({ fields }) => fields),
    [{ code: 'OAUTH_TIMEOUT' }],
  )
  const broken = open(() => Promise.reject(new TypeError('t')))
  assert.equal(await broken.kindAt(NOW), 'unavailable')
  assert.deepEqual(broken.lines[0]?.fields, { error: 'TypeError' })
})

test('one token is verified once at a time, and no more than a hundred are', async () => {
  const { promise, resolve } = Promise.withResolvers<Verified>()
  const { reader, asked, kindAt } = open(() => promise)
  const all = Array.from({ length: 300 }, (_, index) => kindAt(NOW, `t${index % 150}`))
  assert.equal(asked.length, 100)
  resolve(valid())
  const kinds = await Promise.all(all)
  assert.equal(kinds.filter((kind) => kind === 'accepted').length, 200)
  assert.equal(kinds.filter((kind) => kind === 'unavailable').length, 100)
  assert.ok(!(reader.read('t0', NOW) instanceof Promise))
  assert.equal(await kindAt(NOW, 't149'), 'accepted')
})

test('made-up tokens push no good one out', async () => {
  const { asked, kindAt } = open(
    () => (asked.at(-1) === 't' ? valid() : { kind: 'invalid', reason: 'inactive' }),
    { config: introspecting(60 * SECOND) },
  )
  await kindAt(NOW)
  for (let made = 0; made < 11_000; made++) await kindAt(NOW, `made-up ${made}`)
  const before = asked.length
  assert.equal(await kindAt(NOW), 'accepted')
  assert.equal(asked.length, before)
})

test('what was revoked is no good, though it was remembered', async () => {
  let revoked = false
  const { reader, kindAt } = open(valid, { isRevoked: () => revoked })
  assert.equal(await kindAt(NOW), 'accepted')
  revoked = true
  assert.deepEqual(reader.read('t', NOW), { kind: 'invalid', reason: 'revoked' })
  assert.equal(await kindAt(NOW, 'other'), 'invalid')
})
