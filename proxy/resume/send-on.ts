import { writeAnswer } from '../answer.ts'
import { auditFields } from '../audit-fields.ts'
import type { Context } from '../context.ts'
import { errorCode } from '../error-code.ts'
import type { Exchange } from '../exchange.ts'
import { inviteBody } from '../request/expectation.ts'
import type { Session } from '../session/session.ts'
import type { ForwardOutcome } from '../upstream/forward.ts'
import {
  answerEnded,
  answerUnanswered,
  rebuildRequest,
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

/**
 * An allowed request whose content may be a marker. If it is one, what is kept goes to the application
 * in its place, once; if not, it goes on as it is.
 */
export async function sendOn(
  context: Context,
  exchange: Exchange,
  session: Session | undefined,
  now: number,
): Promise<void> {
  const { incoming, outgoing } = exchange
  inviteBody(incoming, outgoing)
  const gathering = gatherContent(incoming, MARKER_LENGTH, context.resume.room)
  incoming.resume()
  const content = await gathering.content
  gathering.drop()
  if (content.kind !== 'whole') {
    const reason = content.kind === 'broken-off' ? 'body-idle' : 'unavailable'
    return writeAnswer(exchange, await notSentAnswer(context, exchange, session, { reason }), true)
  }
  const id = readMarker(content.bytes)
  if (id === undefined) {
    const own = { rawHeaders: incoming.rawHeaders, content: content.bytes, gathered: gathering }
    return forwardContent(context, exchange, session, own, now)
  }
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
  const fields = { ...auditFields({ exchange, session }), bytes: bytes.length }
  context.log.audit('form.sent_on', fields)
  const rawHeaders = headersToSend(incoming.rawHeaders, found.kept.headers, bytes.length)
  const kept = { rawHeaders, content: bytes, gathered: gathering }
  await forwardContent(context, exchange, session, kept, now, async (outcome) => {
    if (neverArrived(outcome) || outcome.kind === 'demands') {
      await changeKept(context, found, { sentTo: before }, now)
      return resumePath(id)
    }
    const passedOn = outcome.kind === 'answered' && PASSES_ON.has(outcome.status)
    if (!passedOn) await dropContent(context, found, now)
    return undefined
  })
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

/** What goes to the application, and what was gathered of what came. */
type Sent = {
  readonly rawHeaders: readonly string[]
  readonly content: Buffer
  readonly gathered: Gathering
}

/** Sends an allowed request with this content; `ended` may say where to try again. */
async function forwardContent(
  context: Context,
  exchange: Exchange,
  session: Session | undefined,
  { rawHeaders, content, gathered }: Sent,
  now: number,
  ended?: (outcome: ForwardOutcome) => Promise<string | undefined>,
): Promise<void> {
  const { incoming, outgoing, notes } = exchange
  const { setCookies, session: seen } = await seeSession(context, exchange, session, now)
  const request = { ...rebuildRequest(context, exchange, session, now, rawHeaders), content }
  const { forwarder } = context.upstream
  const open = seen && context.underWay.enter(exchange, seen)
  const outcome = await forwarder
    .forward(request, incoming, outgoing, setCookies, notes, open)
    .finally(() => open && context.underWay.leave(open))
  const retryUrl = await ended?.(outcome)
  if (outcome.kind === 'session-ended') return answerEnded(context, exchange, now)
  if (outcome.kind === 'answered' || outcome.kind === 'client-gone') return
  await answerUnanswered(context, exchange, session, outcome, { gathered, retryUrl })
}

/** Codes of connections that never came about. */
const NO_CONNECTION: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOENT'],
  'UND_ERR_CONNECT_TIMEOUT',
])

/** Whether the application can't have had any of it, so that it may be sent again. */
function neverArrived(outcome: ForwardOutcome): boolean {
  if (outcome.kind === 'no-upstream') return true
  const failed = outcome.kind === 'unreachable' || outcome.kind === 'timed-out'
  return failed && NO_CONNECTION.has(errorCode(outcome.error) ?? '')
}
