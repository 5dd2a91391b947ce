import { createHash } from 'node:crypto'
import type { Context } from '../context.ts'
import { readBrowserCookies } from '../sign-in/browser-cookies.ts'
import { keyOf } from '../store/key-of.ts'

/** A request that is kept until its person is through; its content is kept beside it. */
export type Kept = {
  readonly method: 'POST'
  /** Byte for byte as it came. */
  readonly target: string
  /** What goes with the content, and where it came from: name, value, … */
  readonly headers: readonly string[]
  /** Hash of the cookie of the browser that sent it. */
  readonly browser: string
  /** Of the session that it was sent in, alive or not; once known, nobody else may send it on. */
  readonly subject?: string
  /** Targets that it was sent on to; more than one where the application passed it on (307, 308). */
  readonly sentTo: readonly string[]
  /** What it was counted in. */
  readonly counted: readonly string[]
  /** Epoch ms */
  readonly expiresAt: number
}

/** How long a person may take to get through (ms): as long as at the provider. */
export const KEPT_LIFE = 60 * 60_000

const TYP = 'resume'
const CONTENT_TYP = 'resume-content'
const ID = /^[A-Za-z0-9_-]{43}$/

const keptKey = (id: string) => keyOf(TYP, id)
const contentKey = (id: string) => keyOf(CONTENT_TYP, id)

type Parts = Pick<Context, 'store' | 'sealer' | 'resume'>

/** What the store has of a kept request; `sealed` is what a change of it is compared with. */
export type Found = { readonly id: string; readonly kept: Kept; readonly sealed: string }

/** Writes a request and its content. Throws `StoreUnavailableError`. */
export async function writeKept(
  { store, sealer, resume }: Parts,
  id: string,
  kept: Kept,
  content: Buffer,
  now: number,
): Promise<void> {
  const { expiresAt } = kept
  const [head, body] = await Promise.all([
    sealer.seal(TYP, kept, expiresAt, now),
    resume.sealer.seal(CONTENT_TYP, [id, content.toString('base64')], expiresAt, now),
  ])
  await store.put(contentKey(id), body, expiresAt)
  await store.put(keptKey(id), head, expiresAt)
}

/** The kept request of this id, sent on or not; undefined when there is none, or its time is over. */
export async function findKept(
  { store, sealer }: Parts,
  id: string,
  now: number,
): Promise<Found | undefined> {
  const sealed = ID.test(id) ? await store.get(keptKey(id), now) : undefined
  const kept = sealed === undefined ? undefined : await sealer.unseal(TYP, sealed, now)
  return sealed === undefined || kept === undefined ? undefined : { id, kept: kept as Kept, sealed }
}

/** Changes it if nobody else has meanwhile; what it is now, or undefined. */
export async function changeKept(
  { store, sealer }: Parts,
  { id, kept, sealed }: Found,
  changes: Partial<Pick<Kept, 'subject' | 'sentTo'>>,
  now: number,
): Promise<Found | undefined> {
  const changed = { ...kept, ...changes }
  const next = await sealer.seal(TYP, changed, kept.expiresAt, now)
  const swapped = await store.swap(keptKey(id), sealed, next, kept.expiresAt, now)
  return swapped.kind === 'stored' ? { id, kept: changed, sealed: next } : undefined
}

/** Its content; undefined when it is gone. */
export async function readContent(
  { store, resume }: Parts,
  { id }: Found,
  now: number,
): Promise<Buffer | undefined> {
  const sealed = await store.get(contentKey(id), now)
  const opened = sealed && (await resume.sealer.unseal(CONTENT_TYP, sealed, now))
  // Whoever can write to the store must not be able to put one form in the place of another.
  const [owner, content] = Array.isArray(opened) ? opened : []
  return owner === id && typeof content === 'string' ? Buffer.from(content, 'base64') : undefined
}

/** Forgets the content, of which nobody has any more need; that it was sent on stays known. */
export async function dropContent({ store }: Parts, { id, kept }: Found, now: number) {
  // Of several at once one counts it back.
  const taken = await store.take(contentKey(id), now)
  if (taken !== undefined) await store.uncount(kept.counted, now)
}

/** Forgets all of it. */
export async function dropKept(parts: Parts, found: Found, now: number): Promise<void> {
  await parts.store.remove(keptKey(found.id))
  await dropContent(parts, found, now)
}

/** A browser as it stands in a kept request. */
export function resumeHash(cookie: string): string {
  return createHash('sha256').update(`resume ${cookie}`).digest('base64url')
}

/** Whether a request comes from the browser that sent the kept one. */
export function isOfBrowser(
  { cookies }: Pick<Context, 'cookies'>,
  cookieHeader: string | undefined,
  { browser }: Kept,
): boolean {
  return readBrowserCookies(cookieHeader, cookies.resume).some(
    ({ value }) => resumeHash(value) === browser,
  )
}
