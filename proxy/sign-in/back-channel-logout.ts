import { type Answer, jsonAnswer } from '../answer.ts'
import { auditFields } from '../audit-fields.ts'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { describeError, type LogFields } from '../log.ts'
import { keyOf } from '../store/key-of.ts'
import { ifUnavailable, StoreUnavailableError } from '../store/store.ts'
import type { LogoutRead } from './provider.ts'
import { endProviderSession, endSessionsOf } from './provider-logout.ts'

type Logout = Extract<LogoutRead, { kind: 'logout' }>

const DONE: Answer = { status: 200, headers: { 'Cache-Control': 'no-store' }, body: '' }

/** `POST /_stepgate/backchannel-logout`: OpenID Connect Back-Channel Logout 1.0 §2.5 to §2.8. */
export async function answerBackChannelLogout(
  context: Context,
  exchange: Exchange,
  fields: URLSearchParams,
): Promise<Answer> {
  const now = context.clock()
  const [token, ...others] = fields.getAll('logout_token')
  if (token === undefined || others.length > 0) return refuse(context, exchange, 'logout_token')
  const logout = await context.provider.readLogoutToken(token, now)
  switch (logout.kind) {
    case 'invalid':
      return refuse(context, exchange, logout.code)
    case 'unavailable':
      return askAgain(context, exchange, 'provider_unavailable', { code: logout.code })
    case 'logout':
      try {
        return await endOnce(context, exchange, logout, now)
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) throw error
        return askAgain(context, exchange, error.code, describeError(error))
      }
  }
}

/** Whoever sends it may send it again. */
function askAgain(
  { log }: Context,
  { requestId }: Exchange,
  error: 'provider_unavailable' | 'store_unavailable',
  fields: LogFields,
): Answer {
  log.error('A logout of the provider is not done yet', { request_id: requestId, ...fields })
  return jsonAnswer(503, { error, request_id: requestId }, { 'Retry-After': '5' })
}

/**
 * A token counts once. What it ends is ended before it is noted as used: were that to fail in
 * between, the provider could send it again. Throws `StoreUnavailableError`, with all that can be
 * ended without the store ended.
 */
async function endOnce(
  context: Context,
  exchange: Exchange,
  logout: Logout,
  now: number,
): Promise<Answer> {
  const key = keyOf('logout-token', logout.jti)
  const used = await context.store.get(key, now).catch(ifUnavailable)
  if (used !== undefined) return refuse(context, exchange, 'replay')
  await end(context, exchange, logout, now)
  const noted = await context.store.swap(key, undefined, 'used', logout.expiresAt, now)
  return noted.kind === 'stored' ? DONE : refuse(context, exchange, 'replay')
}

async function end(
  context: Context,
  exchange: Exchange,
  { sid, subject }: Logout,
  now: number,
): Promise<void> {
  const reason = 'back_channel_logout'
  if (sid === undefined) {
    if (subject === undefined) return
    await endSessionsOf(context, exchange, subject, 'all', now)
    context.log.audit('session.ended', { ...auditFields({ exchange }), subject, reason })
    return
  }
  const begun = await endProviderSession(context, exchange, sid, reason, now)
  // A session may have begun without its sid: which of theirs it is then nobody can tell.
  if (begun === 'unknown' && subject !== undefined) {
    await endSessionsOf(context, exchange, subject, 'without-sid', now)
    context.log.audit('session.ended', { ...auditFields({ exchange }), subject, reason })
  }
}

function refuse(context: Context, exchange: Exchange, code: string): Answer {
  const fields = { ...auditFields({ exchange }), reason: 'logout_token', code }
  context.log.audit('request.denied', fields)
  return jsonAnswer(400, {
    error: 'invalid_request',
    error_description: `The logout token is refused: ${code}`,
    request_id: exchange.requestId,
  })
}
