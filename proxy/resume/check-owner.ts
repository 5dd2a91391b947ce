import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import type { Session } from '../session/session.ts'
import { dropKept, type Found, isOfBrowser } from './kept.ts'

/** A kept form that this person, in this browser, may send on, or why there is none. */
export type OwnedForm =
  | { readonly kind: 'owned'; readonly found: Found }
  | { readonly kind: 'refused'; readonly reason: 'gone' | 'other' }

/**
 * Only the browser that sent it may send it on, and only the person in whose session it was typed. For
 * another person it is deleted: that person has taken over the browser. Nobody learns that there is
 * one in another browser.
 */
export async function checkOwner(
  context: Context,
  { incoming }: Pick<Exchange, 'incoming'>,
  session: Session | undefined,
  found: Found | undefined,
  now: number,
): Promise<OwnedForm> {
  if (found === undefined || !isOfBrowser(context, incoming.headers.cookie, found.kept)) {
    return { kind: 'refused', reason: 'gone' }
  }
  const { subject } = found.kept
  if (subject !== undefined && session !== undefined && session.subject !== subject) {
    await dropKept(context, found, now)
    return { kind: 'refused', reason: 'other' }
  }
  return { kind: 'owned', found }
}
