import { auditFields } from './audit-fields.ts'
import type { Context } from './context.ts'
import type { Exchange } from './exchange.ts'
import type { Need } from './request/need.ts'
import type { Session } from './session/session.ts'

/** Logs that somebody is asked for a code, by a rule or by an application's link. */
export function auditStepUp(
  { log }: Context,
  exchange: Exchange,
  session: Session | undefined,
  { maxAge }: Pick<Need, 'maxAge'>,
): void {
  log.audit('step_up.required', {
    ...auditFields({ exchange, session }),
    acr: 'twilio_sms',
    max_age: maxAge === undefined ? undefined : Math.floor(maxAge / 1000),
  })
}
