import { auditFields } from '../audit-fields.ts'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import type { EndReason } from '../metrics/counted-fields.ts'
import { endOfSid, endOfSubject } from '../session/ended-sessions.ts'
import { type BegunSession, endBegun } from '../session/provider-sessions.ts'
import { dropTokens } from '../session/provider-tokens.ts'

/**
 * Ends, on the provider's word, the session that began with its session `sid`, in every process and
 * also if it is only about to begin; `ended` where it was over already. Throws `StoreUnavailableError` once it is over in this one.
 */
export async function endProviderSession(
  context: Context,
  exchange: Exchange,
  sid: string,
  reason: EndReason,
  now: number,
): Promise<BegunSession | 'ended' | 'unknown'> {
  const fields = auditFields({ exchange })
  const until = now + context.config.session.lifetime
  await context.revocations.revoke(endOfSid(sid), until, fields)
  const begun = await endBegun(context, sid, until, now)
  if (typeof begun === 'string') return begun
  context.log.audit('session.ended', { ...fields, subject: begun.subject, reason })
  await dropTokens(context, begun.family, now)
  return begun
}

/**
 * Ends all sessions of a person that began before now, or those that the provider gave no sid.
 * Answers whether the store has it.
 */
export function endSessionsOf(
  context: Context,
  exchange: Exchange,
  subject: string,
  which: 'all' | 'without-sid',
  now: number,
): Promise<boolean> {
  const until = now + context.config.session.lifetime
  const fields = { ...auditFields({ exchange }), subject }
  return context.revocations.revoke(endOfSubject(subject, now, which), until, fields)
}
