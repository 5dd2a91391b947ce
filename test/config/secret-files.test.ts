import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import test from 'node:test'
import { VARIABLE_NAMES, VARIABLES } from '../../proxy/config/variables.ts'
import { CANARIES, LDAP_ENV, loadedOk, loadWith, REDIS_URL, sentences } from './valid-env.ts'

const FULL = {
  ...LDAP_ENV,
  STEPGATE_TWILIO_API_KEY_SID: `SK${'1b'.repeat(16)}`,
  STEPGATE_TWILIO_API_KEY_SECRET: CANARIES.apiKey,
  STEPGATE_HEADERS: 'X-Key={secret}',
  STEPGATE_HEADERS_SECRET: CANARIES.headers,
  STEPGATE_STORE: REDIS_URL,
}

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const WITH_KEY = {
  ...FULL,
  STEPGATE_OIDC_CLIENT_SECRET: '',
  STEPGATE_OIDC_CLIENT_KEY: JSON.stringify(privateKey.export({ format: 'jwk' })),
}

const SECRETS = VARIABLE_NAMES.filter((name) => 'secret' in VARIABLES[name])

test('there are eight secrets', () => {
  assert.deepEqual(SECRETS, [
    'SESSION_SECRET',
    'OIDC_CLIENT_SECRET',
    'OIDC_CLIENT_KEY',
    'TWILIO_TOKEN',
    'TWILIO_API_KEY_SECRET',
    'LDAP_BIND_PASSWORD',
    'STORE',
    'HEADERS_SECRET',
  ])
})

for (const name of SECRETS) {
  const variable = `STEPGATE_${name}`
  const base: Record<string, string> = name === 'OIDC_CLIENT_KEY' ? WITH_KEY : FULL
  const value = base[variable] ?? ''

  test(`${variable} can come from a file, which one line break may end`, () => {
    const expected = loadedOk(loadWith({}, {}, base))
    for (const ending of ['', '\n', '\r\n']) {
      const changes = { [variable]: undefined, [`${variable}_FILE`]: '/run/s' }
      const loaded = loadedOk(loadWith(changes, { '/run/s': value + ending }, base))
      assert.deepEqual(loaded.secrets, expected.secrets)
    }
    const two = { [variable]: '', [`${variable}_FILE`]: '/run/s' }
    const problems = sentences(loadWith(two, { '/run/s': `${value}\n\n` }, base))
    const trimmed = ['SESSION_SECRET', 'OIDC_CLIENT_KEY', 'STORE'].includes(name)
    if (!trimmed) assert.match(problems.join(), /line break/)
  })

  test(`${variable} from both places is an error`, () => {
    const changes = { [`${variable}_FILE`]: '/run/s' }
    assert.deepEqual(sentences(loadWith(changes, { '/run/s': value }, base)), [
      `${variable} is set, and so is ${variable}_FILE; keep one of the two`,
    ])
  })

  test(`${variable} from a file that can't be read names path and errno`, () => {
    const changes = { [variable]: undefined, [`${variable}_FILE`]: '/run/gone' }
    assert.deepEqual(sentences(loadWith(changes, {}, base)), [
      `${variable} comes from ${variable}_FILE, but "/run/gone" can't be read: there is no such file or folder (ENOENT)`,
    ])
  })

  test(`${variable} from an empty file is an error`, () => {
    const changes = { [variable]: undefined, [`${variable}_FILE`]: '/run/s' }
    assert.deepEqual(sentences(loadWith(changes, { '/run/s': '\n' }, base)), [
      `${variable} is empty in the file of ${variable}_FILE`,
    ])
  })
}
