import assert from 'node:assert/strict'
import test from 'node:test'
import { describeConfig } from '../../proxy/config/describe-config.ts'
import { CANARIES, LDAP_ENV, loadedOk, loadWith, REDIS_URL, VALID_ENV } from './valid-env.ts'

const FILES = {
  '/tls.crt': '-----BEGIN CERTIFICATE-----',
  '/tls.key': '-----BEGIN PRIVATE KEY-----',
  '/ca.pem': '-----BEGIN CERTIFICATE-----',
  '/pages/logo.svg': '<svg/>',
}

const FULL = {
  ...LDAP_ENV,
  STEPGATE_UPSTREAM: 'unix:/run/app.sock',
  STEPGATE_UPSTREAM_TIMEOUT: '90s',
  STEPGATE_LISTEN: '[::1]:8443',
  STEPGATE_WEBSOCKET_ORIGINS: 'https://portal.example.com none',
  STEPGATE_TLS_CERT_FILE: '/tls.crt',
  STEPGATE_TLS_KEY_FILE: '/tls.key',
  STEPGATE_HTTP2: 'off',
  STEPGATE_PROXY_PROTOCOL: 'on',
  STEPGATE_MAX_HEADER_SIZE: '100kb',
  STEPGATE_MAX_HEADERS: '50',
  STEPGATE_MAX_URL: '8KB',
  STEPGATE_MAX_BODY: 'none',
  STEPGATE_RESUME_MAX_BODY: '2MB',
  STEPGATE_HEADER_TIMEOUT: '7s',
  STEPGATE_BODY_IDLE_TIMEOUT: '8s',
  STEPGATE_KEEP_ALIVE_TIMEOUT: '2m',
  STEPGATE_CONNECTIONS_PER_ADDRESS: '123',
  STEPGATE_SESSION_IDLE: '90s',
  STEPGATE_SESSION_PAGES: 'keep',
  STEPGATE_OIDC_ISSUER: 'https://login.example.com',
  STEPGATE_OIDC_TRUST_ACR: 'mfa hwk',
  STEPGATE_OIDC_ACR_VALUES: 'gold silver',
  STEPGATE_OIDC_CLAIMS: '{"id_token":{"acr":{"essential":true,"values":["gold"]},"x":null}}',
  STEPGATE_OIDC_PROMPT: 'login consent',
  STEPGATE_OIDC_UI_LOCALES: 'de en',
  STEPGATE_OIDC_LOGIN_HINT: 'email',
  STEPGATE_OIDC_PARAMETERS: 'hd=example.com\nresource=https://api.example.com/?a=b',
  STEPGATE_OIDC_PAR: 'on',
  STEPGATE_RULES:
    'public /assets/** /favicon.ico\n# not for all\nbasic /reports/** bearer groups="a;b"',
  STEPGATE_BEARER_AUDIENCE: 'https://api.example.com, reports',
  STEPGATE_BEARER_INTROSPECTION: '90s',
  STEPGATE_ASSERTION: 'on',
  STEPGATE_TWILIO_FROM_NUMBER: '',
  STEPGATE_TWILIO_TOKEN: '',
  STEPGATE_TWILIO_MESSAGING_SERVICE_SID: `MG${'0b'.repeat(16)}`,
  STEPGATE_TWILIO_FALLBACK_FROM: `MG${'0d'.repeat(16)}`,
  STEPGATE_TWILIO_API_KEY_SID: `SK${'0c'.repeat(16)}`,
  STEPGATE_TWILIO_API_KEY_SECRET: CANARIES.apiKey,
  STEPGATE_TWILIO_API_URL: 'http://127.0.0.1:8083',
  STEPGATE_SMS_COUNTRIES: 'DE AT',
  STEPGATE_TWILIO_VOICE_FROM: '+4930123456',
  STEPGATE_VOICE_COUNTRIES: 'DE',
  STEPGATE_VOICE_LIMIT_PERSON: '2/1h',
  STEPGATE_VOICE_BUDGET: '77',
  STEPGATE_LDAP_CA_FILE: '/ca.pem',
  STEPGATE_LDAP_PHONE_ATTRIBUTE: 'mobile,telephoneNumber',
  STEPGATE_STORE: REDIS_URL,
  STEPGATE_STORE_CA_FILE: '/ca.pem',
  STEPGATE_STORE_CERT_FILE: '/tls.crt',
  STEPGATE_STORE_KEY_FILE: '/tls.key',
  STEPGATE_WORKERS: '4',
  STEPGATE_METRICS_LISTEN: '9464',
  STEPGATE_TRUSTED_PROXIES: '10.0.0.0/8,::1',
  STEPGATE_PROXY_HEADERS: 'forwarded',
  STEPGATE_HEADERS:
    'X-Stepgate-Amr=; REMOTE_USER={username}; Authorization=Basic {username}:{secret}',
  STEPGATE_HEADERS_SECRET: CANARIES.headers,
  STEPGATE_ACCESS_LOG: 'off',
  STEPGATE_SUPPORT_CONTACT: 'helpdesk@example.com',
  STEPGATE_BRAND_NAME: 'Acme',
  STEPGATE_BRAND_LOGO: 'logo.svg',
  STEPGATE_BRAND_COLOR: '#0b5fff',
  STEPGATE_PAGES_DIR: '/pages',
}

const SECURE = {
  ...VALID_ENV,
  STEPGATE_UPSTREAM: 'https://app.internal',
  STEPGATE_UPSTREAM_CA_FILE: '/ca.pem',
  STEPGATE_UPSTREAM_CERT_FILE: '/tls.crt',
  STEPGATE_UPSTREAM_KEY_FILE: '/tls.key',
  STEPGATE_UPSTREAM_SERVER_NAME: 'app.example.com',
}

const ASKED = {
  ...VALID_ENV,
  STEPGATE_UPSTREAM: 'none',
  STEPGATE_TRUSTED_PROXIES: '10.0.0.5',
}

function describe(env: Readonly<Record<string, string>>): string {
  const { config, secrets } = loadedOk(loadWith({}, FILES, env))
  return describeConfig(config, secrets)
}

test('no secret is described, and the mask tells nothing of its length', () => {
  for (const env of [VALID_ENV, LDAP_ENV, FULL]) {
    const text = describe(env)
    for (const secret of Object.values(CANARIES)) assert.ok(!text.includes(secret))
    const masked = text
      .split('\n')
      .filter((line) => /SECRET|TOKEN|PASSWORD/.test(line.split('=')[0] ?? ''))
    assert.ok(masked.length >= 3)
    for (const line of masked) assert.match(line, /^STEPGATE_\w+=\*{8}$/)
  }
})

test('secrets that are set are in the description, others are not', () => {
  assert.match(describe(VALID_ENV), /^STEPGATE_TWILIO_TOKEN=/m)
  assert.doesNotMatch(describe(VALID_ENV), /LDAP|API_KEY|HEADERS_SECRET/)
  assert.doesNotMatch(describe(FULL), /TWILIO_TOKEN/)
  for (const name of ['TWILIO_API_KEY_SECRET', 'LDAP_BIND_PASSWORD', 'HEADERS_SECRET']) {
    assert.match(describe(FULL), new RegExp(`^STEPGATE_${name}=`, 'm'))
  }
})

test('of a store all is described but its passwords', () => {
  assert.match(
    describe(FULL),
    /^STEPGATE_STORE=rediss\+sentinel:\/\/stepgate:\*{8}@s1:26379,s2:26380\/mymaster\/2\?prefix=shop&sentinel_username=watcher&sentinel_password=\*{8}$/m,
  )
  assert.match(describe(VALID_ENV), /^STEPGATE_STORE=sqlite:\.\/data\/stepgate\.db$/m)
})

test('one variable a line, whatever is in it', () => {
  for (const line of describe(FULL).trimEnd().split('\n'))
    assert.match(line, /^STEPGATE_[A-Z\d_]+=./)
  assert.match(
    describe(FULL),
    /^STEPGATE_RULES=public \/assets\/\*\* \/favicon\.ico; basic \/reports\/\*\* bearer groups="a;b"$/m,
  )
  const { config, secrets } = loadedOk(loadWith({}))
  const odd = { ...config, brand: { name: 'a\nSTEPGATE_DEFAULT_ACR=public' } }
  assert.match(describeConfig(odd, secrets), /^STEPGATE_BRAND_NAME=a STEPGATE_DEFAULT_ACR=public$/m)
})

test('addresses are written as an operator writes them', () => {
  const text = describe(FULL)
  assert.match(text, /^STEPGATE_OIDC_ISSUER=https:\/\/login\.example\.com$/m)
  assert.match(text, /^STEPGATE_TWILIO_API_URL=http:\/\/127\.0\.0\.1:8083$/m)
  assert.match(text, /^STEPGATE_LISTEN=\[::1\]:8443$/m)
  assert.match(text, /^STEPGATE_METRICS_LISTEN=:9464$/m)
})

test('a description with its secrets put back is the same configuration', () => {
  for (const env of [VALID_ENV, LDAP_ENV, FULL, SECURE, ASKED] as readonly Readonly<
    Record<string, string>
  >[]) {
    const described = Object.fromEntries(
      describe(env)
        .trimEnd()
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])
        .map(([name = '', value]) => [
          name,
          value?.includes('********') ? (env[name] ?? '') : (value ?? ''),
        ]),
    )
    const [first, second] = [loadWith({}, FILES, env), loadWith({}, FILES, described)].map(
      (loaded) => {
        const { config, secrets } = loadedOk(loaded)
        // A compiled rule holds functions, which are never equal; and what is put back is chosen.
        const rules = config.rules.map(({ source }) => source)
        return { config: { ...config, rules, metrics: config.metrics?.listen }, secrets }
      },
    )
    assert.deepEqual(second, first)
  }
})
