import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { LDAP_ENV, loadedOk, loadWith, sentences, VALID_ENV } from './valid-env.ts'

const CERT = '-----BEGIN CERTIFICATE-----\n'
const KEY = '-----BEGIN PRIVATE KEY-----\n'
const KEY_SID = `SK${'1b'.repeat(16)}`
const SERVICE_SID = `MG${'1b'.repeat(16)}`

type Changes = Readonly<Record<string, string | undefined>>
type Case = readonly [
  what: string,
  changes: Changes,
  expected: readonly RegExp[],
  files?: Record<string, string>,
]

function expectAll(cases: readonly Case[], base: Readonly<Record<string, string>>): void {
  for (const [what, changes, expected, files] of cases) {
    test(what, () => {
      const prefixed = Object.fromEntries(
        Object.entries(changes).map(([name, value]) => [`STEPGATE_${name}`, value]),
      )
      const found = sentences(loadWith(prefixed, files, base))
      assert.equal(found.length, expected.length, found.join('\n'))
      for (const [index, pattern] of expected.entries()) assert.match(found[index] ?? '', pattern)
    })
  }
}

expectAll(
  [
    [
      'more than one worker need a store that they share',
      { STORE: 'memory:', WORKERS: '2' },
      [/^STEPGATE_WORKERS is 2, but STEPGATE_STORE is memory:, which each process has for itself/],
    ],
    [
      'as many workers as cores may be more than one',
      { STORE: 'memory:', WORKERS: 'auto' },
      [/^STEPGATE_WORKERS is auto, but STEPGATE_STORE is memory:/],
    ],
    [
      'none as upstream needs a proxy that asks',
      { UPSTREAM: 'none' },
      [/^STEPGATE_UPSTREAM is none, but STEPGATE_TRUSTED_PROXIES names no proxy that could ask/],
    ],
    ['none as upstream', { UPSTREAM: ' none ', TRUSTED_PROXIES: '10.0.0.5' }, []],
    ['one worker needs no store to share', { STORE: 'memory:', WORKERS: '1' }, []],
    ['workers share a file', { STORE: 'sqlite:./x.db', WORKERS: '8' }, []],
    [
      'a certificate needs its key',
      { TLS_CERT_FILE: '/c' },
      [/^STEPGATE_TLS_KEY_FILE is not set, but STEPGATE_TLS_CERT_FILE is/],
      { '/c': CERT },
    ],
    [
      'a key needs its certificate',
      { TLS_KEY_FILE: '/k' },
      [/^STEPGATE_TLS_CERT_FILE is not set, but STEPGATE_TLS_KEY_FILE is/],
      { '/k': KEY },
    ],
    [
      'a rule that takes tokens needs to know whom they are for',
      { RULES: 'basic /a\nbasic /api/** bearer' },
      [/^STEPGATE_BEARER_AUDIENCE is not set, but a rule says bearer: basic \/api\/\*\* bearer$/],
    ],
    [
      'whom tokens are for means nothing where no rule takes any',
      { BEARER_AUDIENCE: 'api', BEARER_INTROSPECTION: '60s' },
      [/^STEPGATE_BEARER_AUDIENCE is set, but no rule/, /^STEPGATE_BEARER_INTROSPECTION is set/],
    ],
    ['that the provider is not asked needs no rule', { BEARER_INTROSPECTION: 'off' }, []],
    [
      'of rules that can not be read nobody knows whether they take tokens',
      { RULES: 'basic /api/** beare', BEARER_AUDIENCE: 'api' },
      [/^STEPGATE_RULES/],
    ],
    [
      'ID tokens must not pass for access tokens',
      { RULES: 'basic /api/** bearer', BEARER_AUDIENCE: 'api stepgate' },
      [/^STEPGATE_BEARER_AUDIENCE holds STEPGATE_OIDC_CLIENT_ID/],
    ],
    [
      'a provider that is asked knows what is an access token',
      { RULES: 'basic /api/** bearer', BEARER_AUDIENCE: 'stepgate', BEARER_INTROSPECTION: '1s' },
      [],
    ],
    [
      'certificate and key must be readable',
      { TLS_CERT_FILE: '/c', TLS_KEY_FILE: '/k' },
      [
        /^STEPGATE_TLS_CERT_FILE is unusable: "\/c" .*ENOENT/,
        /^STEPGATE_TLS_KEY_FILE is unusable: "\/k" .*ENOENT/,
      ],
    ],
    [
      'certificate and key must not be swapped',
      { TLS_CERT_FILE: '/k', TLS_KEY_FILE: '/c' },
      [
        /CERT_FILE holds no certificate in PEM form: "\/k"/,
        /KEY_FILE holds no key in PEM form: "\/c"/,
      ],
      { '/c': CERT, '/k': KEY },
    ],
    [
      'a key with a passphrase is refused',
      { TLS_CERT_FILE: '/c', TLS_KEY_FILE: '/k' },
      [/^STEPGATE_TLS_KEY_FILE is unusable: the key in "\/k" has a passphrase/],
      { '/c': CERT, '/k': '-----BEGIN ENCRYPTED PRIVATE KEY-----\n' },
    ],
    [
      'an http public URL does not go with own TLS',
      { PUBLIC_URL: 'http://localhost:8080', TLS_CERT_FILE: '/c', TLS_KEY_FILE: '/k' },
      [/^STEPGATE_PUBLIC_URL begins with http:\/\/, but STEPGATE_TLS_CERT_FILE makes/],
      { '/c': CERT, '/k': KEY },
    ],
    [
      'a certificate of the store needs a store with TLS',
      { STORE: 'redis://redis', STORE_CA_FILE: '/c' },
      [/^STEPGATE_STORE_CA_FILE is set, but STEPGATE_STORE is not rediss:/],
      { '/c': CERT },
    ],
    [
      'a certificate to show to the store needs its key',
      { STORE: 'rediss://redis', STORE_CERT_FILE: '/c' },
      [/^STEPGATE_STORE_KEY_FILE is not set, but STEPGATE_STORE_CERT_FILE is/],
      { '/c': CERT },
    ],
    [
      'a key for the store needs its certificate',
      { STORE: 'rediss://redis', STORE_KEY_FILE: '/k' },
      [/^STEPGATE_STORE_CERT_FILE is not set, but STEPGATE_STORE_KEY_FILE is/],
      { '/k': KEY },
    ],
    [
      "the store's files must be what they are for",
      {
        STORE: 'rediss://redis',
        STORE_CA_FILE: '/none',
        STORE_CERT_FILE: '/k',
        STORE_KEY_FILE: '/c',
      },
      [
        /^STEPGATE_STORE_CA_FILE is unusable: "\/none" .*ENOENT/,
        /^STEPGATE_STORE_CERT_FILE holds no certificate/,
        /^STEPGATE_STORE_KEY_FILE holds no key/,
      ],
      { '/c': CERT, '/k': KEY },
    ],
    [
      'metrics are not served where visitors come in',
      { METRICS_LISTEN: ':8080' },
      [/^STEPGATE_METRICS_LISTEN is where visitors come in \(STEPGATE_LISTEN\)/],
    ],
    ...(
      [
        ['127.0.0.1:8080', ':8080'],
        ['0.0.0.0:8080', '127.0.0.1:8080'],
        ['[::]:8080', '8080'],
        ['10.0.0.1:8080', '10.0.0.1:8080'],
        ['localhost:8080', '[::1]:8080'],
        ['127.0.0.1:8080', 'LOCALHOST:8080'],
        ['unix:/run/s', 'unix:/run/s'],
      ] as const
    ).map(
      ([METRICS_LISTEN, LISTEN]): Case => [
        `neither at ${METRICS_LISTEN} when they come in at ${LISTEN}`,
        { METRICS_LISTEN, LISTEN },
        [/^STEPGATE_METRICS_LISTEN is where/],
      ],
    ),
    ...(
      [
        [':9464', ':8080'],
        ['127.0.0.1:8080', '10.0.0.1:8080'],
        ['127.0.0.1:0', '127.0.0.1:0'],
        ['unix:/run/m', 'unix:/run/s'],
        [':9464', 'unix:/run/s'],
      ] as const
    ).map(
      ([METRICS_LISTEN, LISTEN]): Case => [
        `but may be at ${METRICS_LISTEN} when they come in at ${LISTEN}`,
        { METRICS_LISTEN, LISTEN },
        [],
      ],
    ),
    ['metrics that nobody asked for make room for visitors', { LISTEN: ':9464' }, []],
    [
      'what TLS to the application needs is for an application with TLS',
      { UPSTREAM_CA_FILE: '/c', UPSTREAM_SERVER_NAME: 'a.example' },
      [
        /^STEPGATE_UPSTREAM_CA_FILE is set, but nothing in STEPGATE_UPSTREAM is https:/,
        /^STEPGATE_UPSTREAM_SERVER_NAME is set, but nothing in STEPGATE_UPSTREAM is https:/,
      ],
      { '/c': CERT },
    ],
    [
      'a certificate to show to the application needs its key',
      { UPSTREAM: 'https://app.internal', UPSTREAM_CERT_FILE: '/c' },
      [/^STEPGATE_UPSTREAM_KEY_FILE is not set, but STEPGATE_UPSTREAM_CERT_FILE is/],
      { '/c': CERT },
    ],
    [
      'a key for the application needs its certificate',
      { UPSTREAM: 'https://app.internal', UPSTREAM_KEY_FILE: '/k' },
      [/^STEPGATE_UPSTREAM_CERT_FILE is not set, but STEPGATE_UPSTREAM_KEY_FILE is/],
      { '/k': KEY },
    ],
    [
      "the application's files must be what they are for",
      {
        UPSTREAM: 'https://app.internal',
        UPSTREAM_CA_FILE: '/none',
        UPSTREAM_CERT_FILE: '/k',
        UPSTREAM_KEY_FILE: '/c',
      },
      [
        /^STEPGATE_UPSTREAM_CA_FILE is unusable: "\/none" .*ENOENT/,
        /^STEPGATE_UPSTREAM_CERT_FILE holds no certificate/,
        /^STEPGATE_UPSTREAM_KEY_FILE holds no key/,
      ],
      { '/c': CERT, '/k': KEY },
    ],
    [
      'HTTP/2 needs TLS',
      { HTTP2: 'on' },
      [/^STEPGATE_HTTP2 is on, but without STEPGATE_TLS_CERT_FILE/],
    ],
    [
      'the PROXY protocol needs somebody who may speak it',
      { PROXY_PROTOCOL: 'on' },
      [/^STEPGATE_PROXY_PROTOCOL is on, but STEPGATE_TRUSTED_PROXIES names no balancer/],
    ],
    [
      'headers of proxies need proxies',
      { PROXY_HEADERS: 'forwarded' },
      [/^STEPGATE_PROXY_HEADERS is set, but STEPGATE_TRUSTED_PROXIES names no proxy to write/],
    ],
    [
      'stepgate is not its own upstream',
      { UPSTREAM: 'http://localhost:8080' },
      [/^STEPGATE_UPSTREAM is where stepgate itself listens/],
    ],
    [
      'nor at an address that it listens at',
      { UPSTREAM: 'http://127.0.0.1', LISTEN: 'localhost:80' },
      [/^STEPGATE_UPSTREAM is where/],
    ],
    [
      'nor at the IPv6 one',
      { UPSTREAM: 'http://[::1]:9000', LISTEN: '[::1]:9000' },
      [/^STEPGATE_UPSTREAM is where/],
    ],
    [
      'nor through its own socket',
      { UPSTREAM: 'unix:/run/s', LISTEN: 'unix:/run/s' },
      [/^STEPGATE_UPSTREAM is where/],
    ],
    [
      'the same port of another address is another program',
      { UPSTREAM: 'http://127.0.0.1:8080', LISTEN: '10.0.0.1:8080' },
      [],
    ],
    ['the same port of another machine is another program', { UPSTREAM: 'http://app:8080' }, []],
    [
      'a session cannot idle longer than it lives',
      { SESSION_IDLE: '13h' },
      [/^STEPGATE_SESSION_IDLE is 13h, longer than STEPGATE_SESSION_LIFETIME \(12h\)$/],
    ],
    ['a session may idle as long as it lives', { SESSION_IDLE: '12h' }, []],
    [
      'a rule can not ask for a group that is forgotten',
      { OIDC_GROUPS: 'app-*', RULES: 'basic /a groups=hr,app-x; basic /b groups=hr' },
      [/^STEPGATE_OIDC_GROUPS leaves out "hr", which a rule in STEPGATE_RULES asks for$/],
    ],
    [
      'a rule may ask for a group that is one of those that matter',
      { OIDC_GROUPS: 'hr; app-*', RULES: 'basic /a groups=hr,app-x' },
      [],
    ],
    [
      'number and messaging service exclude each other',
      { TWILIO_MESSAGING_SERVICE_SID: SERVICE_SID },
      [/^STEPGATE_TWILIO_MESSAGING_SERVICE_SID is set, and so is STEPGATE_TWILIO_FROM_NUMBER/],
    ],
    [
      'one of number and messaging service is needed',
      { TWILIO_FROM_NUMBER: '' },
      [/^STEPGATE_TWILIO_FROM_NUMBER is not set, nor is STEPGATE_TWILIO_MESSAGING_SERVICE_SID$/],
    ],
    [
      'a messaging service does not tell the country',
      { TWILIO_FROM_NUMBER: '', TWILIO_MESSAGING_SERVICE_SID: SERVICE_SID },
      [/^STEPGATE_SMS_COUNTRIES is not set, and a messaging service belongs to no one country$/],
    ],
    [
      'even a mistyped messaging service does not',
      { TWILIO_FROM_NUMBER: '', TWILIO_MESSAGING_SERVICE_SID: 'x' },
      [/^STEPGATE_TWILIO_MESSAGING_SERVICE_SID/, /^STEPGATE_SMS_COUNTRIES is not set/],
    ],
    [
      'a fallback is another sender than the first',
      { TWILIO_FALLBACK_FROM: '+12025550123' },
      [/^STEPGATE_TWILIO_FALLBACK_FROM is the first sender itself/],
    ],
    ['a messaging service may be the fallback', { TWILIO_FALLBACK_FROM: SERVICE_SID }, []],
    [
      'an alphanumeric sender does not tell the country',
      { TWILIO_FROM_NUMBER: 'Acme' },
      [/^STEPGATE_SMS_COUNTRIES is not set, and "Acme" belongs to no one country$/],
    ],
    [
      'an international number does not tell the country',
      { TWILIO_FROM_NUMBER: '+88212345678' },
      [/^STEPGATE_SMS_COUNTRIES is not set/],
    ],
    [
      'a mistyped number beside a service asks for no countries',
      { TWILIO_FROM_NUMBER: '+0', TWILIO_MESSAGING_SERVICE_SID: SERVICE_SID },
      [
        /^STEPGATE_TWILIO_FROM_NUMBER is "\+0"/,
        /^STEPGATE_TWILIO_MESSAGING_SERVICE_SID is set, and so is/,
      ],
    ],
    [
      'a mistyped number is one problem, not two',
      { TWILIO_FROM_NUMBER: '+0' },
      [/^STEPGATE_TWILIO_FROM_NUMBER is "\+0"/],
    ],
    [
      'an API key needs its secret',
      { TWILIO_API_KEY_SID: KEY_SID },
      [/^STEPGATE_TWILIO_API_KEY_SECRET is not set, but STEPGATE_TWILIO_API_KEY_SID is$/],
    ],
    [
      "an API key's secret needs the key",
      { TWILIO_API_KEY_SECRET: 'x' },
      [/^STEPGATE_TWILIO_API_KEY_SID is not set, but STEPGATE_TWILIO_API_KEY_SECRET is$/],
    ],
    [
      'without an API key the token is needed',
      { TWILIO_TOKEN: '' },
      [/^STEPGATE_TWILIO_TOKEN is not set, nor is STEPGATE_TWILIO_API_KEY_SID$/],
    ],
    [
      'with an API key it is not',
      { TWILIO_TOKEN: '', TWILIO_API_KEY_SID: KEY_SID, TWILIO_API_KEY_SECRET: 'x' },
      [],
    ],
    [
      'numbers from LDAP need LDAP',
      { PHONE_SOURCE: 'ldap' },
      [
        /^STEPGATE_LDAP_URL is not set, but STEPGATE_PHONE_SOURCE is ldap$/,
        /^STEPGATE_LDAP_BIND_DN is not set/,
        /^STEPGATE_LDAP_BIND_PASSWORD is not set or empty/,
        /^STEPGATE_LDAP_BASE_DN is not set/,
      ],
    ],
    [
      '{secret} needs its secret',
      { HEADERS: 'X-Key={secret}' },
      [/^STEPGATE_HEADERS_SECRET is not set, but STEPGATE_HEADERS holds \{secret\}$/],
    ],
    [
      'the secret needs {secret}',
      { HEADERS_SECRET: 'x' },
      [/^STEPGATE_HEADERS_SECRET is set, but nothing in STEPGATE_HEADERS holds \{secret\}$/],
    ],
    [
      'unreadable headers say nothing about {secret}',
      { HEADERS: 'X-Key={secret};Host=x', HEADERS_SECRET: 'x' },
      [/^STEPGATE_HEADERS is not usable/],
    ],
    [
      'a logo by name needs the folder',
      { BRAND_LOGO: 'logo.svg' },
      [/^STEPGATE_BRAND_LOGO is the file name "logo.svg", but STEPGATE_PAGES_DIR is not set$/],
    ],
    [
      'a logo by name must be in the folder',
      { BRAND_LOGO: 'logo.svg', PAGES_DIR: '/pages' },
      [/^STEPGATE_BRAND_LOGO is unusable: "\/pages\/logo.svg" can't be read/],
      { '/pages/otp.js': '' },
    ],
    [
      'the folder of pages must be there',
      { PAGES_DIR: '/pages' },
      [/^STEPGATE_PAGES_DIR is unusable: "\/pages" can't be read/],
    ],
    [
      'each bad rule is a problem with its line',
      { RULES: 'public /a\nnonsense /b\nnonsense /c' },
      [/^STEPGATE_RULES line 2, "nonsense \/b": /, /^STEPGATE_RULES line 3, "nonsense \/c": /],
    ],
    [
      'rules are read even without a public URL',
      { PUBLIC_URL: '', RULES: 'basic app.example.com/x\nnonsense /b' },
      [/^STEPGATE_PUBLIC_URL is not set/, /^STEPGATE_RULES line 2/],
    ],
  ],
  VALID_ENV,
)

expectAll(
  [
    [
      'an empty bind password is anonymous, and refused',
      { LDAP_BIND_PASSWORD: '' },
      [
        /^STEPGATE_LDAP_BIND_PASSWORD is not set or empty, but STEPGATE_LDAP_URL is; a bind without a password would be anonymous$/,
      ],
    ],
    [
      'StartTLS is not for ldaps',
      { LDAP_STARTTLS: 'true' },
      [/^STEPGATE_LDAP_STARTTLS is true, but STEPGATE_LDAP_URL is ldaps:\/\//],
    ],
    [
      'a certificate authority needs TLS',
      { LDAP_URL: 'ldap://localhost', LDAP_CA_FILE: '/ca' },
      [
        /^STEPGATE_LDAP_CA_FILE is set, but ldap:\/\/ without STEPGATE_LDAP_STARTTLS=true has no TLS$/,
      ],
      { '/ca': CERT },
    ],
    [
      'a certificate authority must be readable',
      { LDAP_CA_FILE: '/ca' },
      [/^STEPGATE_LDAP_CA_FILE is unusable: "\/ca" .*ENOENT/],
    ],
    [
      'a certificate authority must be a certificate',
      { LDAP_CA_FILE: '/ca' },
      [/^STEPGATE_LDAP_CA_FILE holds no certificate/],
      { '/ca': KEY },
    ],
    [
      'LDAP settings without a URL ask for it',
      { LDAP_URL: '' },
      [/^STEPGATE_LDAP_URL is not set, but STEPGATE_LDAP_BIND_DN is$/],
    ],
    ['a mistyped URL is one problem', { LDAP_URL: 'ldap' }, [/^STEPGATE_LDAP_URL is "ldap"/]],
    ['the directory can be left aside', { PHONE_SOURCE: 'claims', LDAP_BIND_DN: '' }, []],
  ],
  LDAP_ENV,
)

function warningsOf(changes: Changes, base = VALID_ENV): readonly string[] {
  return loadedOk(loadWith(changes, {}, base)).warnings
}

test('a sound configuration gives no warning', () => {
  assert.deepEqual(warningsOf({}, LDAP_ENV), [])
  assert.deepEqual(warningsOf({ STEPGATE_OIDC_SCOPES: 'openid phone' }), [])
})

for (const [what, changes, expected] of [
  ['claims without the phone scope', {}, /OIDC_SCOPES has no phone/],
  ['claims with an LDAP setting', { STEPGATE_LDAP_STARTTLS: 'true' }, /LDAP_STARTTLS: not used/],
  [
    'LDAP settings that are not used',
    { STEPGATE_PHONE_SOURCE: 'claims' },
    /LDAP_URL, .*LDAP_BASE_DN: not used/,
  ],
  [
    'a directory in the clear',
    { STEPGATE_LDAP_URL: 'ldap://ldap.example.com' },
    /travel in the clear/,
  ],
  [
    'a store in the clear',
    { STEPGATE_STORE: 'redis+cluster://:x@10.0.0.1,redis.example.com' },
    /STEPGATE_STORE is redis:\/\/ to a public name/,
  ],
  ['a store in memory', { STEPGATE_STORE: 'memory:' }, /a restart forgets/],
  [
    'a secret that proxies are told',
    {
      STEPGATE_UPSTREAM: 'none',
      STEPGATE_TRUSTED_PROXIES: '10.0.0.1',
      STEPGATE_HEADERS: 'Authorization=Basic {username}:{secret}',
      STEPGATE_HEADERS_SECRET: 'canary-headers-3317',
    },
    /proxies are told it, so they must let no client ask/,
  ],
  ['public by default', { STEPGATE_DEFAULT_ACR: 'public' }, /open to everybody/],
  ['proxies everywhere', { STEPGATE_TRUSTED_PROXIES: '10.0.0.1,::/0' }, /holds ::\/0/],
  [
    'an upstream at the public URL',
    { STEPGATE_UPSTREAM: 'https://app.example.com' },
    /round in a circle/,
  ],
  [
    'an upstream in the clear',
    { STEPGATE_UPSTREAM: 'http://app.example.org' },
    /identities travel there in the clear/,
  ],
  [
    'a Twilio in the clear',
    { STEPGATE_TWILIO_API_URL: 'http://egress:3128' },
    /credentials, codes and numbers travel/,
  ],
] as const) {
  test(`there is a warning of ${what}`, () => {
    const base = what.startsWith('claims') ? VALID_ENV : LDAP_ENV
    assert.match(warningsOf(changes, base).join('\n'), expected)
  })
}

test('names that no registry gives out may be http', () => {
  for (const host of ['app', 'localhost', '10.0.0.3', '[fd00::1]', 'app.shop.svc', 'app.lan']) {
    assert.deepEqual(warningsOf({ STEPGATE_UPSTREAM: `http://${host}:3000` }, LDAP_ENV), [], host)
  }
})

describe('who calls', () => {
  const callerOf = (changes: Changes) =>
    loadedOk(loadWith({ STEPGATE_SMS_COUNTRIES: 'US', ...changes })).config.twilio.voiceFrom

  test('is the from-number, another number, or nobody', () => {
    assert.equal(callerOf({}), '+12025550123')
    assert.equal(callerOf({ STEPGATE_TWILIO_VOICE_FROM: '+12025550199' }), '+12025550199')
    assert.equal(callerOf({ STEPGATE_TWILIO_VOICE_FROM: 'off' }), undefined)
  })

  test('is nobody where what sends can’t call, unless it is said', () => {
    const service = {
      STEPGATE_TWILIO_FROM_NUMBER: undefined,
      STEPGATE_TWILIO_MESSAGING_SERVICE_SID: SERVICE_SID,
    }
    for (const changes of [service, { STEPGATE_TWILIO_FROM_NUMBER: 'Acme' }]) {
      assert.equal(callerOf(changes), undefined)
      const said = { ...changes, STEPGATE_TWILIO_VOICE_FROM: '+12025550199' }
      assert.equal(callerOf(said), '+12025550199')
    }
    assert.equal(callerOf({ STEPGATE_TWILIO_FROM_NUMBER: '24681' }), undefined)
  })

  test('is nobody, and what is said of calls is warned of', () => {
    const off = { STEPGATE_TWILIO_VOICE_FROM: 'off', STEPGATE_VOICE_COUNTRIES: 'US' }
    assert.match(
      warningsOf(off).join('\n'),
      /^STEPGATE_VOICE_COUNTRIES: not used, as STEPGATE_TWI/m,
    )
  })
})
