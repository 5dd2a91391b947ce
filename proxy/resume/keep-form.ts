import { auditFields } from '../audit-fields.ts'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { describeError } from '../log.ts'
import { expectsContinue, inviteBody, isInvited } from '../request/expectation.ts'
import type { Session } from '../session/session.ts'
import { readSessionCookie } from '../session/session-cookie.ts'
import { bindBrowser, readBrowserCookies } from '../sign-in/browser-cookies.ts'
import { StoreUnavailableError } from '../store/store.ts'
import { countKept, keptWindows, type Owner } from './count-kept.ts'
import { canBeSentTo, headersToKeep, isFromUs } from './form-headers.ts'
import { KEPT_LIFE, resumeHash, writeKept } from './kept.ts'
import { mayBeMarked, readMarker } from './marker.ts'
import { type Content, type Gathering, gatherContent } from './read-content.ts'
import { resumePath } from './resume-path.ts'

/** Where to come back to for a form that ran into sign-in or step-up, or why it is not kept. */
export type KeptForm =
  | {
      readonly kind: 'kept'
      readonly returnTo: string
      readonly setCookies: readonly string[]
    }
  | { readonly kind: 'not-kept'; readonly reason: NotKept }

/**
 * `full`: there are too many; `unavailable`: the store, or the memory, has no room; `address`: nothing
 * can be sent to it again; `anonymous`: the application has read it, and for nobody it was not gathered.
 */
export type NotKept =
  | 'size'
  | 'cross-site'
  | 'full'
  | 'unavailable'
  | 'body-idle'
  | 'address'
  | 'anonymous'

/** A form that has run into sign-in or step-up. */
type StoppedForm = {
  readonly context: Context
  readonly exchange: Exchange
  readonly session: Session | undefined
  readonly now: number
}

/** Who sends it; `isNew`: the browser has yet to be told what it is known by. */
type Sender = Owner & { readonly isNew: boolean }

/**
 * Keeps a form that a navigation has sent, until its person is through. Where the application has read
 * it already, `gathered` is what was gathered meanwhile, which the caller drops.
 */
export async function keepForm(stopped: StoppedForm, gathered?: Gathering): Promise<KeptForm> {
  const { context, exchange, session } = stopped
  const { incoming } = exchange
  const kept = await tryToKeep(stopped, gathered)
  if (kept.kind === 'kept') return kept
  // What still comes is read and thrown away: a browser that is sending reads no answer.
  if (!expectsContinue(incoming)) incoming.resume()
  const reason = `form_${kept.reason.replace('-', '_')}`
  context.log.audit('request.denied', { ...auditFields({ exchange, session }), reason })
  return kept
}

async function tryToKeep(stopped: StoppedForm, gathered: Gathering | undefined): Promise<KeptForm> {
  const { context, exchange } = stopped
  const { incoming } = exchange
  const limit = mostKept(context)
  const length = Number(incoming.headers['content-length'] ?? limit)
  if (!isFromUs(incoming.headers, context.config.publicUrl)) return notKept('cross-site')
  if (length > limit) return notKept('size')
  if (!canBeSentTo(exchange.target.raw)) return notKept('address')
  const gathering = gathered ?? gatherContent(incoming, limit, context.resume.room)
  try {
    const marked = mayBeMarked(incoming) ? await markerIn(exchange, gathering) : undefined
    // It is kept already: the session has ended on the last step.
    if (marked !== undefined) return { kind: 'kept', returnTo: resumePath(marked), setCookies: [] }
    return await countAndKeep(stopped, gathering, length)
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error
    const fields = { request_id: exchange.requestId, ...describeError(error) }
    context.log.error('A form could not be kept', fields)
    return notKept('unavailable')
  } finally {
    if (gathered === undefined) gathering.drop()
  }
}

async function markerIn(exchange: Exchange, gathering: Gathering): Promise<string | undefined> {
  const content = await read(exchange, gathering)
  return content.kind === 'whole' ? readMarker(content.bytes) : undefined
}

function read({ incoming, outgoing }: Exchange, { content }: Gathering): Promise<Content> {
  // An application that refuses before it has read asks for nothing, but what was typed does.
  if (!isInvited(incoming)) inviteBody(incoming, outgoing)
  incoming.resume()
  return content
}

async function countAndKeep(
  stopped: StoppedForm,
  gathering: Gathering,
  length: number,
): Promise<KeptForm> {
  const { context, exchange, now } = stopped
  const { store, config } = context
  const owner = await ownerOf(stopped)
  // Before it is read: a flood is not even read.
  const counted = await countKept(store, keptWindows(owner, length, config.resumeMaxBody), now)
  if (counted === undefined) return notKept('full')
  let kept: KeptForm | undefined
  try {
    const content = await read(exchange, gathering)
    kept =
      content.kind === 'whole'
        ? await write(stopped, owner, counted, content.bytes)
        : notKept(WHY[content.kind])
    return kept
  } finally {
    if (kept?.kind !== 'kept') await store.uncount(counted, now)
  }
}

const WHY = {
  'too-large': 'size',
  'no-room': 'unavailable',
  'not-gathered': 'anonymous',
  'broken-off': 'body-idle',
} as const satisfies Record<Exclude<Content['kind'], 'whole'>, NotKept>

async function write(
  { context, exchange, session, now }: StoppedForm,
  { browser, isNew, subject }: Sender,
  counted: readonly string[],
  bytes: Buffer,
): Promise<KeptForm> {
  const { config, cookies, random, log } = context
  const id = random.id()
  const kept = {
    method: 'POST',
    target: exchange.target.raw,
    headers: headersToKeep(exchange.incoming.rawHeaders),
    browser: resumeHash(browser),
    ...(subject !== undefined && { subject }),
    sentTo: [],
    counted,
    expiresAt: now + KEPT_LIFE,
  } as const
  await writeKept(context, id, kept, bytes, now)
  log.audit('form.kept', { ...auditFields({ exchange, session }), subject, bytes: bytes.length })
  const setCookies = isNew ? bindBrowser(cookies.resume, browser, random, config) : []
  return { kind: 'kept', returnTo: resumePath(id), setCookies }
}

async function ownerOf({ context, exchange, session }: StoppedForm): Promise<Sender> {
  const { cookie } = exchange.incoming.headers
  const [known] = readBrowserCookies(cookie, context.cookies.resume)
  return {
    subject: session?.subject ?? (await formerSubject(context, cookie)),
    browser: known?.value ?? context.random.id(),
    isNew: known === undefined,
    address: exchange.client.address,
  }
}

/** Whose session it was that has ended: nobody else may send on what was typed in it. */
async function formerSubject(
  { sessions, cookies }: Context,
  cookieHeader: string | undefined,
): Promise<string | undefined> {
  const sealed = readSessionCookie(cookieHeader, cookies.session)
  return sealed === undefined ? undefined : sessions.subjectOf(sealed)
}

/** Of content, in bytes. */
export function mostKept({ config }: Pick<Context, 'config'>): number {
  return Math.min(config.resumeMaxBody, config.limits.body)
}

function notKept(reason: NotKept): KeptForm {
  return { kind: 'not-kept', reason }
}
