import { html } from 'hono/html'
import { layout } from './layout.ts'
import type { Html, PageFrame } from './page.ts'
import { duration } from './parts/duration.ts'
import { localPath } from './parts/local-path.ts'
import { foreign } from './parts/sentence.ts'

export type SignInFailedProps = {
  /**
   * `refused`: the provider said access_denied or the like; `invalid`: its answer failed a check;
   * `not-fresh`: it did not ask the person again, although it was told to.
   */
  readonly reason:
    | 'expired'
    | 'other-browser'
    | 'refused'
    | 'invalid'
    | 'provider-error'
    | 'not-fresh'
  /** How long ago the sign-in may be, for `not-fresh`. */
  readonly seconds?: number
  /** `error` and `error_description` as they came (RFC 6749 §4.1.2.1), shown as the provider's words. */
  readonly providerError?: string
  readonly providerDescription?: string
  /** Local path that starts the sign-in again. */
  readonly retryUrl: string
  /** Start again at once; the caller sees to it that this can't go round for ever. */
  readonly autoRetry?: boolean
}

/** The sign-in at the provider came to nothing. */
export function render(frame: PageFrame, props: SignInFailedProps): Html {
  const { t } = frame
  const retryUrl = localPath(props.retryUrl)
  const autoRetry = props.autoRetry === true
  return layout(frame, {
    title: t(`sign-in-failed.title${props.reason === 'not-fresh' ? '-not-fresh' : ''}`),
    icon: 'alert',
    tone: 'problem',
    reference: true,
    ...(autoRetry && { refresh: retryUrl }),
    body: [
      html`<p class="lead">${t(`sign-in-failed.${props.reason}`, { time: duration(frame, props.seconds ?? 0) })}</p>`,
      props.reason === 'not-fresh'
        ? html`<p>${t('sign-in-failed.not-fresh-way-on')}</p>`
        : undefined,
      providerWords(frame, props),
      autoRetry ? html`<p role="status">${t('sign-in-failed.retrying')}</p>` : undefined,
      html`<a class="button" href="${retryUrl}">${t('common.sign-in-again')}</a>`,
    ],
  })
}

function providerWords(frame: PageFrame, props: SignInFailedProps): Html | undefined {
  const { providerError, providerDescription } = props
  if (providerError === undefined && providerDescription === undefined) return undefined
  return html`<figure class="quote"><figcaption>${frame.t('sign-in-failed.provider-says')}</figcaption>
<blockquote>${words(providerDescription)}${words(providerError, true)}</blockquote></figure>`
}

// A description may be as long as a URL: more than this is no help to anybody.
const LONGEST = 300

function words(text: string | undefined, code = false): Html | undefined {
  if (text === undefined) return undefined
  const shown = foreign(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text)
  return html`<p>${code ? html`<code>${shown}</code>` : shown}</p>`
}
