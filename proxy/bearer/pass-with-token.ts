import { auditFields } from '../audit-fields.ts'
import { auditStepUp } from '../audit-step-up.ts'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { deny } from '../gate-answers.ts'
import { type GateEnds, refuseUnknown } from '../gate-ends.ts'
import { decide } from '../policy/decide.ts'
import type { RuleRequest } from '../policy/rule.ts'
import type { ShownToken } from './shown-token.ts'
import { demandStronger, refuseForNow, refuseToken, refuseUnclear } from './token-answers.ts'

/**
 * The way of a request that shows an access token where a rule takes one: what is it good for, and
 * then what the rules say of a session like that. No answer of it is a page to sign in at, and none
 * sets a cookie.
 */
export async function passWithToken(
  context: Context,
  exchange: Exchange,
  shown: ShownToken,
  asked: RuleRequest,
  now: number,
  { letPass, answer }: GateEnds,
): Promise<void> {
  const { config, tokens, countRequest, log } = context
  const { notes } = exchange
  notes.decision = 'deny'
  if (shown.kind === 'unclear') {
    countRequest('deny')
    log.audit('request.denied', { ...auditFields({ exchange }), reason: shown.reason })
    return answer(exchange, refuseUnclear(exchange, shown.reason))
  }
  const read = tokens?.read(shown.token, now, exchange.client.address) ?? {
    kind: 'unavailable' as const,
  }
  const verdict = read instanceof Promise ? await read : read
  if (verdict.kind !== 'accepted') {
    countRequest('deny')
    if (verdict.kind === 'unavailable') return answer(exchange, refuseForNow(exchange))
    const reason = { reason: 'token_invalid', cause: verdict.reason }
    log.audit('request.denied', { ...auditFields({ exchange }), ...reason })
    return answer(exchange, refuseToken(exchange))
  }

  const { session, until } = verdict
  const decision = decide(config.rules, config.defaultAcr, session, asked, now)
  notes.decision = decision.kind
  notes.subject = session.subject
  countRequest(decision.kind)
  const known = { ...exchange, tokenUntil: until }
  switch (decision.kind) {
    case 'forward':
      return letPass(context, known, session, now)
    case 'step-up':
      auditStepUp(context, exchange, session, decision)
      return answer(exchange, demandStronger(context, exchange, decision))
    case 'deny':
      return answer(exchange, await deny(context, exchange, session, decision.reason))
    case 'sign-in':
      // What is intact is asked for no more than that somebody has signed in lately.
      return answer(
        exchange,
        decision.maxAge === undefined
          ? refuseToken(exchange)
          : demandStronger(context, exchange, decision),
      )
    default:
      return refuseUnknown(decision)
  }
}
