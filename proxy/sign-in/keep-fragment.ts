import type { IncomingMessage } from 'node:http'
import type { Answer } from '../answer.ts'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import type { OwnRequest } from '../own-route.ts'
import { pageAnswer } from '../page-answer.ts'
import { needOf } from '../request/need.ts'
import { goingOnTo } from '../request/return-target.ts'

/**
 * Whether the address of a navigation may have a part behind `#` that its window would lose at the
 * provider's form. No server is told: only a script can find out, so this is whether a browser with
 * a window of its own asks. What else calls itself a navigation takes no compressed content.
 */
export function mayHaveFragment({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    headers['sec-fetch-dest'] === 'document' &&
    headers['accept-encoding'] !== undefined
  )
}

/** The redirect to the provider as a page, which first keeps the fragment in its tab if there is one. */
export async function goingOnPage(
  { pages }: Context,
  exchange: Exchange,
  redirect: Answer,
  returnTo: string,
): Promise<Answer> {
  const query = new URLSearchParams({ return_to: goingOnTo(returnTo) })
  const props = {
    kind: 'sign-in',
    address: redirect.headers.Location ?? '',
    keepUrl: `/_stepgate/sign-in?${query}`,
  } as const
  const page = await pageAnswer(pages, exchange, 200, 'going-on', props)
  return { ...page, setCookies: redirect.setCookies ?? [] }
}

/** `GET /_stepgate/going-on`: to the page that was asked for, with its fragment. */
export function goOnWithFragment(request: OwnRequest): Promise<Answer> {
  const { context, exchange, fields, uiLocales } = request
  const { returnTo } = needOf(fields, context.config.publicUrl)
  const props = { kind: 'application', returnUrl: returnTo } as const
  return pageAnswer(context.pages, exchange, 200, 'going-on', props, { uiLocales })
}
