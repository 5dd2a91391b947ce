import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import { kindOf } from '../request/kind-of-request.ts'
import type { Session } from '../session/session.ts'
import { isFromUs } from './form-headers.ts'
import { mostKept } from './keep-form.ts'
import { type Gathering, gatherContent } from './read-content.ts'

/**
 * Gathers what a navigation sends while it streams to the application, which may answer that it wants a
 * code first: `answerDemand` keeps the form by what was gathered. Undefined for what can't be kept, and
 * for who is nobody: a flood of that kind takes no memory. To be called before the request is forwarded;
 * `drop` at any other answer, and in the end.
 */
export function copyForm(
  context: Context,
  { incoming }: Pick<Exchange, 'incoming'>,
  session: Session | undefined,
): Gathering | undefined {
  const { method = '', headers } = incoming
  if (session === undefined || method !== 'POST' || kindOf(method, headers) !== 'navigation')
    return undefined
  const limit = mostKept(context)
  if (Number(headers['content-length'] ?? 0) > limit) return undefined
  if (!isFromUs(headers, context.config.publicUrl)) return undefined
  return gatherContent(incoming, limit, context.resume.copies)
}
