import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ironHapi } from '../../proxy/session/iron-hapi.ts'
import { ironSession } from '../../proxy/session/iron-session.ts'

const PASSWORD = 'a password of 32 characters, at least'

test('two seals of one thing have nothing in common but their beginning', async () => {
  const [one, other] = await Promise.all([1, 2].map(() => ironHapi.seal({ a: 1 }, '7', PASSWORD)))
  const [first = [], second = []] = [one, other].map((sealed) => sealed?.split(/[*~]/))
  assert.equal(first.length, 9)
  for (const place of [2, 3, 4, 6, 7]) assert.notEqual(first[place], second[place])
  assert.deepEqual(first.slice(0, 2), ['Fe26.2', '7'])
  assert.notEqual(first[2], first[6], 'two keys: one encrypts, one signs')
})

test('a seal has what iron-session’s has, each part as long', async () => {
  const shape = (sealed: string) => sealed.split(/[*~]/).map((part) => part.length)
  const value = { typ: 't', value: 'ü'.repeat(100) }
  assert.deepEqual(
    shape(await ironHapi.seal(value, '7', PASSWORD)),
    shape(await ironSession.seal(value, '7', PASSWORD)),
  )
})

test('a seal that was changed, or is by a password that is not there, is nothing', async () => {
  const sealed = await ironHapi.seal({ a: 1 }, '7', PASSWORD)
  assert.deepEqual(await ironHapi.unseal(sealed, { 7: PASSWORD }), { a: 1 })
  assert.deepEqual(await ironHapi.unseal(sealed, { 8: PASSWORD }), {})
  assert.deepEqual(await ironHapi.unseal(sealed, {}), {})
  assert.deepEqual(await ironHapi.unseal(`${sealed}x`, { 7: PASSWORD }), {})
  assert.deepEqual(await ironHapi.unseal(sealed.slice(0, -2), { 7: PASSWORD }), {})
  const named = sealed.split('*').with(1, 'constructor').join('*')
  assert.deepEqual(await ironHapi.unseal(named, { 7: PASSWORD }), {})
})
