import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import test from 'node:test'
import { describeConfig, MASK } from '../../proxy/config/describe-config.ts'
import { parseClientKey } from '../../proxy/config/parse-client-key.ts'
import { loadedOk, loadWith, sentences } from './valid-env.ts'

const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ED = generateKeyPairSync('ed25519').privateKey

const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString()
const jwk = (key: KeyObject, more: object = {}) =>
  JSON.stringify({ ...key.export({ format: 'jwk' }), ...more })
const publicPem = EC.publicKey.export({ type: 'spki', format: 'pem' }).toString()

/** With a key instead of the secret. */
function loadKey(text: string, changes: Record<string, string | undefined> = {}) {
  const secret = { STEPGATE_OIDC_CLIENT_SECRET: undefined, STEPGATE_OIDC_CLIENT_KEY_FILE: '/key' }
  return loadWith({ ...secret, ...changes }, { '/key': text })
}

function keyOf(...load: Parameters<typeof loadKey>) {
  const { oidcCredential: key } = loadedOk(loadKey(...load)).secrets
  assert.ok(typeof key === 'object')
  return key
}

test('a client may have a key instead of a secret, in PEM or as JWK', () => {
  const rsaAlgs = ['RS256', 'PS256', 'RS384', 'PS384', 'RS512', 'PS512']
  const sec1 = EC.privateKey.export({ type: 'sec1', format: 'pem' }).toString()
  const pkcs1 = RSA.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  for (const [text, key, algs] of [
    [pem(EC.privateKey), EC.privateKey, ['ES256']],
    [sec1, EC.privateKey, ['ES256']],
    [jwk(EC.privateKey), EC.privateKey, ['ES256']],
    [`${publicPem}some words\n${pem(EC.privateKey)}`, EC.privateKey, ['ES256']],
    [pem(RSA.privateKey), RSA.privateKey, rsaAlgs],
    [pkcs1, RSA.privateKey, rsaAlgs],
    [` \n${jwk(RSA.privateKey)}`, RSA.privateKey, rsaAlgs],
    [pem(ED), ED, ['EdDSA', 'Ed25519']],
  ] as const) {
    const read = keyOf(text)
    assert.ok(read.key.equals(key))
    assert.deepEqual(read.algs, algs)
    assert.equal(read.kid, undefined)
  }
  const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey
  assert.deepEqual(keyOf(pem(p521)).algs, ['ES512'])
})

test('kid and alg are those of the JWK, or as configured', () => {
  const own = jwk(RSA.privateKey, { kid: 'mine', alg: 'PS256', use: 'sig', key_ops: ['sign'] })
  assert.deepEqual([keyOf(own).kid, keyOf(own).algs], ['mine', ['PS256']])
  const changes = { STEPGATE_OIDC_CLIENT_KEY_ID: 'other', STEPGATE_OIDC_CLIENT_KEY_ALG: 'ps512' }
  const configured = keyOf(pem(RSA.privateKey), changes)
  assert.deepEqual([configured.kid, configured.algs], ['other', ['PS512']])
  assert.deepEqual(sentences(loadKey(own, { STEPGATE_OIDC_CLIENT_KEY_ALG: 'RS256' })), [
    'STEPGATE_OIDC_CLIENT_KEY_ALG is RS256, but the key of STEPGATE_OIDC_CLIENT_KEY has PS256',
  ])
})

test('what is no such key is refused at start, and nothing of it is said', () => {
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
  const koblitz = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey
  const agreement = generateKeyPairSync('x25519').privateKey
  const locked = EC.privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'x',
  })
  const cut = pem(EC.privateKey).replace(/.{20}\n-----END/, '\n-----END')
  for (const [text, words] of [
    ['hunter2', /neither a private key in PEM form nor a JWK$/],
    [publicPem, /a public key only; that one is for the provider/],
    ['-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----', /a public key only/],
    [jwk(EC.publicKey), /a public key only/],
    [String(locked), /its key has a passphrase/],
    [cut, /no private key that can be read; it may be cut off$/],
    [jwk(EC.privateKey, { x: 'hunter2' }), /no private key that can be read/],
    [jwk(EC.privateKey).slice(0, -5), /begins like a JWK, but is no JSON/],
    [JSON.stringify({ keys: [{ d: 'hunter2' }] }), /it is a set of keys/],
    [JSON.stringify({ kty: 'oct', k: 'hunter2' }), /belongs into STEPGATE_OIDC_CLIENT_SECRET/],
    [jwk(EC.privateKey, { use: 'enc' }), /not meant to sign with/],
    [jwk(EC.privateKey, { key_ops: ['deriveKey'] }), /not meant to sign with/],
    [jwk(EC.privateKey, { alg: 'ES384' }), /another "alg" than its key has: ES256/],
    [jwk(EC.privateKey, { alg: 7 }), /another "alg" than its key has/],
    [pem(short), /its RSA key has 1024 bits; 2048 are the least/],
    [pem(koblitz), /its curve is none of P-256, P-384 and P-521/],
    [pem(agreement), /another kind than RSA, EC and Ed25519/],
  ] as const) {
    const [sentence = '', ...others] = sentences(loadKey(text))
    assert.match(sentence, /^STEPGATE_OIDC_CLIENT_KEY is not usable: /)
    assert.match(sentence, words)
    assert.deepEqual(others, [])
    assert.doesNotMatch(sentence, /hunter2/)
  }
  for (const odd of ['{}', '{"d":7}', '{"d":"x"}', '{"d":"x","kty":"EC","crv":"P-256"}', '{']) {
    assert.equal(parseClientKey(odd).kind, 'wrong', odd)
  }
})

test('secret and key are one of the two', () => {
  const both = { STEPGATE_OIDC_CLIENT_SECRET: 'a-secret' }
  assert.deepEqual(sentences(loadKey(pem(EC.privateKey), both)), [
    'STEPGATE_OIDC_CLIENT_KEY is set, and so is STEPGATE_OIDC_CLIENT_SECRET; keep one of the two',
  ])
  assert.deepEqual(sentences(loadWith({ STEPGATE_OIDC_CLIENT_SECRET: undefined })), [
    'STEPGATE_OIDC_CLIENT_SECRET is not set, and neither is STEPGATE_OIDC_CLIENT_KEY; one of the two is needed',
  ])
  const idle = { STEPGATE_OIDC_CLIENT_KEY_ID: 'k', STEPGATE_OIDC_CLIENT_KEY_ALG: 'ES256' }
  assert.deepEqual(sentences(loadWith(idle)), [
    'STEPGATE_OIDC_CLIENT_KEY_ID is set, but without STEPGATE_OIDC_CLIENT_KEY there is no key',
    'STEPGATE_OIDC_CLIENT_KEY_ALG is set, but without STEPGATE_OIDC_CLIENT_KEY there is no key',
  ])
})

test('a key is described by its name only', () => {
  const text = pem(RSA.privateKey)
  const described = (changes = {}) => {
    const { config, secrets } = loadedOk(loadKey(text, changes))
    return describeConfig(config, secrets)
  }
  assert.match(
    described(),
    new RegExp(`^STEPGATE_OIDC_CLIENT_KEY=${MASK.replaceAll('*', '\\*')}$`, 'm'),
  )
  assert.doesNotMatch(described(), /PRIVATE|CLIENT_SECRET|CLIENT_KEY_ALG|CLIENT_KEY_ID/)
  const chosen = { STEPGATE_OIDC_CLIENT_KEY_ID: 'k1', STEPGATE_OIDC_CLIENT_KEY_ALG: 'PS256' }
  assert.match(
    described(chosen),
    /^STEPGATE_OIDC_CLIENT_KEY_ID=k1\nSTEPGATE_OIDC_CLIENT_KEY_ALG=PS256$/m,
  )
})
