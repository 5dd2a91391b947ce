import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CountryCode, getCountries } from 'libphonenumber-js/max'
import {
  isAllowedNumber,
  isServiceNumber,
  mayBeReached,
  restrictSender,
} from '../../proxy/sms/allowed-countries.ts'
import type { SmsMessage, VoiceCall } from '../../proxy/sms/sender.ts'

const ALL = getCountries()

test('a number is allowed in its own country and in no other', () => {
  const numbers: readonly [string, CountryCode][] = [
    ['+4915228817386', 'DE'],
    ['+41791234567', 'CH'],
    // Shared calling codes
    ['+12125550123', 'US'],
    ['+14165550123', 'CA'],
    ['+18765551234', 'JM'],
    ['+447400123456', 'GB'],
    ['+447797712345', 'JE'],
    ['+79161234567', 'RU'],
    ['+77012345678', 'KZ'],
  ]
  for (const [number, own] of numbers) {
    assert.equal(isAllowedNumber(number, [own]), true, number)
    const others = ALL.filter((country) => country !== own)
    assert.equal(isAllowedNumber(number, others), false, number)
  }
})

test('numbers of no country are refused whatever is allowed', () => {
  for (const number of ['+80012345678', '+88213300655', '+8816123456', '+99912345678', '', 'x']) {
    assert.equal(isAllowedNumber(number, ALL), false, number)
  }
})

test('a number that could belong to several countries needs them all', () => {
  const unlisted = '+35812345678'
  assert.equal(isAllowedNumber(unlisted, ['FI']), false)
  assert.equal(isAllowedNumber(unlisted, ['AX']), false)
  assert.equal(isAllowedNumber(unlisted, ['FI', 'AX']), true)
})

const SERVICES = {
  'premium rate': ['+499001234567', '+19005550123', '+33899123456', '+41900123456'],
  'toll free': ['+18005550123', '+498001234567'],
  'shared cost': ['+491801123456'],
  pager: ['+49164123456', '+447600123456', '+41740123456'],
  personal: ['+447012345678'],
  voicemail: ['+41860791234567'],
  'universal access': ['+41581234567', '+9221111825888'],
}
for (const [kind, numbers] of Object.entries(SERVICES)) {
  test(`a ${kind} number may not be texted or called in any country, and nobody is asked to`, async () => {
    const sender = restrictSender(
      {
        send: () => assert.fail('asked'),
        call: () => assert.fail('asked'),
        check: async () => ({ kind: 'ok', detail: '' }),
      },
      { sms: ALL, call: ALL },
    )
    for (const to of numbers) {
      assert.equal(isServiceNumber(to), true, to)
      assert.equal(mayBeReached(to, ALL), false, to)
      const refused = { kind: 'refused', reason: 'number_type' }
      assert.deepEqual(await sender.send({ to, body: 'code', validForSeconds: 300 }), refused)
      assert.deepEqual(await sender.call({ to, language: 'en-US', sentences: ['1'] }), refused)
    }
  })
}

test('ordinary numbers, landlines and those of a kind that nobody knows are no services', () => {
  for (const number of ['+4915228817386', '+12125550123', '+493012345678', '+4971012345']) {
    assert.equal(isServiceNumber(number), false, number)
  }
  assert.equal(mayBeReached('+4915228817386', ['DE']), true)
  assert.equal(mayBeReached('+4915228817386', ['AT']), false)
})

test('a restricted sender asks nobody to send to or call another country, and each has its own', async () => {
  const sent: SmsMessage[] = []
  const called: VoiceCall[] = []
  const sender = restrictSender(
    {
      async send(message) {
        sent.push(message)
        return { kind: 'sent', id: 'SM1' }
      },
      async call(call) {
        called.push(call)
        return { kind: 'sent', id: 'CA1' }
      },
      check: async () => ({ kind: 'ok', detail: 'checked' }),
    },
    { sms: ['DE'], call: ['CH'] },
  )
  const message = { to: '+41791234567', body: 'code', validForSeconds: 300 }
  const refused = { kind: 'refused', reason: 'country_not_enabled' }
  assert.deepEqual(await sender.send(message), refused)
  assert.deepEqual(sent, [])
  const german = { ...message, to: '+4915228817386' }
  assert.deepEqual(await sender.send(german), { kind: 'sent', id: 'SM1' })
  assert.deepEqual(sent, [german])
  const call = { to: '+4915228817386', language: 'de-DE', sentences: ['1'] }
  assert.deepEqual(await sender.call(call), refused)
  assert.deepEqual(called, [])
  const swiss = { ...call, to: '+41791234567' }
  assert.deepEqual(await sender.call(swiss), { kind: 'sent', id: 'CA1' })
  assert.deepEqual(called, [swiss])
  assert.deepEqual(await sender.check(), { kind: 'ok', detail: 'checked' })
})

test('a number that is refused is so even while nothing is sent to anybody', () => {
  const paused = { kind: 'paused', reason: 'unavailable', until: 9 } as const
  const sender = restrictSender(
    {
      send: () => assert.fail('asked'),
      call: () => assert.fail('asked'),
      paused: () => paused,
      check: async () => ({ kind: 'ok', detail: '' }),
    },
    { sms: ['DE'], call: ['AT'] },
  )
  assert.equal(sender.paused?.('sms', '+4915228817386'), paused)
  assert.equal(sender.paused?.('call', '+4915228817386'), undefined)
})
