import { deliveryLines, type OtpNotice } from '../../pages/otp-notice.ts'
import type { PageFrame } from '../../pages/page.ts'
import type { DeliveryKind } from '../../pages/parts/delivery-region.ts'
import type { DeliveryReport } from '../sms/delivery-report.ts'
import type { Channel } from '../sms/sender.ts'
import { type Challenge, lastMessage } from './challenge.ts'

/** What the page's script is told; `text` is sentences. `final`: nothing more will come. */
export type DeliveryNews = {
  readonly kind: DeliveryKind | 'over'
  readonly final: boolean
  readonly text?: readonly string[]
}

type ReportNotice = Extract<OtpNotice, { kind: 'handed-over' | 'delivered' | 'undelivered' }>

/** There is no code any more that a message could bring. */
export const OVER: DeliveryNews = { kind: 'over', final: true }

/** How the last message or call fares that went out; undefined when none did. */
export function deliveryKind(
  challenge: Pick<Challenge, 'delivery' | 'message'>,
  report: DeliveryReport | undefined,
): DeliveryKind | undefined {
  if (challenge.delivery.kind === 'sending') return 'sending'
  if (lastMessage(challenge) === undefined) return undefined
  return report === undefined || report.state === 'queued' ? 'sending' : report.state
}

/** What there is to say of a report; undefined while the message is on its way as any other. */
export function reportNotice(
  channel: Channel,
  report: DeliveryReport | undefined,
): ReportNotice | undefined {
  switch (report?.state) {
    case 'sent':
      return { kind: 'handed-over' }
    case 'delivered':
      return { kind: 'delivered', channel }
    case 'failed':
      return { kind: 'undelivered', reason: report.reason }
    case 'queued':
    case 'sending':
    case undefined:
      return undefined
  }
}

/** The news of a challenge, in the person's language. */
export function deliveryNews(
  frame: PageFrame,
  challenge: Challenge,
  report: DeliveryReport | undefined,
  ways: readonly Channel[],
): DeliveryNews {
  const kind = deliveryKind(challenge, report)
  if (kind === undefined) return OVER
  const { channel } = lastMessage(challenge) ?? challenge.delivery
  const said = reportNotice(channel, report)
  return {
    kind,
    final: kind === 'delivered' || kind === 'failed',
    ...(said && {
      text: deliveryLines(frame, said, { canChangeNumber: challenge.choices > 1, ways }),
    }),
  }
}
