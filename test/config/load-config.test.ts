import assert from 'node:assert/strict'
import test from 'node:test'
import { loadConfig } from '../../proxy/config/load-config.ts'
import {
  CANARIES,
  fakeFiles,
  LDAP_ENV,
  loadedOk,
  loadWith,
  REDIS_URL,
  sentences,
  VALID_ENV,
} from './valid-env.ts'

test('the least that must be set gives the documented defaults', () => {
  const { config, secrets } = loadedOk(loadWith({}))
  assert.deepEqual(config, {
    publicUrl: new URL('https://app.example.com'),
    upstreams: [
      { path: '/', addresses: [{ kind: 'tcp', origin: new URL('http://127.0.0.1:3000') }] },
    ],
    upstreamTimeout: 60_000,
    listen: { kind: 'tcp', port: 8080 },
    metrics: { listen: { kind: 'tcp', host: '127.0.0.1', port: 9464 }, chosen: false },
    http2: true,
    proxyProtocol: false,
    webSocketOrigins: [],
    limits: {
      headerSize: 65_536,
      headers: 100,
      url: 16_384,
      body: 10_737_418_240,
      headerTimeout: 30_000,
      bodyIdle: 60_000,
      keepAlive: 65_000,
      connectionsPerAddress: 10_000,
    },
    resumeMaxBody: 1_048_576,
    session: {
      idle: 3_600_000,
      lifetime: 43_200_000,
      recheck: 300_000,
      recheckGrace: 3_600_000,
    },
    oidc: {
      issuer: new URL('https://login.example.com/realms/staff'),
      clientId: 'stepgate',
      scopes: ['openid', 'profile', 'email'],
      usernameClaim: 'preferred_username',
      groupsClaim: 'groups',
      trustAcr: [],
      request: {
        acrValues: [],
        prompt: [],
        loginHint: 'username',
        parameters: [],
        par: 'auto',
      },
    },
    defaultAcr: 'twilio_sms',
    rules: [],
    twilio: {
      accountSid: `AC${'0a'.repeat(16)}`,
      from: { kind: 'number', number: '+12025550123' },
      voiceFrom: '+12025550123',
      statusCallback: new URL('https://app.example.com/_stepgate/twilio/status'),
    },
    smsCountries: ['US'],
    voiceCountries: ['US'],
    voiceLimits: {
      person: [
        { limit: 5, windowMs: 900_000 },
        { limit: 30, windowMs: 86_400_000 },
      ],
      number: [
        { limit: 5, windowMs: 900_000 },
        { limit: 30, windowMs: 86_400_000 },
      ],
      address: [{ limit: 100, windowMs: 900_000 }],
      prefix: [{ limit: 5, windowMs: 86_400_000 }],
      unknown: [{ limit: 50, windowMs: 86_400_000 }],
      budget: 1000,
    },
    smsLimits: {
      person: [
        { limit: 10, windowMs: 900_000 },
        { limit: 100, windowMs: 86_400_000 },
      ],
      number: [
        { limit: 10, windowMs: 900_000 },
        { limit: 100, windowMs: 86_400_000 },
      ],
      address: [{ limit: 300, windowMs: 900_000 }],
      prefix: [{ limit: 10, windowMs: 86_400_000 }],
      unknown: [{ limit: 200, windowMs: 86_400_000 }],
      budget: 10_000,
      verifiedAlarm: 0.5,
    },
    otp: { length: 6, ttl: 300_000, attempts: 5 },
    phoneSource: 'claims',
    store: { kind: 'sqlite', path: './data/stepgate.db' },
    workers: 1,
    trustedProxies: [],
    proxyHeaders: 'x-forwarded',
    headers: [
      { name: 'X-Forwarded-User', value: '{username}' },
      { name: 'X-Forwarded-Email', value: '{email}' },
      { name: 'X-Forwarded-Preferred-Username', value: '{username}' },
      { name: 'X-Forwarded-Groups', value: '{groups}' },
      { name: 'X-Stepgate-Subject', value: '{subject}' },
      { name: 'X-Stepgate-Acr', value: '{acr}' },
      { name: 'X-Stepgate-Amr', value: '{amr}' },
      { name: 'X-Stepgate-Auth-Time', value: '{auth_time}' },
      { name: 'X-Stepgate-Otp-Time', value: '{otp_time}' },
    ],
    assertion: false,
    headersEncoding: 'utf-8',
    sessionPages: 'forget',
    encodedSlashes: 'reject',
    log: { level: 'info', access: true },
    brand: { name: 'app.example.com' },
  })
  assert.deepEqual(secrets, {
    sessionSecrets: [CANARIES.session],
    oidcCredential: CANARIES.oidc,
    twilioSecret: CANARIES.twilio,
    twilioToken: CANARIES.twilio,
    store: {},
  })
})

test('everything that can be set is read', () => {
  const { config, secrets } = loadedOk(
    loadWith(
      {
        STEPGATE_UPSTREAM_TIMEOUT: '5m',
        STEPGATE_LISTEN: 'unix:/run/stepgate.sock',
        STEPGATE_WEBSOCKET_ORIGINS: 'https://portal.example.com none',
        STEPGATE_UPSTREAM: 'unix:/run/app.sock',
        STEPGATE_METRICS_LISTEN: '[::1]:9464',
        STEPGATE_TLS_CERT_FILE: '/tls.crt',
        STEPGATE_TLS_KEY_FILE: '/tls.key',
        STEPGATE_HTTP2: 'off',
        STEPGATE_PROXY_PROTOCOL: 'on',
        STEPGATE_MAX_HEADER_SIZE: '128KB',
        STEPGATE_MAX_HEADERS: '200',
        STEPGATE_MAX_URL: '32KB',
        STEPGATE_MAX_BODY: 'none',
        STEPGATE_RESUME_MAX_BODY: '5MB',
        STEPGATE_HEADER_TIMEOUT: '10s',
        STEPGATE_BODY_IDLE_TIMEOUT: '2m',
        STEPGATE_KEEP_ALIVE_TIMEOUT: '125s',
        STEPGATE_CONNECTIONS_PER_ADDRESS: '1000',
        STEPGATE_SESSION_IDLE: '30m',
        STEPGATE_SESSION_LIFETIME: '8h',
        STEPGATE_SESSION_RECHECK: 'OFF',
        STEPGATE_SESSION_RECHECK_GRACE: '15m',
        STEPGATE_SESSION_PAGES: 'keep',
        STEPGATE_OIDC_TRUST_ACR: 'mfa, urn:two',
        STEPGATE_OIDC_ACR_VALUES: 'gold silver',
        STEPGATE_OIDC_CLAIMS:
          '{"id_token":{"acr":{"essential":true,"value":"gold"}},"access_token":{"x":null}}',
        STEPGATE_OIDC_PROMPT: 'login,consent',
        STEPGATE_OIDC_UI_LOCALES: 'de-AT en',
        STEPGATE_OIDC_LOGIN_HINT: 'Off',
        STEPGATE_OIDC_PARAMETERS: 'domain_hint = a=b c\nhd=example.com;',
        STEPGATE_OIDC_PAR: 'on',
        STEPGATE_OIDC_USERNAME_CLAIM: 'upn',
        STEPGATE_OIDC_GROUPS_CLAIM: 'roles',
        STEPGATE_OIDC_GROUPS: 'cn=hr,dc=example; app-*\nhr',
        STEPGATE_DEFAULT_ACR: 'basic',
        STEPGATE_RULES: 'public /assets/**; twilio_sms /payroll/** bearer',
        STEPGATE_BEARER_AUDIENCE: 'api, https://api.example.com',
        STEPGATE_BEARER_INTROSPECTION: '60s',
        STEPGATE_TWILIO_FROM_NUMBER: undefined,
        STEPGATE_TWILIO_MESSAGING_SERVICE_SID: `MG${'0b'.repeat(16)}`,
        STEPGATE_TWILIO_FALLBACK_FROM: 'Acme 2',
        STEPGATE_TWILIO_TOKEN: undefined,
        STEPGATE_TWILIO_API_KEY_SID: `SK${'0C'.repeat(16)}`,
        STEPGATE_TWILIO_API_KEY_SECRET: CANARIES.apiKey,
        STEPGATE_TWILIO_API_URL: 'https://egress.example.com/twilio',
        STEPGATE_SMS_COUNTRIES: 'DE,AT',
        STEPGATE_SMS_LIMIT_PERSON: '3/10m',
        STEPGATE_SMS_LIMIT_NUMBER: '50/7d, 4/1m 5/1h',
        STEPGATE_SMS_LIMIT_ADDRESS: '1000/1h',
        STEPGATE_SMS_LIMIT_PREFIX: '7/12h',
        STEPGATE_SMS_LIMIT_UNKNOWN: '80/1h',
        STEPGATE_SMS_BUDGET: '400000',
        STEPGATE_SMS_VERIFIED_ALARM: '0%',
        STEPGATE_TWILIO_VOICE_FROM: '+4930123456',
        STEPGATE_VOICE_COUNTRIES: 'AT',
        STEPGATE_VOICE_LIMIT_PERSON: '2/10m',
        STEPGATE_VOICE_LIMIT_NUMBER: '3/10m',
        STEPGATE_VOICE_LIMIT_ADDRESS: '4/10m',
        STEPGATE_VOICE_LIMIT_PREFIX: '5/10m',
        STEPGATE_VOICE_LIMIT_UNKNOWN: '6/10m',
        STEPGATE_VOICE_BUDGET: '7',
        STEPGATE_OTP_LENGTH: '8',
        STEPGATE_OTP_TTL: '10m',
        STEPGATE_OTP_ATTEMPTS: '3',
        STEPGATE_LDAP_URL: 'ldap://ldap.example.com',
        STEPGATE_LDAP_STARTTLS: 'yes',
        STEPGATE_LDAP_CA_FILE: '/ca.pem',
        STEPGATE_LDAP_PHONE_ATTRIBUTE: 'mobile telephoneNumber',
        STEPGATE_STORE: REDIS_URL,
        STEPGATE_STORE_CA_FILE: '/ca.pem',
        STEPGATE_STORE_CERT_FILE: '/tls.crt',
        STEPGATE_STORE_KEY_FILE: '/tls.key',
        STEPGATE_WORKERS: ' Auto ',
        STEPGATE_TRUSTED_PROXIES: '10.0.0.0/8',
        STEPGATE_PROXY_HEADERS: 'forwarded',
        STEPGATE_HEADERS: 'X-Key={secret}',
        STEPGATE_HEADERS_SECRET: CANARIES.headers,
        STEPGATE_ASSERTION: 'on',
        STEPGATE_HEADERS_ENCODING: 'percent',
        STEPGATE_ENCODED_SLASHES: 'allow',
        STEPGATE_LOG_LEVEL: 'debug',
        STEPGATE_ACCESS_LOG: 'off',
        STEPGATE_SUPPORT_CONTACT: 'helpdesk@example.com',
        STEPGATE_BRAND_NAME: 'Bücher & Co',
        STEPGATE_BRAND_LOGO: 'logo.svg',
        STEPGATE_BRAND_COLOR: '#0B5fff',
        STEPGATE_PAGES_DIR: '/pages',
      },
      {
        '/tls.crt': '-----BEGIN CERTIFICATE-----',
        '/tls.key': '-----BEGIN EC PRIVATE KEY-----',
        '/ca.pem': '-----BEGIN CERTIFICATE-----',
        '/pages/logo.svg': '<svg/>',
      },
      LDAP_ENV,
    ),
  )
  const { rules, publicUrl: _, oidc: __, ...rest } = config
  assert.deepEqual(
    rules.map(({ requires }) => requires),
    ['public', 'twilio_sms'],
  )
  assert.deepEqual(config.oidc.trustAcr, ['mfa', 'urn:two'])
  assert.deepEqual(config.oidc.request, {
    acrValues: ['gold', 'silver'],
    claims: { id_token: { acr: { essential: true, value: 'gold' } }, access_token: { x: null } },
    prompt: ['login', 'consent'],
    uiLocales: 'de-AT en',
    loginHint: 'off',
    parameters: [
      { name: 'domain_hint', value: 'a=b c' },
      { name: 'hd', value: 'example.com' },
    ],
    par: 'on',
  })
  assert.equal(config.oidc.usernameClaim, 'upn')
  assert.equal(config.oidc.groupsClaim, 'roles')
  assert.deepEqual(config.oidc.groups, ['cn=hr,dc=example', 'app-*', 'hr'])
  assert.deepEqual(rest.headers.at(-1), { name: 'X-Key', value: '{secret}' })
  const { headers: ___, ...others } = rest
  assert.deepEqual(others, {
    upstreams: [{ path: '/', addresses: [{ kind: 'unix', path: '/run/app.sock' }] }],
    upstreamTimeout: 5 * 60_000,
    metrics: { listen: { kind: 'tcp', host: '::1', port: 9464 }, chosen: true },
    listen: { kind: 'unix', path: '/run/stepgate.sock' },
    webSocketOrigins: ['https://portal.example.com', 'none'],
    tls: { certFile: '/tls.crt', keyFile: '/tls.key' },
    http2: false,
    proxyProtocol: true,
    limits: {
      headerSize: 131_072,
      headers: 200,
      url: 32_768,
      body: Number.POSITIVE_INFINITY,
      headerTimeout: 10_000,
      bodyIdle: 120_000,
      keepAlive: 125_000,
      connectionsPerAddress: 1000,
    },
    resumeMaxBody: 5_242_880,
    session: {
      idle: 1_800_000,
      lifetime: 28_800_000,
      recheck: Number.POSITIVE_INFINITY,
      recheckGrace: 900_000,
    },
    bearer: { audiences: ['api', 'https://api.example.com'], introspection: 60_000 },
    defaultAcr: 'basic',
    twilio: {
      accountSid: `AC${'0a'.repeat(16)}`,
      apiKeySid: `SK${'0C'.repeat(16)}`,
      from: { kind: 'service', sid: `MG${'0b'.repeat(16)}` },
      fallbackFrom: { kind: 'number', number: 'Acme 2' },
      voiceFrom: '+4930123456',
      apiUrl: new URL('https://egress.example.com/twilio'),
    },
    smsCountries: ['DE', 'AT'],
    voiceCountries: ['AT'],
    voiceLimits: {
      person: [{ limit: 2, windowMs: 600_000 }],
      number: [{ limit: 3, windowMs: 600_000 }],
      address: [{ limit: 4, windowMs: 600_000 }],
      prefix: [{ limit: 5, windowMs: 600_000 }],
      unknown: [{ limit: 6, windowMs: 600_000 }],
      budget: 7,
    },
    smsLimits: {
      person: [{ limit: 3, windowMs: 600_000 }],
      number: [
        { limit: 4, windowMs: 60_000 },
        { limit: 5, windowMs: 3_600_000 },
        { limit: 50, windowMs: 604_800_000 },
      ],
      address: [{ limit: 1000, windowMs: 3_600_000 }],
      prefix: [{ limit: 7, windowMs: 43_200_000 }],
      unknown: [{ limit: 80, windowMs: 3_600_000 }],
      budget: 400_000,
      verifiedAlarm: 0,
    },
    otp: { length: 8, ttl: 600_000, attempts: 3 },
    phoneSource: 'ldap',
    ldap: {
      url: new URL('ldap://ldap.example.com'),
      bindDn: 'cn=stepgate,dc=example,dc=com',
      baseDn: 'ou=people,dc=example,dc=com',
      startTls: true,
      caFile: '/ca.pem',
      userFilter: '(uid={username})',
      phoneAttributes: ['mobile', 'telephoneNumber'],
    },
    store: {
      kind: 'redis',
      topology: { kind: 'sentinel', masterName: 'mymaster', username: 'watcher' },
      nodes: [
        { host: 's1', port: 26379 },
        { host: 's2', port: 26380 },
      ],
      username: 'stepgate',
      database: 2,
      prefix: 'shop',
      tls: { caFile: '/ca.pem', client: { certFile: '/tls.crt', keyFile: '/tls.key' } },
    },
    workers: 'auto',
    trustedProxies: ['10.0.0.0/8'],
    proxyHeaders: 'forwarded',
    assertion: true,
    headersEncoding: 'percent',
    sessionPages: 'keep',
    encodedSlashes: 'allow',
    log: { level: 'debug', access: false },
    brand: {
      name: 'Bücher & Co',
      logo: 'logo.svg',
      color: '#0B5fff',
      supportContact: 'helpdesk@example.com',
    },
    pagesDir: '/pages',
  })
  assert.deepEqual(secrets, {
    sessionSecrets: [CANARIES.session],
    oidcCredential: CANARIES.oidc,
    twilioSecret: CANARIES.apiKey,
    ldapBindPassword: CANARIES.ldap,
    headersSecret: CANARIES.headers,
    store: { password: CANARIES.store, sentinelPassword: CANARIES.sentinel },
  })
})

test('an empty environment lists everything that is required, with an example each', () => {
  const loaded = loadConfig({}, fakeFiles({}))
  assert.ok(loaded.kind === 'invalid')
  assert.deepEqual(
    loaded.problems.map(({ variable }) => variable.replace('STEPGATE_', '')),
    [
      'PUBLIC_URL',
      'UPSTREAM',
      'SESSION_SECRET',
      'OIDC_ISSUER',
      'OIDC_CLIENT_ID',
      'OIDC_CLIENT_SECRET',
      'TWILIO_SID',
      'TWILIO_TOKEN',
      'TWILIO_FROM_NUMBER',
    ],
  )
  for (const { variable, problem, example } of loaded.problems) {
    assert.match(problem, /^is not set/, variable)
    assert.ok(example, variable)
  }
})

test('an empty value counts as not set, and white space around a value does not count', () => {
  const blank = Object.fromEntries(Object.keys(VALID_ENV).map((name) => [name, '']))
  assert.deepEqual(loadConfig(blank, fakeFiles({})), loadConfig({}, fakeFiles({})))
  assert.equal(
    loadedOk(loadWith({ STEPGATE_OTP_LENGTH: ' 8\n', STEPGATE_LISTEN: ' ' })).config.otp.length,
    8,
  )
})

test('problems of every kind are reported at once', () => {
  const found = sentences(
    loadWith({
      STEPGATE_UPSTRM: 'x',
      STEPGATE_PUBLIC_URL: undefined,
      STEPGATE_OTP_LENGTH: '4',
      STEPGATE_SESSION_IDLE: '13h',
      STEPGATE_OIDC_CLIENT_SECRET: undefined,
      STEPGATE_OIDC_CLIENT_SECRET_FILE: '/gone',
      STEPGATE_TWILIO_MESSAGING_SERVICE_SID: 'wrong',
      STEPGATE_LDAP_BIND_DN: 'cn=x',
      STEPGATE_HEADERS: 'Host={username}; X-A={who}',
      STEPGATE_HEADERS_SECRET: CANARIES.headers,
      STEPGATE_TLS_KEY_FILE: '/gone.key',
      STEPGATE_RULES: 'nonsense /x',
      STEPGATE_PAGES_DIR: '/gone',
    }),
  )
  const names = found.map((sentence) => sentence.split(' ')[0]?.replace('STEPGATE_', ''))
  assert.deepEqual(names, [
    'UPSTRM',
    'PUBLIC_URL',
    'TLS_CERT_FILE',
    'TLS_KEY_FILE',
    'SESSION_IDLE',
    'OIDC_CLIENT_SECRET',
    'RULES',
    'TWILIO_MESSAGING_SERVICE_SID',
    'TWILIO_MESSAGING_SERVICE_SID',
    'OTP_LENGTH',
    'LDAP_URL',
    'LDAP_BIND_PASSWORD',
    'LDAP_BASE_DN',
    'HEADERS',
    'HEADERS',
    'PAGES_DIR',
  ])
})

test('whatever is missing, there is a configuration or a problem, never neither', () => {
  const names = Object.keys(LDAP_ENV)
  for (const name of names) {
    for (const value of [undefined, 'x', '-']) {
      const loaded = loadWith({ [name]: value }, {}, LDAP_ENV)
      if (loaded.kind === 'invalid') assert.ok(loaded.problems.length > 0, `${name}=${value}`)
    }
  }
})

test('what Kubernetes sets for a service named stepgate-demo is no demo port', () => {
  loadedOk(loadWith({ STEPGATE_DEMO_PORT: 'tcp://10.0.0.1:8080' }))
})

test("the public URL's port is no part of its host, neither for the brand nor for rules", () => {
  const { config } = loadedOk(
    loadWith({
      STEPGATE_PUBLIC_URL: 'https://intranet:8443',
      STEPGATE_RULES: 'basic intranet/reports/**',
    }),
  )
  assert.equal(config.brand.name, 'intranet')
  assert.equal(config.rules[0]?.host, 'intranet')
})

test('TLS to the application is read', () => {
  const files = { '/c': '-----BEGIN CERTIFICATE-----', '/k': '-----BEGIN PRIVATE KEY-----' }
  const UPSTREAM = { STEPGATE_UPSTREAM: 'https://app.internal' }
  const read = (env: Readonly<Record<string, string>>) =>
    loadedOk(loadWith({ ...UPSTREAM, ...env }, files)).config.upstreamTls
  assert.equal(read({}), undefined)
  assert.deepEqual(read({ STEPGATE_UPSTREAM_SERVER_NAME: 'a.example' }), {
    serverName: 'a.example',
  })
  assert.deepEqual(
    read({
      STEPGATE_UPSTREAM_CA_FILE: '/c',
      STEPGATE_UPSTREAM_CERT_FILE: '/c',
      STEPGATE_UPSTREAM_KEY_FILE: '/k',
    }),
    { caFile: '/c', client: { certFile: '/c', keyFile: '/k' } },
  )
  const several = 'http://a:1, http://b:1; /api → http://c:1, https://d'
  const mixed = { STEPGATE_UPSTREAM: several, STEPGATE_UPSTREAM_CA_FILE: '/c' }
  assert.deepEqual(read(mixed), { caFile: '/c' })
})
