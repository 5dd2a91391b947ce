import assert from 'node:assert/strict'
import { test } from 'node:test'
import { channelsTo } from '../../proxy/sms/channels.ts'
import { loadedOk, loadWith } from '../config/valid-env.ts'

const MOBILE = '+4915228817386'
const LANDLINE = '+493012345678'
const AMERICAN = '+12125550123'
const PREMIUM = '+499001234567'

function reach(changes: Readonly<Record<string, string>> = {}) {
  return loadedOk(loadWith({ STEPGATE_SMS_COUNTRIES: 'DE,US', ...changes })).config
}

test('a mobile is texted first and a landline called first; who can be both counts as a mobile', () => {
  assert.deepEqual(channelsTo(MOBILE, reach()), ['sms', 'call'])
  assert.deepEqual(channelsTo(LANDLINE, reach()), ['call', 'sms'])
  assert.deepEqual(channelsTo(AMERICAN, reach()), ['sms', 'call'])
})

test('without a caller nobody is called, not even a landline', () => {
  const off = reach({ STEPGATE_TWILIO_VOICE_FROM: 'off' })
  assert.deepEqual(channelsTo(MOBILE, off), ['sms'])
  assert.deepEqual(channelsTo(LANDLINE, off), ['sms'])
})

test('calls have countries of their own', () => {
  const swiss = reach({ STEPGATE_VOICE_COUNTRIES: 'US,CH' })
  assert.deepEqual(channelsTo(MOBILE, swiss), ['sms'])
  assert.deepEqual(channelsTo('+41791234567', swiss), ['call'])
  assert.deepEqual(channelsTo('+436641234567', swiss), [])
})

test('a service number is neither texted nor called', () => {
  assert.deepEqual(channelsTo(PREMIUM, reach()), [])
})
