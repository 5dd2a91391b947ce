import { auditFields } from '../audit-fields.ts'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { describeError } from '../log.ts'
import { expectsContinue, inviteBody } from '../request/expectation.ts'
import type { Session } from '../session/session.ts'
import { readSessionCookie } from '../session/session-cookie.ts'
import { bindBrowser, readBrowserCookies } from '../sign-in/browser-cookies.ts'
import { StoreUnavailableError } from '../store/store.ts'
import { countKept, keptWindows, type Owner } from './count-kept.ts'
import { canBeSentTo, headersToKeep, isFromUs } from './form-headers.ts'
import { KEPT_LIFE, resumeHash, writeKept } from './kept.ts'
import { readMarker } from './marker.ts'
import { type Content, gatherContent } from './read-content.ts'
import { resumePath } from './resume-path.ts'

/** Where to come back to for a form that ran into sign-in or step-up, or why it is not kept. */
export type KeptForm =
  | {
      readonly kind: 'kept'
      readonly returnTo: string
      readonly setCookies: readonly string[]
    }
  | { readonly kind: 'not-kept'; readonly reason: NotKept }
  /** There is nobody to answer. */
  | { readonly kind: 'client-gone' }

/** `full`: there are too many; `unavailable`: the store, or the memory, has no room. */
export type NotKept = 'size' | 'cross-site' | 'full' | 'unavailable' | 'body-idle'

/**
 * Keeps a form that a navigation has sent, until its person is through. Where the application has read
 * it already `content` is what was gathered meanwhile.
 */
export async function keepForm(
  context: Context,
  exchange: Exchange,
  session: Session | undefined,
  now: number,
  content?: Promise<Content>,
): Promise<KeptForm> {
  const { incoming } = exchange
  const { config } = context
  const refuse = (reason: NotKept): KeptForm => {
    // What still comes is read and thrown away: a browser that is sending reads no answer.
    if (!expectsContinue(incoming)) incoming.resume()
    const fields = { ...auditFields({ exchange, session }), reason: `form_${reason}` }
    context.log.audit('request.denied', fields)
    return { kind: 'not-kept', reason }
  }
  if (!isFromUs(incoming.headers, config.publicUrl)) return refuse('cross-site')
  const limit = Math.min(config.resumeMaxBody, config.limits.body)
  const length = incoming.headers['content-length']
  if (length !== undefined && Number(length) > limit) return refuse('size')
  if (!canBeSentTo(exchange.target.raw)) return refuse('full')

  const cookie = incoming.headers.cookie
  const [known] = readBrowserCookies(cookie, context.cookies.resume)
  const browser = known?.value ?? context.random.id()
  const subject = session?.subject ?? (await formerSubject(context, cookie))
  const owner: Owner = { subject, browser, address: exchange.client.address }
  // Counted before it is read, so that a flood is not even read.
  const windows = keptWindows(owner, Number(length ?? limit), config.resumeMaxBody)
  try {
    const counted = await countKept(context.store, windows, now)
    if (counted === undefined) return refuse('full')
    const uncount = () => context.store.uncount(counted, now)

    const gathering = content ? undefined : gatherContent(incoming, limit, context.resume.room)
    if (gathering !== undefined) {
      inviteBody(incoming, exchange.outgoing)
      incoming.resume()
    }
    try {
      const read = await (content ?? gathering?.content)
      if (read?.kind !== 'whole') {
        await uncount()
        if (read?.kind === 'too-large') return refuse('size')
        if (read?.kind === 'no-room') return refuse('unavailable')
        return read?.fault === undefined ? { kind: 'client-gone' } : refuse('body-idle')
      }
      const marked = readMarker(read.bytes)
      if (marked !== undefined) {
        // It is kept already; the session has ended on the last step.
        await uncount()
        return { kind: 'kept', returnTo: resumePath(marked), setCookies: [] }
      }
      const id = context.random.id()
      const kept = {
        method: 'POST',
        target: exchange.target.raw,
        headers: headersToKeep(incoming.rawHeaders),
        browser: resumeHash(browser),
        ...(subject !== undefined && { subject }),
        sentTo: [],
        counted,
        expiresAt: now + KEPT_LIFE,
      } as const
      await writeKept(context, id, kept, read.bytes, now)
      const bytes = read.bytes.length
      context.log.audit('form.kept', { ...auditFields({ exchange, session }), subject, bytes })
      const setCookies =
        known === undefined
          ? bindBrowser(context.cookies.resume, browser, context.random, config)
          : []
      return { kind: 'kept', returnTo: resumePath(id), setCookies }
    } finally {
      gathering?.drop()
    }
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error
    const fields = { request_id: exchange.requestId, ...describeError(error) }
    context.log.error('A form could not be kept', fields)
    return refuse('unavailable')
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
