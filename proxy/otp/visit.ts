import type { ReturnFields } from '../../pages/parts/return-fields.ts'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { frameRequest } from '../page-answer.ts'
import { type Need, needFields } from '../request/need.ts'
import type { Session } from '../session/session.ts'
import { spokenCode } from '../sms/call-text.ts'
import { codeMessage } from '../sms/message-text.ts'
import type { Channel } from '../sms/sender.ts'
import { auditReport } from './audit-report.ts'
import type { SendParts } from './send-code.ts'
import { limitsOf } from './send-limits.ts'

/** A signed-in person at the code page. */
export type Visit = {
  readonly context: Context
  readonly exchange: Exchange
  readonly session: Session
  readonly need: Need
  readonly uiLocales: string | undefined
  readonly now: number
}

/** What our forms and links take along: the need, and languages that the session doesn't know of. */
export function returnFieldsOf({
  need,
  session,
  uiLocales,
}: Pick<Visit, 'need' | 'session' | 'uiLocales'>): ReturnFields {
  const asked = uiLocales !== undefined && uiLocales !== session.locale
  return { ...needFields(need), ...(asked && { uiLocales }) }
}

/** What a send or a call needs, with the text in this person's language. */
export function sendPartsOf({ context, exchange, uiLocales }: Visit, channel: Channel): SendParts {
  const { store, sealer, sender, alarms, pages, config } = context
  const brand = config.brand.name
  const { host } = config.publicUrl
  const { t } = pages.frame(frameRequest(exchange, uiLocales))
  return {
    store,
    sealer,
    sender,
    channel,
    limits: limitsOf(config),
    alarms,
    address: exchange.client.address,
    compose: (code, validFor) => codeMessage({ t, brand, code, validFor, host }),
    speak: (code) => spokenCode({ t, brand, code, host }),
    ended: (owner, message, report) =>
      auditReport(context.log, owner, message, report, exchange.requestId),
  }
}
