import type { Answer } from '../answer.ts'
import type { Context } from '../context.ts'
import type { Exchange } from '../exchange.ts'
import type { OwnRequest } from '../own-route.ts'
import { pageAnswer } from '../page-answer.ts'
import { needOf, signInPath } from '../request/need.ts'
import { goingOnTo } from '../request/return-target.ts'

/**
 * Whether the address of a navigation may have a part behind `#` that its window would lose at the
 * provider's form. No server is told: only a script can find out, so this is whether a browser with
 * a window of its own asks. Programs that call themselves a navigation leave out one of these; a proxy
 * that asks for somebody else (forward-auth) would take a page for leave to let the request pass.
 */
export function mayHaveFragment({
  incoming: { method, headers },
  notes,
}: Pick<Exchange, 'incoming' | 'notes'>): boolean {
  return (
    method === 'GET' &&
    notes.original === undefined &&
    headers['sec-fetch-dest'] === 'document' &&
    headers['sec-fetch-mode'] === 'navigate' &&
    headers['upgrade-insecure-requests'] === '1' &&
    headers['user-agent']?.startsWith('Mozilla/') === true &&
    headers['accept-encoding'] !== undefined
  )
}

/**
 * A page in place of the redirect to the provider, which first keeps the fragment in its tab if there is
 * one. The sign-in begins when it goes on: a provider to which requests are pushed hears of no other.
 */
export function goingOnPage(
  { pages }: Context,
  exchange: Exchange,
  { returnTo, ...fresh }: Parameters<typeof signInPath>[0],
): Promise<Answer> {
  const props = {
    kind: 'sign-in',
    address: signInPath({ returnTo, ...fresh }),
    keepUrl: signInPath({ returnTo: goingOnTo(returnTo), ...fresh }),
  } as const
  return pageAnswer(pages, exchange, 200, 'going-on', props)
}

/** `GET /_stepgate/going-on`: to the page that was asked for, with its fragment. */
export function goOnWithFragment(request: OwnRequest): Promise<Answer> {
  const { context, exchange, fields, uiLocales } = request
  const { returnTo } = needOf(fields, context.config.publicUrl)
  const props = { kind: 'application', returnUrl: returnTo } as const
  return pageAnswer(context.pages, exchange, 200, 'going-on', props, { uiLocales })
}
