import assert from 'node:assert/strict'
import test from 'node:test'
import { loadWith } from './valid-env.ts'

/** Variable, value, and all that is said about it. */
const BAD_VALUES: readonly (readonly [string, string, RegExp])[] = [
  [
    'PUBLIC_URL',
    'http://app.example.com',
    /^is "http:\/\/app.example.com"; it must begin with https:\/\/ unless the host is loopback/,
  ],
  [
    'PUBLIC_URL',
    'https://u:hunter2@app',
    /^is "https:\/\/\*\*\*@app"; it must not hold a user name or password$/,
  ],
  ['UPSTREAM', 'app:3000', /^is "app:3000"; it must begin with http:\/\/ or https:\/\/$/],
  ['UPSTREAM', 'http://u:hun/ter2@app', /^is "http:\/\/\*\*\*@app"; it is no URL with a host$/],
  ['LISTEN', '::1:8080', /^is "::1:8080"; it must be a port, :port, address:port/],
  ['METRICS_LISTEN', '9464/tcp', /^is "9464\/tcp"; it must be a port, :port, address:port/],
  ['WEBSOCKET_ORIGINS', '*', /^is "\*"; "\*": it must begin with https:\/\/ or http:\/\/$/],
  ['SESSION_SECRET', 'hunter2', /^is not usable: it has 7 characters, and needs at least 32$/],
  ['SESSION_IDLE', '60', /^is "60"; it must be a number with s, m, h or d, as in 30s, 5m, 8h$/],
  ['SESSION_LIFETIME', '0s', /^is "0s"; it must be from 1s to 365d$/],
  ['SESSION_RECHECK', '5s', /^is "5s"; it must be from 10s to 1d, or off$/],
  [
    'SESSION_RECHECK_GRACE',
    'off',
    /^is "off"; it must be a number with s, m, h or d, as in 30s, 5m, 8h$/,
  ],
  ['OIDC_GROUPS', ' ; ', /^is ";"; it holds no name of a group$/],
  ['SESSION_PAGES', 'none', /^is "none"; it must be forget or keep$/],
  ['OIDC_ISSUER', 'http://login.example.com', /unless the host is loopback/],
  ['OIDC_CLIENT_ID', 'a\nb', /^is "a\\nb"; it must be one line of at most 500 characters$/],
  ['OIDC_CLIENT_SECRET', 'hunter2\n', /^is not usable: it holds a line break/],
  ['OIDC_SCOPES', 'profile email', /^is "profile email"; it must contain openid$/],
  ['OIDC_USERNAME_CLAIM', 'user name', /it must be the name of one claim/],
  ['OIDC_GROUPS_CLAIM', 'a b', /it must be the name of one claim/],
  ['BEARER_AUDIENCE', ',', /it holds no audience/],
  ['BEARER_INTROSPECTION', 'on', /number with s, m, h or d, .*, or off/],
  ['BEARER_INTROSPECTION', '2h', /from 1s to 1h, or off/],
  ['ASSERTION', 'yess', /it must be true/],
  ['OIDC_TRUST_ACR', ',', /it holds no acr value/],
  ['OIDC_PAR', 'off', /^is "off"; it must be auto or on$/],
  ['OIDC_CLIENT_KEY_ALG', 'HS256', /it must be ES256, .* or Ed25519$/],
  ['OIDC_ACR_VALUES', 'a"b', /^is "a\\"b"; "a\\"b" is no acr value$/],
  ['OIDC_PROMPT', 'none', /with none nobody could sign in who is not signed in at the provider/],
  ['OIDC_PROMPT', 'login create', /it may hold login, consent, select_account$/],
  ['OIDC_UI_LOCALES', 'de_AT', /"de_AT" is no language tag$/],
  ['OIDC_UI_LOCALES', 'a1 de', /"a1" is no language tag$/],
  ['OIDC_UI_LOCALES', 'de en fr it es pt', /it holds more than five$/],
  ['OIDC_LOGIN_HINT', 'alice', /it must be username, email or off$/],
  ['OIDC_CLAIMS', 'acr', /it must be a JSON object/],
  ['OIDC_CLAIMS', '[]', /it must be a JSON object/],
  ['OIDC_CLAIMS', `{"userinfo":{"${'x'.repeat(4000)}":null}}`, /it has more than 4000 characters$/],
  [
    'OIDC_CLAIMS',
    '{"id-token":{}}',
    /"id-token" is no place for claims; write id_token, userinfo,/,
  ],
  ['OIDC_CLAIMS', '{"id_token":["acr"]}', /id_token must be an object with a member for each/],
  ['OIDC_CLAIMS', '{"id_token":{"acr":true}}', /id_token\.acr must be null or an object/],
  ['OIDC_CLAIMS', '{"id_token":{"acr":{"essential":"true"}}}', /neither true nor false$/],
  ['OIDC_CLAIMS', '{"id_token":{"acr":{"values":"a"}}}', /"values" that are no list with one/],
  ['OIDC_CLAIMS', '{"id_token":{"acr":{"values":[]}}}', /"values" that are no list with one/],
  ['OIDC_CLAIMS', '{"id_token":{"acr":{"value":"a","values":["b"]}}}', /keep one of the two$/],
  ['OIDC_PARAMETERS', ';', /it holds no parameter$/],
  ['OIDC_PARAMETERS', 'a', /"a" must be written name=value$/],
  ['OIDC_PARAMETERS', 'a=', /"a" has no value/],
  ['OIDC_PARAMETERS', 'a b=c', /"a b" is no name of a parameter/],
  ['OIDC_PARAMETERS', 'a=b; a=c', /"a" is there twice$/],
  ['OIDC_PARAMETERS', 'a=b\tc', /"a" has a control character in its value$/],
  ['OIDC_PARAMETERS', `a=${'x'.repeat(1001)}`, /"a" has a value of more than 1000 characters$/],
  ...(
    [
      ['state', 'stepgate sets it itself'],
      ['nonce', 'stepgate sets it itself'],
      ['code_challenge', 'stepgate sets it itself'],
      ['code_challenge_method', 'stepgate sets it itself'],
      ['response_type', 'stepgate sets it itself'],
      ['response_mode', 'stepgate sets it itself'],
      ['Redirect_URI', 'it is /_stepgate/callback under STEPGATE_PUBLIC_URL'],
      ['client_id', 'write STEPGATE_OIDC_CLIENT_ID instead'],
      ['client_secret', 'write STEPGATE_OIDC_CLIENT_SECRET_FILE instead'],
      ['client_assertion', 'write STEPGATE_OIDC_CLIENT_KEY_FILE instead'],
      ['client_assertion_type', 'write STEPGATE_OIDC_CLIENT_KEY_FILE instead'],
      ['scope', 'write STEPGATE_OIDC_SCOPES instead'],
      ['acr_values', 'write STEPGATE_OIDC_ACR_VALUES instead'],
      ['claims', 'write STEPGATE_OIDC_CLAIMS instead'],
      ['prompt', 'write STEPGATE_OIDC_PROMPT instead'],
      ['ui_locales', 'write STEPGATE_OIDC_UI_LOCALES instead'],
      ['login_hint', 'write STEPGATE_OIDC_LOGIN_HINT instead'],
      ['max_age', 'write signed_in_within= in a rule'],
      ['id_token_hint', 'stepgate sends login_hint'],
      ['request', 'write STEPGATE_OIDC_PAR=on instead'],
      ['request_uri', 'write STEPGATE_OIDC_PAR=on instead'],
      ['dpop_jkt', 'stepgate binds no tokens'],
    ] as const
  ).map(
    ([name, instead]) =>
      [
        'OIDC_PARAMETERS',
        `x=y; ${name}=z`,
        new RegExp(`"${name}" can't be set here: ${instead}`),
      ] as const,
  ),
  ['DEFAULT_ACR', 'sms', /^is "sms"; it must be twilio_sms, basic or public$/],
  ['RULES', 'nonsense /x', /^line 1, "nonsense \/x": /],
  [
    'TWILIO_SID',
    `AD${'0'.repeat(32)}`,
    /^is not usable: an account SID is AC and 32 hexadecimal digits$/,
  ],
  ['TWILIO_SID', 'hunter2', /^is not usable: an account SID/],
  ['TWILIO_TOKEN', 'hunter2 ', /^is not usable: it holds white space/],
  [
    'TWILIO_FROM_NUMBER',
    '0049301234567',
    /^is "0049301234567"; it must be a number with \+ and its country code/,
  ],
  ['TWILIO_FROM_NUMBER', '+1 202 555 0123', /it must be a number with \+/],
  ['TWILIO_FROM_NUMBER', 'Twelve chars', /at most 11 characters/],
  ['TWILIO_FROM_NUMBER', '12', /short code of 3 to 8 digits/],
  ['TWILIO_API_URL', 'twilio.example.com', /it must begin with https:\/\/ or http:\/\//],
  ['SMS_COUNTRIES', 'US,UK', /^is "US,UK"; "UK" is no ISO country code$/],
  [
    'TWILIO_VOICE_FROM',
    'Acme',
    /^is "Acme"; it must be a number with \+ and its country code, or off$/,
  ],
  ['VOICE_COUNTRIES', 'UK', /^is "UK"; "UK" is no ISO country code$/],
  ['VOICE_BUDGET', '0', /it must be a whole number from 1/],
  ['VOICE_LIMIT_PERSON', '5', /"5" is not of the form/],
  ['MAX_HEADER_SIZE', '64', /^is "64"; it must be a number with KB, MB or GB, as in 64KB, 10MB$/],
  ['MAX_HEADER_SIZE', '8KB', /it must be from 16KB to 1MB$/],
  ['MAX_HEADER_SIZE', 'none', /it must be a number with KB, MB or GB/],
  ['MAX_HEADERS', '1', /it must be a whole number from 20 to 1000$/],
  ['MAX_URL', '1KB', /it must be from 4KB to 256KB$/],
  ['MAX_BODY', '0KB', /it must be from 1KB to 999999GB, or none$/],
  ['MAX_BODY', 'unlimited', /as in 64KB, 10MB, or none$/],
  ['RESUME_MAX_BODY', '11MB', /it must be from 1KB to 10MB$/],
  ['RESUME_MAX_BODY', 'none', /it must be a number with KB, MB or GB/],
  ['HEADER_TIMEOUT', '0s', /it must be from 1s to 10m$/],
  ['BODY_IDLE_TIMEOUT', '2h', /it must be from 1s to 1h$/],
  ['KEEP_ALIVE_TIMEOUT', '65', /it must be a number with s, m, h or d/],
  ['CONNECTIONS_PER_ADDRESS', '0', /it must be a whole number from 1 to 1000000, or none$/],
  ['OTP_LENGTH', '5', /^is "5"; it must be a whole number from 6 to 10$/],
  ['OTP_LENGTH', '6.5', /it must be a whole number from 6 to 10/],
  ['OTP_LENGTH', '11', /it must be a whole number from 6 to 10/],
  ['OTP_TTL', '29s', /^is "29s"; it must be from 30s to 10m$/],
  ['OTP_TTL', '11m', /it must be from 30s to 10m/],
  ['OTP_ATTEMPTS', '0', /it must be a whole number from 1 to 10/],
  ['OTP_ATTEMPTS', '11', /it must be a whole number from 1 to 10/],
  ['PHONE_SOURCE', 'database', /^is "database"; it must be ldap or claims$/],
  [
    'LDAP_STARTTLS',
    'maybe',
    /^is "maybe"; it must be true \(on, yes, 1\) or false \(off, no, 0\)$/,
  ],
  ['LDAP_USER_FILTER', '(objectClass=person)', /or everybody is the same person/],
  ['LDAP_PHONE_ATTRIBUTE', 'mobile,tele phone!', /"phone!" is no attribute name/],
  [
    'STORE',
    'redis://:hunter2@redis:6379/x',
    /^is not usable: its path must end in the number of a database$/,
  ],
  ['STORE', 'redis://a:hun/ter2@redis', /^is not usable: it is no URL such as redis:/],
  ['STORE', 'redis://redis?password=hunter2', /^is not usable: after \? it may have prefix and/],
  ['WORKERS', '0', /^is "0"; it must be a whole number from 1 to 256, or auto$/],
  ['WORKERS', '257', /from 1 to 256, or auto$/],
  ['WORKERS', 'all', /^is "all"; it must be a whole number/],
  ['STORE', 'postgres://u:hunter2@db', /^is not usable: it must be sqlite: and a path/],
  ['PROXY_HEADERS', 'both', /^is "both"; it must be x-forwarded or forwarded$/],
  ['TRUSTED_PROXIES', '10.0.0.0/33', /"10.0.0.0\/33" is no IP address or CIDR/],
  [
    'HEADERS',
    'Host={username}',
    /^is not usable: entry 1, "Host", is a header that stepgate or HTTP itself sets$/,
  ],
  ['HEADERS', 'Authorization=Basic a:hunter2', /STEPGATE_HEADERS_SECRET/],
  ['HEADERS_ENCODING', 'latin1', /^is "latin1"; it must be utf-8 or percent$/],
  ['HTTP2', 'h3', /it must be true/],
  ['PROXY_PROTOCOL', 'v2', /it must be true/],
  ['UPSTREAM_SERVER_NAME', 'https://app', /it must be a host name/],
  ['UPSTREAM_SERVER_NAME', 'a..b', /it must be a host name/],
  ['ENCODED_SLASHES', 'yes', /it must be reject or allow/],
  ['LOG_LEVEL', 'verbose', /it must be debug, info, warn, error or silent/],
  ['ACCESS_LOG', '2', /it must be true/],
  [
    'SUPPORT_CONTACT',
    'x'.repeat(201),
    /^is "x{79}…"; it must be one line of at most 200 characters$/,
  ],
  ['BRAND_NAME', 'a\u0007b', /^is "a\\u0007b"; it must be one line of at most 40/],
  ['BRAND_LOGO', 'http://x/logo.png', /it must be an https URL/],
  ['BRAND_LOGO', '../logo.png', /it must be an https URL/],
  ['BRAND_LOGO', 'javascript:alert(1)', /it must be an https URL/],
  ['BRAND_LOGO', 'data:text/html,x', /it must be an https URL/],
  ['BRAND_LOGO', "https://x/a';script-src *", /it must be an https URL/],
  ['BRAND_COLOR', 'blue', /^is "blue"; it must be # and six hexadecimal digits$/],
  ['BRAND_COLOR', '#fff', /six hexadecimal digits/],
  ['DEMO_PORT', '65533', /it must be a whole number from 1 to 65532/],
]

for (const [name, value, expected] of BAD_VALUES) {
  test(`STEPGATE_${name}=${JSON.stringify(value).slice(0, 60)} says what is wrong`, () => {
    const loaded = loadWith({ [`STEPGATE_${name}`]: value })
    assert.ok(loaded.kind === 'invalid')
    const [problem, ...others] = loaded.problems
    assert.deepEqual(others, [])
    assert.equal(problem?.variable, `STEPGATE_${name}`)
    assert.match(problem?.problem ?? '', expected)
    assert.ok(problem?.example)
    assert.doesNotMatch(JSON.stringify(problem), /hunter2|hun\/ter2/)
  })
}

for (const [name, value] of [
  ['LDAP_URL', 'https://ldap'],
  ['LDAP_BASE_DN', 'example.com'],
  ['LDAP_BIND_PASSWORD', 'hunter2\r'],
  ['TWILIO_API_KEY_SID', 'hunter2'],
  ['TWILIO_MESSAGING_SERVICE_SID', 'MGhunter2'],
  ['TWILIO_API_KEY_SECRET', 'hunter2\n'],
  ['TWILIO_FALLBACK_FROM', 'MG1_and_no_more'],
  ['HEADERS_SECRET', 'hunter2\n'],
] as const) {
  test(`a bad STEPGATE_${name} is among the problems`, () => {
    const loaded = loadWith({ [`STEPGATE_${name}`]: value })
    assert.ok(loaded.kind === 'invalid')
    assert.ok(loaded.problems.some(({ variable }) => variable === `STEPGATE_${name}`))
    assert.doesNotMatch(JSON.stringify(loaded.problems), /hunter2/)
  })
}

for (const [name, value] of [
  ['TWILIO_SID', `ac${'0F'.repeat(16)}`],
  ['TWILIO_FROM_NUMBER', '+441632960000'],
  ['TWILIO_FROM_NUMBER', '12345'],
  ['TWILIO_FROM_NUMBER', 'Acme Corp'],
  ['BRAND_LOGO', 'https://cdn.example.com/logo.svg'],
  ['BRAND_LOGO', 'data:image/svg+xml;base64,PHN2Zy8+'],
  ['LOG_LEVEL', 'WARN'],
  ['ACCESS_LOG', 'false'],
  ['OTP_TTL', '30s'],
  ['OTP_LENGTH', '10'],
] as const) {
  test(`STEPGATE_${name}=${value} is fine`, () => {
    const loaded = loadWith({ [`STEPGATE_${name}`]: value, STEPGATE_SMS_COUNTRIES: 'US' })
    assert.deepEqual(loaded.kind === 'invalid' ? loaded.problems : [], [])
  })
}
