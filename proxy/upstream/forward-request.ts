import { writeAnswer } from '../answer.ts'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { describeError } from '../log.ts'
import { problemAnswer } from '../page-answer.ts'
import { returnTarget } from '../request/return-target.ts'
import { sessionCookies } from '../session/current-session.ts'
import type { Session } from '../session/session.ts'
import { needsTouch, touch } from '../session/transitions.ts'
import type { ForwardOutcome } from './forward.ts'
import { rebuildHeaders } from './rebuild-headers.ts'

/** Sends an allowed request to the application, with who is asking in its headers. */
export async function forwardRequest(
  context: Context,
  exchange: Exchange,
  session: Session | undefined,
  now: number,
): Promise<void> {
  const { config, upstream, revocations } = context
  const { incoming, outgoing, target } = exchange
  const stale = session !== undefined && needsTouch(session, config.session.idle, now)
  const touched = stale
    ? await sessionCookies(context, exchange, touch(session, now), now)
    : NO_COOKIES
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
  const outcome = await upstream.forwarder.forward(
    {
      method: incoming.method ?? '',
      target: target.raw,
      hosts: exchange.hosts,
      paths: target.paths,
      headers,
    },
    incoming,
    outgoing,
    setCookies,
    exchange.notes,
  )
  if (outcome.kind !== 'answered' && outcome.kind !== 'client-gone') {
    await answerFailure(context, exchange, session, outcome)
  }
}

const NO_COOKIES: readonly string[] = []
const noCookies = () => NO_COOKIES

type Failure = Exclude<ForwardOutcome, { kind: 'answered' | 'client-gone' }>

async function answerFailure(
  context: Context,
  exchange: Exchange,
  session: Session | undefined,
  failure: Failure,
): Promise<void> {
  if (failure.kind === 'no-upstream') return answerNowhere(context, exchange, session)
  const { kind, error } = failure
  const { incoming, requestId, notes } = exchange
  const { upstream } = notes
  const fields = { request_id: requestId, upstream, outcome: kind, ...describeError(error) }
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

/** The rules let it pass, but no upstream is there for its address. */
async function answerNowhere(
  { pages }: Context,
  exchange: Exchange,
  session: Session | undefined,
): Promise<void> {
  const options = { uiLocales: session?.locale }
  const answer = await problemAnswer(pages, exchange, 404, 'no_upstream', 'not-found', {}, options)
  writeAnswer(exchange, answer, !exchange.incoming.complete)
}
