import type { PageFrame } from '../../pages/page.ts'
import type { Context } from '../context.ts'
import type { Session } from '../session/session.ts'
import { isLive } from '../session/transitions.ts'
import { channelsTo } from '../sms/channels.ts'
import { StoreUnavailableError } from '../store/store.ts'
import { lastMessage } from './challenge.ts'
import { readChallenge, type StoredChallenge } from './challenge-record.ts'
import { type DeliveryNews, deliveryNews, OVER } from './delivery-news.ts'
import { reportOf } from './delivery-record.ts'
import { isHeld } from './is-held.ts'

/** The news of a session's own challenge, and the challenge that they are of. */
export type Followed = { readonly news: DeliveryNews; readonly stored?: StoredChallenge }

/** Looks once; `before` spares unsealing a challenge that is still the same. */
export async function lookAtDelivery(
  context: Context,
  frame: PageFrame,
  session: Session,
  before?: StoredChallenge,
): Promise<Followed> {
  const now = context.clock()
  if (context.revocations.isRevoked(session)) return { news: OVER }
  if (!isLive(session, context.config.session, now)) return { news: OVER }
  const stored = await readChallenge(context, session, now, before)
  if (stored === undefined || now >= stored.challenge.expiresAt) return { news: OVER }
  const { challenge, newest } = stored
  if (!newest) return { news: OVER }
  const report = await reportOf(context.store, lastMessage(challenge), now)
  const { phone } = challenge
  const ways = channelsTo(phone, context.config).filter((way) => !isHeld(context, way, phone))
  return { news: deliveryNews(frame, challenge, report, ways), stored }
}

// In ms; other machines are heard of through the store alone.
const LOOK_EVERY = 1000
// Looks without news after which a word is sent, so that nothing on the way takes the line for dead.
const QUIET_LOOKS = 15

/**
 * Server-sent events (HTML Living Standard §9.2) of what `first` says and all that follows, until
 * the last or until `signal` ends it. `wait` says whether so many ms have passed before that.
 */
export function deliveryEvents(
  context: Context,
  frame: PageFrame,
  session: Session,
  first: Followed,
  signal: AbortSignal,
  wait = passed,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()

  async function* events(): AsyncGenerator<string> {
    let followed = first
    let told = ''
    let quiet = 0
    for (;;) {
      const news = JSON.stringify(followed.news)
      if (news !== told) yield `data: ${news}\n\n`
      else if (++quiet % QUIET_LOOKS === 0) yield ':\n\n'
      told = news
      if (followed.news.final) return
      const goesOn = await wait(LOOK_EVERY, signal)
      if (!goesOn && !context.revocations.isOver(session)) return
      followed = goesOn ? await lookAgain(followed) : { news: OVER }
    }
  }

  // A store that can't answer for a moment has no news.
  async function lookAgain(followed: Followed): Promise<Followed> {
    try {
      return await lookAtDelivery(context, frame, session, followed.stored)
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error
      const isOver = context.clock() >= (followed.stored?.challenge.expiresAt ?? 0)
      return isOver ? { news: OVER } : followed
    }
  }

  return ReadableStream.from(events()).pipeThrough(
    new TransformStream<string, Uint8Array>({
      transform: (text, controller) => controller.enqueue(encoder.encode(text)),
    }),
  )
}

/** Whether `ms` have passed before `signal` came. */
function passed(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const stop = () => {
      clearTimeout(timer)
      resolve(false)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve(true)
    }, ms)
    signal.addEventListener('abort', stop, { once: true })
  })
}
