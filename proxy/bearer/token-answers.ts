import { type Answer, jsonAnswer } from '../answer.ts'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import type { Demand } from '../policy/rule.ts'
import type { UnclearToken } from './shown-token.ts'

const UNCLEAR: Readonly<Record<UnclearToken, string>> = {
  token_malformed: 'The Authorization header holds no bearer token',
  token_repeated: 'There are several Authorization headers',
  token_and_session: 'A request carries a token or a session cookie, not both',
}

/** 400 for a request that shows more than one token, or less (RFC 6750 §3.1). */
export function refuseUnclear(exchange: Exchange, reason: UnclearToken): Answer {
  return refuse(exchange, 400, 'invalid_request', UNCLEAR[reason])
}

/** 401 for a token that is no good; why is in the log alone. */
export function refuseToken(exchange: Exchange): Answer {
  return refuse(exchange, 401, 'invalid_token', 'The access token is not valid here')
}

/** 503 while nobody can say whether a token is good. */
export function refuseForNow({ requestId }: Exchange): Answer {
  const body = { error: 'provider_unavailable', request_id: requestId }
  return jsonAnswer(503, body, { 'Retry-After': '5' })
}

/**
 * 401 for a token that proves too little (RFC 9470 §3): what the provider has to say in the next one,
 * in its own words where they are configured, or how recently somebody has to have signed in.
 */
export function demandStronger(
  { config }: Pick<Context, 'config'>,
  exchange: Exchange,
  demand: Demand,
): Answer {
  const { maxAge } = demand
  const isStepUp = demand.kind === 'step-up'
  const values = isStepUp ? { acr_values: config.oidc.trustAcr.join(' ') || demand.acr } : {}
  const seconds = maxAge === undefined ? undefined : Math.floor(maxAge / 1000)
  const age = seconds === undefined ? {} : { max_age: seconds }
  const error = 'insufficient_user_authentication'
  const description = 'A stronger or more recent authentication is required'
  return refuse(exchange, 401, error, description, { ...values, ...age })
}

function refuse(
  { requestId }: Exchange,
  status: 400 | 401,
  error: string,
  description: string,
  more: Readonly<Record<string, string | number>> = {},
): Answer {
  const said = { error, error_description: description, ...more }
  const parameters = Object.entries(said).map(([name, value]) =>
    typeof value === 'number' ? `${name}=${value}` : `${name}="${value.replace(/["\\]/g, '\\$&')}"`,
  )
  return jsonAnswer(
    status,
    { ...said, request_id: requestId },
    { 'WWW-Authenticate': ['Bearer realm="stepgate"', ...parameters].join(', ') },
  )
}
