import * as z from 'zod'
import { parseClaimsRequest } from './parse-claims-request.ts'
import { CLIENT_KEY_ALGS, parseClientKey } from './parse-client-key.ts'
import { parseParameters } from './parse-parameters.ts'
import { parseIssuer } from './parse-url.ts'
import { parseGroups, parseLocales, parsePrompt, parseScopes, parseWords } from './parse-words.ts'
import { parsedBy } from './parsed.ts'
import { durationOrOff, line, matching, oneOf, secretText } from './schemas.ts'
import { defaulted, optional, required } from './variable.ts'

/** A claim's name may be a URL, but it is one word. */
const claim = matching(/^\S+$/, 'it must be the name of one claim, without spaces')

/** The provider, and what a request needs. */
export const SIGN_IN = {
  OIDC_ISSUER: required(parsedBy(parseIssuer), {
    doc: 'Issuer of the OpenID Connect provider where people sign in; https unless the host is loopback.',
    example: 'https://login.example.com/realms/staff',
  }),
  OIDC_CLIENT_ID: required(line(500), {
    doc: "stepgate's client id at the provider; the redirect URI is `/_stepgate/callback` under the public URL.",
    example: 'stepgate',
  }),
  OIDC_CLIENT_SECRET: optional(secretText, {
    doc: "stepgate's client secret at the provider.",
    defaultNote: 'this or `…_OIDC_CLIENT_KEY`',
    example: 'the-secret-that-the-provider-shows',
    secret: true,
  }),
  OIDC_CLIENT_KEY: optional(parsedBy(parseClientKey), {
    doc: 'Private key for `private_key_jwt` (RFC 7523) instead of a client secret, in PEM or as JWK: RSA, EC (P-256, P-384, P-521) or Ed25519.',
    defaultNote: 'this or `…_OIDC_CLIENT_SECRET`',
    example: 'what-openssl-genpkey-writes',
    secret: true,
  }),
  OIDC_CLIENT_KEY_ID: optional(line(500), {
    doc: 'The `kid` under which the provider knows the public key.',
    defaultNote: 'that of the JWK, if it has one',
    example: 'stepgate-2026',
  }),
  OIDC_CLIENT_KEY_ALG: optional(oneOf(...CLIENT_KEY_ALGS), {
    doc: 'How the key signs, such as `ES256` or `PS256`.',
    defaultNote: "that of the JWK, or what key and provider's metadata have in common",
    example: 'PS256',
  }),
  OIDC_PAR: defaulted(oneOf('auto', 'on'), 'auto', {
    doc: "Pushed authorization requests (RFC 9126): `auto`, if the provider's metadata requires them, or `on`.",
    example: 'on',
  }),
  OIDC_SCOPES: defaulted(parsedBy(parseScopes), 'openid profile email', {
    doc: 'Scopes to ask for; `openid` is among them.',
    example: 'openid profile email',
  }),
  OIDC_USERNAME_CLAIM: defaulted(claim, 'preferred_username', {
    doc: 'Claim that holds the username.',
    example: 'preferred_username',
  }),
  OIDC_GROUPS_CLAIM: defaulted(claim, 'groups', {
    doc: 'Claim that holds the groups.',
    example: 'groups',
  }),
  OIDC_GROUPS: optional(parsedBy(parseGroups), {
    doc: 'Groups that matter, separated by `;` or line breaks, with `*` for any characters; all others are forgotten at sign-in.',
    defaultNote: 'all',
    example: 'hr; app-*',
  }),
  OIDC_TRUST_ACR: optional(
    parsedBy((text) => parseWords(text, /^\S+$/, 'acr value')),
    {
      doc: "Provider's `acr` or `amr` values that already count as `twilio_sms`, separated by spaces or commas.",
      example: 'mfa',
    },
  ),
  OIDC_ACR_VALUES: optional(
    parsedBy((text) => parseWords(text, /^[\x21\x23-\x5b\x5d-\x7e]+$/, 'acr value')),
    {
      doc: 'The `acr_values` to ask the provider for, the one that is liked best first. What comes back proves the first factor only, unless `…_OIDC_TRUST_ACR` names it.',
      example: 'urn:example:silver',
    },
  ),
  OIDC_CLAIMS: optional(parsedBy(parseClaimsRequest), {
    doc: 'The `claims` parameter (OpenID Connect Core §5.5), as JSON. Nobody is signed in without a claim that it calls essential, or with another value of it than it asks for.',
    example: '\'{"id_token":{"acr":{"essential":true,"values":["urn:example:silver"]}}}\'',
  }),
  OIDC_PROMPT: optional(parsedBy(parsePrompt), {
    doc: 'What the provider is to ask at each sign-in, even of those who are signed in there: `login`, `consent`, `select_account`, or several.',
    example: 'select_account',
  }),
  OIDC_UI_LOCALES: optional(parsedBy(parseLocales), {
    doc: "Languages that the provider's pages should have, for people who have not chosen any here.",
    example: 'de en',
  }),
  OIDC_LOGIN_HINT: defaulted(oneOf('username', 'email', 'off'), 'username', {
    doc: 'Whom the provider is told to expect when somebody with a session has to sign in anew: its `username` or `email`. `login_hint` of a link to `/_stepgate/sign-in` or `/_stepgate/step-up` goes before; `off` sends neither.',
    example: 'email',
  }),
  OIDC_PARAMETERS: optional(parsedBy(parseParameters), {
    doc: 'Other parameters of the authorization request, as `name=value`, one a line or separated by `;`.',
    example: '"domain_hint=example.com; resource=https://api.example.com"',
  }),
  BEARER_AUDIENCE: optional(
    parsedBy((text) => parseWords(text, /^\S+$/, 'audience')),
    {
      doc: 'Whom [access tokens](docs/bearer.md) must be for, where a rule says `bearer`: one of these has to stand in `aud`. Separated by spaces or commas.',
      example: 'https://api.example.com',
    },
  ),
  BEARER_INTROSPECTION: defaulted(durationOrOff('1s', '1h'), 'off', {
    doc: "`off`: access tokens are JWTs, checked with the provider's keys. A duration: the provider is asked about each token (RFC 7662), and its answer is believed that long.",
    example: '60s',
  }),
  DEFAULT_ACR: defaulted(oneOf('twilio_sms', 'basic', 'public'), 'twilio_sms', {
    doc: 'What a path needs that no rule names: `twilio_sms`, `basic` or `public`.',
    example: 'twilio_sms',
  }),
  RULES: optional(z.string(), {
    doc: 'What each path needs, one rule a line or separated by `;`; the first match wins.',
    example: '"public /assets/**; basic /reports/**; twilio_sms /payroll/** max_age=15m"',
  }),
} as const
