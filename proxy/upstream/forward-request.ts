import { writeAnswer } from '../answer.ts'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { describeError } from '../log.ts'
import { problemAnswer } from '../page-answer.ts'
import { returnTarget } from '../request/return-target.ts'
import { sessionCookies } from '../session/current-session.ts'
import type { Session } from '../session/session.ts'
import { needsTouch, touch } from '../session/transitions.ts'
import type { ForwardOutcome, ForwardRequest } from './forward.ts'
import { rebuildHeaders } from './rebuild-headers.ts'

/** Sends an allowed request to the application, with who is asking in its headers. */
export async function forwardRequest(
  context: Context,
  exchange: Exchange,
  session: Session | undefined,
  now: number,
): Promise<void> {
  const { incoming, outgoing } = exchange
  const { request, setCookies } = await prepareForward(context, exchange, session, now)
  const { forwarder } = context.upstream
  const outcome = await forwarder.forward(request, incoming, outgoing, setCookies, exchange.notes)
  if (outcome.kind !== 'answered' && outcome.kind !== 'client-gone') {
    await answerFailure(context, exchange, session, outcome)
  }
}

/** What is sent to the application, and what the client's browser is to remember of its session. */
export type PreparedForward = {
  readonly request: ForwardRequest
  readonly setCookies: () => readonly string[]
  /** As it is after this request. */
  readonly session: Session | undefined
}

/** Rebuilds the headers of an allowed request; a session that was seen long ago is seen again. */
export async function prepareForward(
  context: Context,
  exchange: Exchange,
  session: Session | undefined,
  now: number,
): Promise<PreparedForward> {
  const { config, upstream, revocations, tunnels } = context
  const { incoming, target } = exchange
  const stale = session !== undefined && needsTouch(session, config.session.idle, now)
  const seen = stale ? touch(session, now) : session
  if (seen !== undefined) tunnels.seen(seen)
  const touched =
    stale && seen !== undefined ? await sessionCookies(context, exchange, seen, now) : NO_COOKIES
  // In the meantime a step-up may have replaced the session: its old cookie must not come back.
  const setCookies = stale
    ? () => (revocations.isRevoked(session) ? NO_COOKIES : touched)
    : noCookies
  const headers = rebuildHeaders(
    incoming.rawHeaders,
    upstream.headerSettings,
    upstream.identityOf(session),
    { ...exchange.client, requestId: exchange.requestId },
  )
  const request = { method: incoming.method ?? '', target: target.raw, headers }
  return { request, setCookies, session: seen }
}

const NO_COOKIES: readonly string[] = []
const noCookies = () => NO_COOKIES

/** The application gave no response, or half of one. */
export type Failure = Exclude<ForwardOutcome, { kind: 'answered' | 'client-gone' }>

/** Logs what went wrong with the application, and says so to the client while that is possible. */
export async function answerFailure(
  context: Context,
  exchange: Exchange,
  session: Session | undefined,
  { kind, error }: Failure,
): Promise<void> {
  const { incoming, requestId } = exchange
  const fields = { request_id: requestId, outcome: kind, ...describeError(error) }
  context.log.error('The application did not answer', fields)
  if (kind === 'cut-off') return
  const shown = kind === 'invalid-response' ? 'invalid' : kind
  const repeatable = incoming.method === 'GET' || incoming.method === 'HEAD'
  const retryUrl = returnTarget(exchange.target.raw, context.config.publicUrl)
  const answer = await problemAnswer(
    context.pages,
    exchange,
    kind === 'timed-out' ? 504 : 502,
    `upstream_${kind.replace('-', '_')}`,
    'upstream-down',
    { kind: shown, ...(repeatable && { retryUrl }) },
    { uiLocales: session?.locale },
  )
  // What is left of a request's body would be read as the next request.
  writeAnswer(exchange, answer, !incoming.complete)
}
