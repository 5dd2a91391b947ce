import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import type { RuleRequest } from '../policy/rule.ts'
import { takesBearer } from '../policy/takes-bearer.ts'
import { valuesOf } from '../request/raw-headers.ts'

/** What a request shows instead of a session; `unclear` is more than one token, or less. */
export type ShownToken =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'unclear'; readonly reason: UnclearToken }

export type UnclearToken = 'token_malformed' | 'token_repeated' | 'token_and_session'

/**
 * The access token of a request (RFC 6750 §2.1), where a rule takes tokens. Undefined for all that is
 * judged by its session: no token, or a path where `Authorization` is the application's business.
 */
export function shownToken(
  { config, cookies, tokens }: Pick<Context, 'config' | 'cookies' | 'tokens'>,
  { incoming }: Pick<Exchange, 'incoming'>,
  asked: RuleRequest,
): ShownToken | undefined {
  const { authorization, cookie } = incoming.headers
  if (tokens === undefined || authorization === undefined) return undefined
  // node:http keeps the first of several.
  const all = valuesOf(incoming.rawHeaders, 'authorization')
  if (!all.some((value) => SCHEME.test(value))) return undefined
  if (!takesBearer(config.rules, asked)) return undefined
  if (all.length > 1) return { kind: 'unclear', reason: 'token_repeated' }
  if (hasCookie(cookie, cookies.session)) return { kind: 'unclear', reason: 'token_and_session' }
  const token = CREDENTIALS.exec(authorization)?.[1]
  return token === undefined
    ? { kind: 'unclear', reason: 'token_malformed' }
    : { kind: 'token', token }
}

const SCHEME = /^bearer(?:[\s,]|$)/i
const CREDENTIALS = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i

/** Also one that is no good: whoever sends both has not chosen. */
function hasCookie(header: string | undefined, name: string): boolean {
  return header?.split(';').some((pair) => pair.trimStart().startsWith(`${name}=`)) === true
}
