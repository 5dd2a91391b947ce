import { isUtf8 } from 'node:buffer'
import { isOwnTarget } from './own-path.ts'
import { parseTarget } from './target.ts'

const MAX_LENGTH = 2048
const START = '/'

/** Ends the window that an application opened for a person. */
export const STEPPED_UP = '/_stepgate/stepped-up'

/** Where a form that was kept goes on from. */
export const RESUME = '/_stepgate/resume'

/** Where a person gets back the fragment of an address that was asked for before signing in. */
export const GOING_ON = '/_stepgate/going-on'

const GOING_ON_TO = `${GOING_ON}?return_to=`
const RESUMES = new RegExp(`^${RESUME}\\?id=[A-Za-z0-9_-]{43}$`)

/**
 * Where a person goes on after signing in or a code: path and query on this host, ASCII only. Takes
 * a target as received, or a path or URL of ours from a parameter; whatever else comes in, and what
 * leads to stepgate's own pages, becomes `/`, but for those that lead on. A fragment is cut off.
 */
export function returnTarget(input: string | undefined, publicUrl: URL): string {
  if (input === undefined || input.length > MAX_LENGTH) return START
  if (RESUMES.test(input)) return input
  if (input.startsWith(GOING_ON_TO)) return goingOnTo(returnedBy(input, publicUrl))
  const local = input.startsWith('/') ? input : localPartOf(input, publicUrl)
  const target = encodeText(local.split('#', 1)[0] ?? '')
  if (target.length > MAX_LENGTH) return START
  // `%2F` may pass: the gate judges the target when it is asked for.
  if (target === STEPPED_UP) return target
  const parsed = parseTarget(target, { encodedSlashes: 'allow' })
  return parsed.kind === 'ok' && !isOwnTarget(parsed.target) ? target : START
}

/**
 * The page that goes on to a return target, with the fragment that was kept for it; the target itself
 * where that page's address would be too long.
 */
export function goingOnTo(returnTo: string): string {
  const page = GOING_ON_TO + encodeURIComponent(returnTo)
  return page.length > MAX_LENGTH ? returnTo : page
}

function returnedBy(input: string, publicUrl: URL): string {
  const inner = new URLSearchParams(input.slice(GOING_ON.length)).get('return_to') ?? START
  // None of these pages leads to another.
  return inner.startsWith('/_stepgate/') ? START : returnTarget(inner, publicUrl)
}

/** Path and query of an absolute URL, as they are written, if it is one of ours; else `/`. */
function localPartOf(input: string, publicUrl: URL): string {
  const match = /^https?:\/\/[^/?#\\\s@]+(?=[/?#]|$)/i.exec(input)
  const [origin] = match ?? []
  if (origin === undefined || URL.parse(origin)?.origin !== publicUrl.origin) return START
  const rest = input.slice(origin.length)
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** Characters that no URL holds, percent-encoded; control characters are left to be refused. */
function encodeText(text: string): string {
  const bytes = Buffer.from(text, 'latin1')
  // A raw target holds bytes, a parameter text. Text that is UTF-8 byte for byte is hardly text.
  const known = /[^\0-\xff]/.test(text) || !isUtf8(bytes) ? text : bytes.toString()
  return known.toWellFormed().replace(/(?: |\P{ASCII})+/gu, encodeURIComponent)
}
