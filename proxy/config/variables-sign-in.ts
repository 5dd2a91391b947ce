import * as z from 'zod'
import { parseIssuer } from './parse-url.ts'
import { parseScopes, parseWords } from './parse-words.ts'
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
  OIDC_CLIENT_SECRET: required(secretText, {
    doc: "stepgate's client secret at the provider.",
    example: 'the-secret-that-the-provider-shows',
    secret: true,
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
  OIDC_TRUST_ACR: optional(
    parsedBy((text) => parseWords(text, /^\S+$/, 'acr value')),
    {
      doc: "Provider's `acr` or `amr` values that already count as `twilio_sms`, separated by spaces or commas.",
      example: 'mfa',
    },
  ),
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
