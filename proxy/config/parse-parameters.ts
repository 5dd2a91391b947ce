import type { Parameter } from './config.ts'
import { ok, type Parsed, wrong } from './parsed.ts'

const ITSELF = 'stepgate sets it itself for each sign-in; leave it out'

/** What stepgate sets, and where to say what is meant by it. */
const RESERVED: ReadonlyMap<string, string> = new Map([
  ['acr_values', 'write STEPGATE_OIDC_ACR_VALUES instead'],
  ['claims', 'write STEPGATE_OIDC_CLAIMS instead'],
  ['client_assertion', 'write STEPGATE_OIDC_CLIENT_KEY_FILE instead'],
  ['client_assertion_type', 'write STEPGATE_OIDC_CLIENT_KEY_FILE instead'],
  ['client_id', 'write STEPGATE_OIDC_CLIENT_ID instead'],
  ['client_secret', 'write STEPGATE_OIDC_CLIENT_SECRET_FILE instead'],
  ['code_challenge', ITSELF],
  ['code_challenge_method', ITSELF],
  ['dpop_jkt', 'stepgate binds no tokens to a key; leave it out'],
  ['id_token_hint', 'stepgate sends login_hint, as STEPGATE_OIDC_LOGIN_HINT says'],
  ['login_hint', 'write STEPGATE_OIDC_LOGIN_HINT instead, or login_hint in the link to sign in'],
  ['max_age', 'write signed_in_within= in a rule of STEPGATE_RULES instead'],
  ['nonce', ITSELF],
  ['prompt', 'write STEPGATE_OIDC_PROMPT instead'],
  ['redirect_uri', 'it is /_stepgate/callback under STEPGATE_PUBLIC_URL'],
  ['request', 'write STEPGATE_OIDC_PAR=on instead, which keeps parameters out of the browser'],
  ['request_uri', 'write STEPGATE_OIDC_PAR=on instead'],
  ['response_mode', ITSELF],
  ['response_type', ITSELF],
  ['scope', 'write STEPGATE_OIDC_SCOPES instead'],
  ['state', ITSELF],
  ['ui_locales', 'write STEPGATE_OIDC_UI_LOCALES instead'],
])

const MAX_VALUE = 1000

/**
 * Reads `name=value` entries separated by `;` or line breaks: parameters of the authorization request
 * (RFC 6749 §3.1) besides those that stepgate sets.
 */
export function parseParameters(text: string): Parsed<readonly Parameter[]> {
  const entries = text
    .split(/[;\r\n]+/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map(splitEntry)
  if (entries.length === 0) return wrong('it holds no parameter')
  const names = entries.map(({ name }) => name)
  const problems = entries.flatMap(({ name, value }, index) => {
    const problem =
      problemOf(name, value) ?? (names.indexOf(name) < index ? 'is there twice' : undefined)
    return problem === undefined ? [] : [`${JSON.stringify(name)} ${problem}`]
  })
  return problems.length > 0
    ? wrong(...problems)
    : ok(entries.map(({ name, value = '' }) => ({ name, value })))
}

/** `value` is absent where the entry has no `=`. */
function splitEntry(entry: string): { name: string; value?: string } {
  const at = entry.indexOf('=')
  if (at < 0) return { name: entry }
  return { name: entry.slice(0, at).trim(), value: entry.slice(at + 1).trim() }
}

function problemOf(name: string, value: string | undefined): string | undefined {
  if (!/^[\w.-]{1,100}$/.test(name)) return 'is no name of a parameter (RFC 6749 §11.2)'
  const instead = RESERVED.get(name.toLowerCase())
  if (instead !== undefined) return `can't be set here: ${instead}`
  if (value === undefined) return 'must be written name=value'
  if (value === '') return 'has no value, and so would not count (RFC 6749 §3.1)'
  if (value.length > MAX_VALUE) return `has a value of more than ${MAX_VALUE} characters`
  return /\p{Cc}/u.test(value) ? 'has a control character in its value' : undefined
}
