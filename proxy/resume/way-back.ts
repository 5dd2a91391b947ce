import type { Answer } from '../answer.ts'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import type { Demand } from '../policy/rule.ts'
import { returnTarget } from '../request/return-target.ts'
import type { Session } from '../session/session.ts'
import { hasBody } from '../upstream/request-body.ts'
import { saysOrigin } from './form-headers.ts'
import { keepForm } from './keep-form.ts'
import { notKeptAnswer } from './not-sent.ts'
import { type Gathering, PASSED_ON } from './read-content.ts'

/** Where a navigation that ran into sign-in or step-up comes back to; or the answer, if it can't. */
export type WayBack =
  | { readonly kind: 'back'; readonly returnTo: string; readonly setCookies: readonly string[] }
  | { readonly kind: 'answer'; readonly answer: Answer }

/** What is known of a navigation: whose it is, what is asked of it, and what was read of it. */
export type Stopped = {
  readonly session: Session | undefined
  readonly demand: Demand
  readonly gathered?: Gathering | undefined
}

/**
 * To the very page that was asked for, or to where a form that was sent goes on from. A proxy that only
 * asks whether a request may pass has no form for us to keep: the body of its question is another.
 */
export async function wayBack(
  context: Context,
  exchange: Exchange,
  { session, demand, gathered }: Stopped,
  now: number,
): Promise<WayBack> {
  const { incoming, notes } = exchange
  const isForm = incoming.method === 'POST' && notes.original === undefined
  // Sent by a program that passes for a browser, and nothing in it.
  const isVoid = !hasBody(incoming) && !saysOrigin(incoming.headers)
  if (!isForm || isVoid) {
    const returnTo = returnTarget(exchange.target.raw, context.config.publicUrl)
    return { kind: 'back', returnTo, setCookies: [] }
  }
  if (gathered === PASSED_ON) {
    return {
      kind: 'answer',
      answer: await notKeptAnswer(context, exchange, session, 'unsure', demand),
    }
  }
  const kept = await keepForm({ context, exchange, session, now }, gathered)
  if (kept.kind === 'kept') return { ...kept, kind: 'back' }
  const answer = await notKeptAnswer(context, exchange, session, kept.reason, demand)
  return { kind: 'answer', answer }
}
