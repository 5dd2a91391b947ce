import { withCookies, writeAnswer } from '../answer.ts'
import { auditFields } from '../audit-fields.ts'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { answerDemand } from '../gate-answers.ts'
import { describeError } from '../log.ts'
import { problemAnswer } from '../page-answer.ts'
import { judgeChallenges } from '../policy/judge-challenges.ts'
import { parseChallenges } from '../policy/parse-challenges.ts'
import { type ClientFault, FAULT_STATUS } from '../request/client-fault.ts'
import { returnTarget } from '../request/return-target.ts'
import { copyForm } from '../resume/copy-form.ts'
import { notSentAnswer } from '../resume/not-sent.ts'
import { type Gathering, NOT_GATHERED, PASSED_ON } from '../resume/read-content.ts'
import { sessionCookies } from '../session/current-session.ts'
import type { Session } from '../session/session.ts'
import { needsTouch, touch } from '../session/transitions.ts'
import type { ForwardOutcome, ForwardRequest } from './forward.ts'
import { withoutHeaders } from './header-verdicts.ts'
import { rebuildHeaders } from './rebuild-headers.ts'
import { hasBody, isChunked } from './request-body.ts'

/** Sends an allowed request to the application, with who is asking in its headers. */
export async function forwardRequest(
  context: Context,
  exchange: Exchange,
  session: Session | undefined,
  now: number,
): Promise<void> {
  const { incoming, outgoing, notes } = exchange
  const { forwarder } = context.upstream
  const seeing = seeSession(context, exchange, session, now)
  const { setCookies, session: seen } = seeing instanceof Promise ? await seeing : seeing
  if (session !== undefined && seeing instanceof Promise && context.revocations.isOver(session)) {
    return answerEnded(context, exchange, now)
  }
  const built = rebuildRequest(context, exchange, session, now)
  const open = seen && context.underWay.enter(exchange, seen)
  const gathered = copyForm(context, exchange, session)
  const request = gathered === undefined ? built : { ...built, mayBegin: letGo(gathered) }
  try {
    const outcome = await forwarder.forward(request, incoming, outgoing, setCookies, notes, open)
    if (outcome.kind === 'session-ended') {
      return await answerEnded(context, exchange, context.clock(), whatIsLeft(exchange, gathered))
    }
    if (outcome.kind !== 'answered' && outcome.kind !== 'client-gone') {
      await answerUnanswered(context, exchange, session, outcome, { gathered })
    }
  } finally {
    if (open !== undefined) context.underWay.leave(open)
    gathered?.drop()
  }
}

/** Once the application answers it asks for nothing more, and its response may take its time. */
function letGo(gathered: Gathering) {
  return () => {
    gathered.drop()
    return true
  }
}

/** What there is of content that was being passed on. */
function whatIsLeft(
  { incoming }: Exchange,
  gathered: Gathering | undefined,
): Gathering | undefined {
  return gathered ?? (hasBody(incoming) ? NOT_GATHERED : undefined)
}

/**
 * Nobody is signed in any more; whoever has part of a response was cut off. `gathered` is what there is
 * of a form that has been read; one of which nothing has left for the application is kept.
 */
export async function answerEnded(
  context: Context,
  exchange: Exchange,
  now: number,
  gathered?: Gathering,
): Promise<void> {
  if (exchange.outgoing.headersSent) return
  const left = exchange.notes.sent ? PASSED_ON : gathered
  const answer = await answerDemand(context, exchange, undefined, { kind: 'sign-in' }, now, left)
  // What is left of a request's body would be read as the next request.
  writeAnswer(exchange, answer, !exchange.incoming.complete)
}

/** A session after an allowed request, and the cookies by which its browser is to know. */
export type SeenSession = {
  readonly session: Session | undefined
  readonly setCookies: () => readonly string[]
}

/** Takes notice of a session; without a promise unless its cookie has to be written again. */
export function seeSession(
  context: Context,
  exchange: Exchange,
  session: Session | undefined,
  now: number,
): SeenSession | Promise<SeenSession> {
  if (session === undefined) return NOBODY
  // Nobody's cookie, and none may come of it.
  if (exchange.tokenUntil !== undefined) return { session, setCookies: noCookies }
  if (needsTouch(session, context.config.session.idle, now)) {
    return touchSession(context, exchange, session, now)
  }
  context.underWay.seen(session)
  return { session, setCookies: noCookies }
}

async function touchSession(
  context: Context,
  exchange: Exchange,
  session: Session,
  now: number,
): Promise<SeenSession> {
  const touched = touch(session, now)
  context.underWay.seen(touched)
  context.activity.note(touched)
  const cookies = await sessionCookies(context, exchange, touched, now)
  // In the meantime a step-up may have replaced the session: its old cookie must not come back.
  const setCookies = () => (context.revocations.isRevoked(session) ? NO_COOKIES : cookies)
  return { session: touched, setCookies }
}

/** What is sent to the application for an allowed request. */
export function rebuildRequest(
  { upstream, clock }: Context,
  { incoming, target, hosts, client, requestId, tokenUntil }: Exchange,
  session: Session | undefined,
  now: number,
  rawHeaders: readonly string[] = incoming.rawHeaders,
): ForwardRequest {
  const headers = rebuildHeaders(
    tokenUntil === undefined ? rawHeaders : withoutHeaders(rawHeaders, TOKEN_HEADERS),
    upstream.headerSettings,
    upstream.identityOf(session, now),
    { ...client, requestId, chunked: isChunked(incoming) },
  )
  return {
    method: incoming.method ?? '',
    target: target.raw,
    hosts,
    paths: target.paths,
    headers,
    judge:
      tokenUntil === undefined
        ? (challenges) => judgeChallenges(parseChallenges(challenges), session, clock())
        : nothingToAsk,
  }
}

/** An application that had the token could use it elsewhere. */
const TOKEN_HEADERS: ReadonlySet<string> = new Set(['authorization'])

/** Nobody is there who could sign in: a machine gets the application's own challenge. */
const nothingToAsk = () => undefined

const NO_COOKIES: readonly string[] = []
const noCookies = () => NO_COOKIES
const NOBODY: SeenSession = { session: undefined, setCookies: noCookies }

/** The application gave no response that the client may see, or half of one. */
export type Unanswered = Exclude<
  ForwardOutcome,
  { kind: 'answered' | 'client-gone' | 'session-ended' }
>
type Failure = Exclude<Unanswered, { kind: 'demands' | 'withheld' }>

/**
 * Answers in place of the application, while that is possible: with what was gathered of a form, which
 * the caller drops, and where to try again if that does no harm.
 */
export async function answerUnanswered(
  context: Context,
  exchange: Exchange,
  session: Session | undefined,
  outcome: Unanswered,
  more: { readonly gathered?: Gathering | undefined; readonly retryUrl?: string | undefined } = {},
): Promise<void> {
  if (outcome.kind === 'withheld') {
    // Nothing is withheld but a redirect that would take what is kept to another origin.
    const answer = await notSentAnswer(context, exchange, session, { reason: 'elsewhere' })
    return writeAnswer(exchange, withCookies(answer, outcome.setCookies))
  }
  if (outcome.kind !== 'demands') {
    return answerFailure(context, exchange, session, outcome, more.retryUrl)
  }
  const { incoming, notes } = exchange
  const { demand, setCookies } = outcome
  notes.decision = demand.kind
  const gathered = whatIsLeft(exchange, more.gathered)
  const answer = await answerDemand(context, exchange, session, demand, context.clock(), gathered)
  notes.bytesOut = incoming.method === 'HEAD' ? 0 : Buffer.byteLength(answer.body)
  writeAnswer(
    exchange,
    { ...answer, setCookies: [...setCookies, ...(answer.setCookies ?? [])] },
    !incoming.complete,
  )
}

/**
 * Logs what went wrong with the application, and says so to the client while that is possible, with
 * where to try again if that does no harm.
 */
async function answerFailure(
  context: Context,
  exchange: Exchange,
  session: Session | undefined,
  failure: Failure,
  retryUrl = retryUrlOf(context, exchange),
): Promise<void> {
  if (failure.kind === 'no-upstream') return answerNowhere(context, exchange, session)
  if (failure.kind === 'client-fault') {
    return answerFault(context, exchange, session, failure.reason)
  }
  const { kind, error } = failure
  const { incoming, requestId, notes } = exchange
  const { upstream } = notes
  const fields = { request_id: requestId, upstream, outcome: kind, ...describeError(error) }
  context.log.error('The application did not answer', fields)
  if (kind === 'cut-off') return
  const shown = kind === 'invalid-response' ? 'invalid' : kind
  const answer = await problemAnswer(
    context.pages,
    exchange,
    kind === 'timed-out' ? 504 : 502,
    `upstream_${kind.replace('-', '_')}`,
    'upstream-down',
    { kind: shown, ...(retryUrl !== undefined && { retryUrl }) },
    { uiLocales: session?.locale },
  )
  // What is left of a request's body would be read as the next request.
  writeAnswer(exchange, answer, !incoming.complete)
}

function retryUrlOf({ config }: Context, { incoming, target }: Exchange): string | undefined {
  const repeatable = incoming.method === 'GET' || incoming.method === 'HEAD'
  return repeatable ? returnTarget(target.raw, config.publicUrl) : undefined
}

async function answerFault(
  { pages, log }: Context,
  exchange: Exchange,
  session: Session | undefined,
  reason: ClientFault,
): Promise<void> {
  log.audit('request.denied', { ...auditFields({ exchange, session }), reason })
  const options = { uiLocales: session?.locale }
  const page = { reason } as const
  const status = FAULT_STATUS[reason]
  const answer = await problemAnswer(pages, exchange, status, reason, 'bad-request', page, options)
  writeAnswer(exchange, answer, true)
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
