import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTokenReader, type TokenReaderParts } from '../../proxy/bearer/token-reader.ts'
import type { Verified } from '../../proxy/bearer/verify-token.ts'
import { CONFIG, keptLog, NOW } from '../sign-in/parts.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const CLIENT = '192.0.2.1'
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
  const kindAt = async (now: number, token = 't', address = CLIENT) =>
    (await reader.read(token, now, address)).kind
  return { reader, asked, kindAt, lines }
}

const introspecting = (introspection: number) =>
  ({
    ...CONFIG,
    bearer: { audiences: ['a'], introspection },
  }) as unknown as TokenReaderParts['config']

test('a token is verified once, and then comes without a promise for five minutes', async () => {
  const { reader, asked, kindAt } = open(() => valid({ exp: NOW / SECOND + 36_000 }))
  const first = await reader.read('t', NOW, CLIENT)
  assert.equal(first.kind, 'accepted')
  const again = reader.read('t', NOW + 5 * MINUTE - 1, CLIENT)
  assert.ok(!(again instanceof Promise))
  assert.deepEqual(again, first)
  assert.equal(await kindAt(NOW + 5 * MINUTE), 'accepted')
  assert.equal(await kindAt(NOW - SECOND), 'accepted')
  assert.equal(await kindAt(NOW, 'other'), 'accepted')
  assert.deepEqual(asked, ['t', 't', 't', 'other'])
})

test('a token is verified again when it expires, however little of the five minutes has gone by', async () => {
  const { reader, asked, kindAt } = open(() => valid({ exp: NOW / SECOND + 60 }))
  await kindAt(NOW)
  assert.ok(!(reader.read('t', NOW + 2 * MINUTE - 1, CLIENT) instanceof Promise))
  await kindAt(NOW + 2 * MINUTE)
  assert.equal(asked.length, 2)
})

test('requests that come while a known token is verified again wait for the one answer', async () => {
  let { promise, resolve } = Promise.withResolvers<Verified>()
  resolve(valid())
  const { asked, kindAt } = open(() => promise)
  await kindAt(NOW)
  ;({ promise, resolve } = Promise.withResolvers<Verified>())
  const all = Array.from({ length: 200 }, () => kindAt(NOW + 5 * MINUTE))
  assert.equal(asked.length, 2)
  resolve(valid())
  assert.deepEqual(new Set(await Promise.all(all)), new Set(['accepted']))
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
  const read = await reader.read('t', NOW, CLIENT)
  assert.equal(read.kind === 'accepted' && read.until, NOW + CONFIG.session.lifetime)
})

test('the provider is asked again about a token that is no good after five seconds', async () => {
  const inactive: Verified = { kind: 'invalid', reason: 'inactive' }
  const { reader, asked, kindAt } = open(() => inactive, { config: introspecting(60 * SECOND) })
  assert.deepEqual(await reader.read('t', NOW, CLIENT), { kind: 'invalid', reason: 'inactive' })
  assert.deepEqual(reader.read('t', NOW + 4_999, CLIENT), { kind: 'invalid', reason: 'inactive' })
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
    [{ code: 'OAUTH_TIMEOUT', failures: 1 }],
  )
  const broken = open(() => Promise.reject(new TypeError('t')))
  assert.equal(await broken.kindAt(NOW), 'unavailable')
  assert.deepEqual(broken.lines[0]?.fields, { error: 'TypeError', failures: 1 })
})

/** A reader that knows token `good` and whose every other token hangs until `finish`. */
async function opened() {
  const { promise, resolve } = Promise.withResolvers<Verified>()
  const config = introspecting(60 * SECOND)
  const opened = open(() => (opened.asked.at(-1) === 'good' ? valid() : promise), { config })
  assert.equal(await opened.kindAt(NOW, 'good'), 'accepted')
  const flood = (count: number, addressOf: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => {
      const token = `${addressOf(index)} ${index}`
      return opened.kindAt(NOW, token, addressOf(index))
    })
  return { ...opened, flood, finish: resolve }
}

test('no more than a hundred unknown tokens are verified at once, and a known one always is', async () => {
  const { asked, flood, kindAt, finish } = await opened()
  const made = flood(300, (index) => `192.0.2.${index % 200}`)
  assert.equal(asked.length, 1 + 100)
  assert.equal(await kindAt(NOW + 60 * SECOND, 'good'), 'accepted')
  assert.equal(asked.length, 1 + 100 + 1)
  finish({ kind: 'invalid', reason: 'inactive' })
  const kinds = await Promise.all(made)
  assert.equal(kinds.filter((kind) => kind === 'invalid').length, 100)
  assert.equal(kinds.filter((kind) => kind === 'unavailable').length, 200)
  assert.equal(await kindAt(NOW, 'another'), 'invalid')
})

test('one client has no more than half of that', async () => {
  for (const addressOf of [() => '192.0.2.1', (index: number) => `2001:db8::${index}`]) {
    const { asked, flood, kindAt, finish } = await opened()
    const made = flood(90, addressOf)
    assert.equal(asked.length, 1 + 50)
    const other = kindAt(NOW, 'of another client', '2001:db8:0:1::1')
    assert.equal(asked.length, 1 + 51)
    finish(valid())
    assert.equal(await other, 'accepted')
    await Promise.all(made)
    assert.equal(await kindAt(NOW, 'later', addressOf(0)), 'accepted')
  }
})

test('a token that is good no longer is as unknown as any other', async () => {
  let answer = valid()
  const { promise, resolve } = Promise.withResolvers<Verified>()
  const reader = open(() => (reader.asked.at(-1) === 't' ? answer : promise))
  await reader.kindAt(NOW)
  answer = { kind: 'invalid', reason: 'signature' }
  assert.equal(await reader.kindAt(NOW + 5 * MINUTE), 'invalid')
  const made = Array.from({ length: 50 }, (_, index) => reader.kindAt(NOW, `made-up ${index}`))
  assert.equal(await reader.kindAt(NOW + 5 * MINUTE), 'unavailable')
  resolve(answer)
  await Promise.all(made)
})

test('the log hears of failures once a minute, and how many there were', async () => {
  const { kindAt, lines } = open(() => ({ kind: 'unavailable', code: 'OAUTH_TIMEOUT' }))
  for (let now = NOW; now < NOW + 2 * MINUTE; now += SECOND) await kindAt(now)
  await kindAt(NOW + 2 * MINUTE)
  await kindAt(NOW - SECOND)
  assert.deepEqual(
    lines.map(({ fields }) => fields),
    [1, 60, 60, 1].map((failures) => ({ code: 'OAUTH_TIMEOUT', failures })),
  )
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
  assert.deepEqual(reader.read('t', NOW, CLIENT), { kind: 'invalid', reason: 'revoked' })
  assert.equal(await kindAt(NOW, 'other'), 'invalid')
})
