import type { IncomingMessage } from 'node:http'
import { contentSecurityPolicy, pageHeaders } from '../pages/page-headers.ts'
import type { PageName, PageProps } from '../pages/page-props.ts'
import { type Answer, jsonAnswer } from './answer.ts'
import type { FrameRequest, PageSet } from './page-set.ts'
import { kindOf } from './request/kind-of-request.ts'

/** Who asks for a page: enough to choose a language and to name the request. */
export type Asker = { readonly incoming: IncomingMessage; readonly requestId: string }

/** More about a page's answer. */
export type PageOptions = {
  readonly uiLocales?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** Origins that a form of this page may be redirected to, besides our own. */
  readonly formActionOrigins?: readonly string[]
}

/** The languages that somebody asks for, and the request's id, as pages and messages need them. */
export function frameRequest(
  { incoming, requestId }: Asker,
  uiLocales: string | undefined,
): FrameRequest {
  const acceptLanguage = incoming.headers['accept-language']
  return {
    requestId,
    ...(uiLocales !== undefined && { uiLocales }),
    ...(acceptLanguage !== undefined && { acceptLanguage }),
  }
}

/** One of stepgate's pages as an answer. */
export async function pageAnswer<Name extends PageName>(
  pages: PageSet,
  asker: Asker,
  status: number,
  name: Name,
  props: PageProps[Name],
  options: PageOptions = {},
): Promise<Answer> {
  return {
    status,
    headers: {
      ...pageHeaders(contentSecurityPolicy(pages, options.formActionOrigins)),
      ...options.headers,
    },
    body: await pages.render(name, frameRequest(asker, options.uiLocales), props),
  }
}

/** A problem as people need it, a page, or as programs do: JSON with a stable `error`. */
export async function problemAnswer<Name extends PageName>(
  pages: PageSet,
  asker: Asker,
  status: number,
  error: string,
  name: Name,
  props: PageProps[Name],
  options: PageOptions = {},
): Promise<Answer> {
  const { method = '', headers } = asker.incoming
  return kindOf(method, headers) === 'navigation'
    ? pageAnswer(pages, asker, status, name, props, options)
    : jsonAnswer(status, { error, request_id: asker.requestId }, options.headers)
}
