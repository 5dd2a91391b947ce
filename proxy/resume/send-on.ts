import { writeAnswer } from '../answer.ts'
import { auditFields } from '../audit-fields.ts'
import type { Context } from '../context.ts'
import { askedOf, type Exchange } from '../exchange.ts'
import { answerDemand, deny } from '../gate-answers.ts'
import { decide } from '../policy/decide.ts'
import { inviteBody } from '../request/expectation.ts'
import { currentSession } from '../session/current-session.ts'
import type { Session } from '../session/session.ts'
import type { ForwardOutcome, ForwardRequest } from '../upstream/forward.ts'
import {
  answerEnded,
  answerUnanswered,
  rebuildRequest,
  type SeenSession,
  seeSession,
} from '../upstream/forward-request.ts'
import { checkOwner } from './check-owner.ts'
import { headersToSend, isFromUs } from './form-headers.ts'
import { changeKept, dropContent, type Found, findKept, readContent } from './kept.ts'
import { MARKER_LENGTH, readMarker } from './marker.ts'
import { notSentAnswer } from './not-sent.ts'
import { type Gathering, gatherContent } from './read-content.ts'
import { resumePath } from './resume-path.ts'

/** How often an application may pass one form on to another address of its own (307, 308). */
const MOST_TARGETS = 5

/** How long a marker may take to come (ms). */
const MARKER_TIME = 10_000

/**
 * A request that was allowed when it began, and whose content may be a marker. If it is one, what is kept
 * goes to the application in its place, once; if not, it goes on as it is.
 */
export async function sendOn(context: Context, exchange: Exchange): Promise<void> {
  const { incoming, outgoing, notes } = exchange
  inviteBody(incoming, outgoing)
  const gathered = gatherContent(incoming, MARKER_LENGTH, context.resume.room)
  const timer = setTimeout(gathered.drop, MARKER_TIME)
  incoming.resume()
  const content = await gathered.content
  clearTimeout(timer)
  gathered.drop()
  // Who was there when it began may have gone since.
  const now = context.clock()
  const session = await currentSession(context, exchange, now)
  if (content.kind !== 'whole') {
    const reason = content.kind === 'broken-off' ? 'body-idle' : 'unavailable'
    return writeAnswer(exchange, await notSentAnswer(context, exchange, session, { reason }), true)
  }
  const { rules, defaultAcr } = context.config
  const decision = decide(rules, defaultAcr, session, askedOf(exchange), now)
  notes.decision = decision.kind
  notes.subject = session?.subject
  switch (decision.kind) {
    case 'forward': {
      const allowed = { context, exchange, session, now, gathered }
      const id = readMarker(content.bytes)
      return id === undefined ? forwardOwn(allowed, content.bytes) : sendKept(allowed, id)
    }
    case 'deny':
      return writeAnswer(exchange, await deny(context, exchange, session, decision.reason))
    default: {
      const answer = await answerDemand(context, exchange, session, decision, now, gathered)
      return writeAnswer(exchange, answer)
    }
  }
}

/** An allowed request, with what was gathered of what came. */
type Allowed = {
  readonly context: Context
  readonly exchange: Exchange
  readonly session: Session | undefined
  readonly now: number
  readonly gathered: Gathering
}

/** A form of the application's that is as long as a marker. */
async function forwardOwn(allowed: Allowed, content: Buffer): Promise<void> {
  const { context, exchange, session, now } = allowed
  const seen = await seeSession(context, exchange, session, now)
  const request = { ...rebuildRequest(context, exchange, session, now), content }
  await answerOutcome(allowed, await forward(allowed, seen, request))
}

/** Sends on what is kept, if it may be. */
async function sendKept(allowed: Allowed, id: string): Promise<void> {
  const { context, exchange, session, now } = allowed
  const { incoming, notes } = exchange
  const seen = await seeSession(context, exchange, session, now)
  const taken = await takeKept(context, exchange, session, id, now)
  if (taken.kind === 'refused') {
    const { reason } = taken
    const fields = {
      ...auditFields({ exchange, session }),
      reason: `form_${reason.replace('-', '_')}`,
    }
    context.log.audit('request.denied', fields)
    return writeAnswer(exchange, await notSentAnswer(context, exchange, session, { reason }))
  }
  const { found, before, bytes } = taken
  let outcome: ForwardOutcome | undefined
  try {
    const rawHeaders = headersToSend(incoming.rawHeaders, found.kept.headers, bytes.length)
    outcome = await forward(allowed, seen, {
      ...rebuildRequest(context, exchange, session, now, rawHeaders),
      content: bytes,
      mayBegin: (status, location) => !leadsElsewhere(context, exchange, status, location),
    })
  } finally {
    if (notes.sent) {
      const fields = { ...auditFields({ exchange, session }), bytes: bytes.length }
      context.log.audit('form.sent_on', fields)
    }
    await settleKept()
  }
  await answerOutcome(allowed, outcome, notes.sent ? undefined : resumePath(id))

  /** Once it may have arrived it is not sent again, unless the application itself has declined it. */
  async function settleKept(): Promise<void> {
    const isDeclined = outcome?.kind === 'demands' || outcome?.kind === 'withheld'
    if (!notes.sent || isDeclined) {
      await changeKept(context, found, { sentTo: before }, now)
      return
    }
    const isPassedOn = outcome?.kind === 'answered' && PASSES_ON.has(outcome.status)
    if (!isPassedOn) await dropContent(context, found, now)
  }
}

/** Whether the browser would take the marker to another origin. */
function leadsElsewhere(
  { config: { publicUrl } }: Context,
  { target }: Exchange,
  status: number,
  location = '',
): boolean {
  if (!PASSES_ON.has(status)) return false
  const url = URL.parse(location, new URL(target.raw, publicUrl))
  return url !== null && url.origin !== publicUrl.origin
}

/** Methods and content stay the same (RFC 9110 §15.4.8, §15.4.9): the browser brings the marker there. */
const PASSES_ON: ReadonlySet<number> = new Set([307, 308])

type Taken =
  | {
      readonly kind: 'taken'
      readonly found: Found
      readonly before: readonly string[]
      readonly bytes: Buffer
    }
  | { readonly kind: 'refused'; readonly reason: 'cross-site' | 'gone' | 'other' | 'sent' }

/** Of several that come at once with the same marker, one gets what is kept. */
async function takeKept(
  context: Context,
  exchange: Exchange,
  session: Session | undefined,
  id: string,
  now: number,
): Promise<Taken> {
  const { incoming, target } = exchange
  const refused = (reason: Extract<Taken, { kind: 'refused' }>['reason']): Taken => ({
    kind: 'refused',
    reason,
  })
  if (!isFromUs(incoming.headers, context.config.publicUrl)) return refused('cross-site')
  const checked = await checkOwner(
    context,
    exchange,
    session,
    await findKept(context, id, now),
    now,
  )
  if (checked.kind === 'refused') return checked
  const { kept } = checked.found
  const { sentTo: before } = kept
  // Somebody signed out and on to a public page: it waits for its person.
  if (kept.subject !== undefined && session === undefined) return refused('gone')
  if (before.includes(target.raw) || before.length >= MOST_TARGETS) return refused('sent')
  // Only the application itself may lead it elsewhere, and only once it has had it.
  if (before.length === 0 && target.raw !== kept.target) return refused('gone')
  // Read before it is taken: what fails on the way leaves it as it is.
  const bytes = await readContent(context, checked.found, now)
  if (bytes === undefined) return refused('sent')
  const sentTo = [...before, target.raw]
  const found = await changeKept(context, checked.found, { sentTo }, now)
  return found === undefined ? refused('sent') : { kind: 'taken', found, before, bytes }
}

/** Sends a request with its content to the application, if its session is still there. */
function forward(
  { context, exchange, session }: Allowed,
  { setCookies, session: seen }: SeenSession,
  request: ForwardRequest,
): Promise<ForwardOutcome> {
  const { incoming, outgoing, notes } = exchange
  if (session !== undefined && context.revocations.isOver(session)) {
    return Promise.resolve({ kind: 'session-ended' })
  }
  const open = seen && context.underWay.enter(exchange, seen)
  return context.upstream.forwarder
    .forward(request, incoming, outgoing, setCookies, notes, open)
    .finally(() => open && context.underWay.leave(open))
}

async function answerOutcome(
  { context, exchange, session, gathered }: Allowed,
  outcome: ForwardOutcome,
  retryUrl?: string,
): Promise<void> {
  if (outcome.kind === 'session-ended') {
    return answerEnded(context, exchange, context.clock(), gathered)
  }
  if (outcome.kind === 'answered' || outcome.kind === 'client-gone') return
  await answerUnanswered(context, exchange, session, outcome, { gathered, retryUrl })
}
