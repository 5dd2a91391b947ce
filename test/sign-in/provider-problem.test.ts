import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientVerdict, discoveryProblem } from '../../proxy/sign-in/provider-problem.ts'
import { unsupportedParts } from '../../proxy/sign-in/unsupported-parts.ts'

const issuer = new URL('https://login.example.com/realms/staff')

test('each failure of discovery says what to look at', () => {
  const cases = [
    [{ code: 'TypeError', cause: 'ENOTFOUND' }, /does not resolve \(ENOTFOUND\); look at STEPGATE/],
    [{ code: 'TypeError', cause: 'SELF_SIGNED_CERT_IN_CHAIN' }, /not trusted; NODE_EXTRA_CA_CERTS/],
    [{ code: 'TypeError' }, /the connection broke off; look at STEPGATE_OIDC_ISSUER/],
    [{ code: 'OAUTH_TIMEOUT' }, /no answer came in time \(OAUTH_TIMEOUT\)/],
    [{ code: 'OAUTH_PARSE_ERROR' }, /is no OpenID provider/],
    [
      { code: 'OAUTH_RESPONSE_IS_NOT_CONFORM', status: 404 },
      /realms\/staff\/\.well-known\/openid-configuration \(HTTP 404\)/,
    ],
    [{ code: 'OAUTH_RESPONSE_IS_NOT_CONFORM', status: 502 }, /HTTP 502\); try again later/],
    [
      { code: 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED', otherIssuer: 'https://other.example.com/' },
      /calls itself https:\/\/other\.example\.com\/: set STEPGATE_OIDC_ISSUER/,
    ],
    [{ code: 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED' }, /is no OpenID provider/],
  ] as const
  for (const [failure, words] of cases) assert.match(discoveryProblem(issuer, failure), words)
})

const SECRET = 'a-secret'

test('the answer to an invented code tells whether the client is known', () => {
  assert.equal(clientVerdict('invalid_grant', SECRET).kind, 'known')
  assert.equal(clientVerdict('invalid_client', SECRET).kind, 'problem')
  assert.equal(clientVerdict('unauthorized_client', SECRET).kind, 'problem')
  assert.equal(clientVerdict('unsupported_grant_type', SECRET).kind, 'problem')
  for (const other of ['server_error', 'invalid_request', undefined]) {
    assert.equal(clientVerdict(other, SECRET).kind, 'unclear')
  }
})

test('what a provider does not say that it knows is named, and nothing where it says nothing', () => {
  const asked = {
    acrValues: ['silver', 'gold'],
    prompt: ['login', 'consent'],
    claims: { id_token: { acr: null } },
    loginHint: 'off',
    parameters: [],
    par: 'auto',
  } as const
  const notes = unsupportedParts(asked, {
    acr_values_supported: ['gold'],
    prompt_values_supported: ['login'],
    claims_parameter_supported: false,
  })
  assert.deepEqual(notes, [
    'its metadata does not list silver of STEPGATE_OIDC_ACR_VALUES',
    'its metadata does not list consent of STEPGATE_OIDC_PROMPT',
    'its metadata does not say that it reads STEPGATE_OIDC_CLAIMS',
  ])
  const odd = { acr_values_supported: 7, prompt_values_supported: 'login' }
  assert.deepEqual(unsupportedParts(asked, { ...odd, claims_parameter_supported: true }), [])
  assert.deepEqual(unsupportedParts({ ...asked, acrValues: [], prompt: [] }, {}), notes.slice(2))
})
