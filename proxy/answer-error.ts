import { type Answer, jsonAnswer } from './answer.ts'
import type { Context } from './context.ts'
import { describeError } from './log.ts'
import { type Asker, problemAnswer } from './page-answer.ts'
import { returnTarget } from './request/return-target.ts'
import { ProviderUnknownError, PushFailedError } from './sign-in/provider.ts'
import { StoreUnavailableError } from './store/store.ts'

/**
 * The answer to an error that nobody expected or that only time can mend; never lets anything
 * through, and never fails itself: where even the page can't be made it is JSON.
 */
export async function errorAnswer(
  context: Context,
  asker: Asker,
  error: unknown,
  retryUrl = retryUrlOf(context, asker),
): Promise<Answer> {
  const reason = reasonOf(error)
  context.log.error('Request failed', { request_id: asker.requestId, ...describeError(error) })
  const status = reason === 'unexpected' ? 500 : 503
  const code = reason === 'unexpected' ? 'internal_error' : `${reason}_unavailable`
  const headers = status === 503 ? { 'Retry-After': '5' } : {}
  const props = { reason, retryUrl }
  try {
    return await problemAnswer(context.pages, asker, status, code, 'unavailable', props, {
      headers,
    })
  } catch (second) {
    const { requestId } = asker
    context.log.error('Error page failed', { request_id: requestId, ...describeError(second) })
    return jsonAnswer(status, { error: code, request_id: requestId }, headers)
  }
}

/** Where "try again" leads: the same address if asking again is harmless, else the start. */
function retryUrlOf(context: Context, { incoming }: Asker): string {
  const own = incoming.url?.startsWith('/_stepgate/') === true
  if (incoming.method !== 'GET') return '/'
  return own && incoming.url !== undefined && !incoming.url.startsWith('/_stepgate/callback')
    ? incoming.url
    : returnTarget(incoming.url, context.config.publicUrl)
}

function reasonOf(error: unknown): 'store' | 'provider' | 'unexpected' {
  if (error instanceof StoreUnavailableError) return 'store'
  if (error instanceof ProviderUnknownError || error instanceof PushFailedError) return 'provider'
  return 'unexpected'
}
