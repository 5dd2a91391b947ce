import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeConfig } from '../../proxy/config/describe-config.ts'
import { CANARIES, loadedOk, loadWith } from './valid-env.ts'

const KEY = {
  STEPGATE_TWILIO_API_KEY_SID: `SK${'0c'.repeat(16)}`,
  STEPGATE_TWILIO_API_KEY_SECRET: CANARIES.apiKey,
}
const callbackOf = (changes: Record<string, string | undefined>) =>
  loadedOk(loadWith(changes)).config.twilio.statusCallback?.href

const warningsOf = ({ warnings }: { warnings: readonly string[] }) =>
  warnings.filter((line) => line.includes('STEPGATE_TWILIO_TOKEN')).length

test('Twilio reports deliveries to the public URL', () => {
  const at = 'https://app.example.com/_stepgate/twilio/status'
  assert.equal(callbackOf({}), at)
  assert.equal(callbackOf({ ...KEY }), at)
})

test('an API key alone checks no reports: nobody is asked for them, and a warning says so', () => {
  const loaded = loadedOk(loadWith({ ...KEY, STEPGATE_TWILIO_TOKEN: undefined }))
  assert.equal(loaded.config.twilio.statusCallback, undefined)
  assert.equal(loaded.secrets.twilioToken, undefined)
  assert.equal(warningsOf(loaded), 1)
  assert.equal(warningsOf(loadedOk(loadWith({}))), 0)
})

test('an API key sends and the token checks reports when both are set', () => {
  const { config, secrets } = loadedOk(loadWith(KEY))
  assert.equal(secrets.twilioSecret, CANARIES.apiKey)
  assert.equal(secrets.twilioToken, CANARIES.twilio)
  assert.match(describeConfig(config, secrets), /^STEPGATE_TWILIO_TOKEN=\*+$/m)
})

test('Twilio is given no address that it can not reach or does not take', () => {
  for (const url of ['https://portal', 'https://10.1.2.3', 'https://my_app.example.com']) {
    assert.equal(callbackOf({ STEPGATE_PUBLIC_URL: url }), undefined, url)
  }
})

test('Twilio itself is given no loopback address, a stand-in on this machine is', () => {
  const local = { STEPGATE_PUBLIC_URL: 'http://127.0.0.1:8080' }
  assert.equal(callbackOf(local), undefined)
  assert.equal(
    callbackOf({ ...local, STEPGATE_TWILIO_API_URL: 'https://egress.example.com' }),
    undefined,
  )
  assert.equal(
    callbackOf({ ...local, STEPGATE_TWILIO_API_URL: 'http://127.0.0.1:8083' }),
    'http://127.0.0.1:8080/_stepgate/twilio/status',
  )
})
