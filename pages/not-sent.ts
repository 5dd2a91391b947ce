import { html } from 'hono/html'
import { layout } from './layout.ts'
import type { Html, PageFrame } from './page.ts'
import { localPath } from './parts/local-path.ts'

export type NotSentProps = {
  /**
   * Why a form was not kept: too large, of another site's, too many already, no room, broken off, an
   * address that nothing can be sent to again, of nobody who is known. Or why a kept one is not sent: it
   * was already, it is no more, it is another person's, the application sends it elsewhere. `unsure`: the
   * session has ended while it was being sent.
   */
  readonly reason:
    | 'size'
    | 'cross-site'
    | 'full'
    | 'unavailable'
    | 'body-idle'
    | 'sent'
    | 'gone'
    | 'other'
    | 'address'
    | 'anonymous'
    | 'elsewhere'
    | 'unsure'
  /** How to get through before sending it again; `url` is a local path. */
  readonly through?: { readonly url: string; readonly by: 'sign-in' | 'code' }
  /** Local path of the page that the form is on. */
  readonly backUrl?: string
  /** What is kept at most, as `1MB`. */
  readonly limit?: string
}

/** A form that was not passed on, said plainly, and what to do about it. */
export function render(frame: PageFrame, props: NotSentProps): Html {
  const { t } = frame
  const { reason, through, backUrl, limit = '' } = props
  return layout(frame, {
    title: t(TITLES[reason] ?? 'not-sent.title'),
    icon: reason === 'sent' ? 'info' : 'alert',
    tone: reason === 'sent' ? 'calm' : 'problem',
    reference: reason !== 'sent',
    script: 'not-sent.js',
    body: [
      html`<p class="lead">${t(`not-sent.${reason}`, { limit })}</p>`,
      ...(through === undefined
        ? [html`<a class="button" href="/">${t('common.home')}</a>`]
        : wayThrough(frame, props.reason === 'unsure', through, backUrl)),
    ],
  })
}

const TITLES: Partial<Record<NotSentProps['reason'], string>> = {
  sent: 'not-sent.title-sent',
  unsure: 'not-sent.title-unsure',
}

/** In another tab, since what was typed is still behind this page. */
function wayThrough(
  { t }: PageFrame,
  isUnsure: boolean,
  { url, by }: NonNullable<NotSentProps['through']>,
  backUrl: string | undefined,
): (Html | undefined)[] {
  return [
    html`<p>${t(`not-sent.way-on-${isUnsure ? 'unsure' : by}`)}</p>`,
    html`<a class="button" href="${localPath(url)}" target="_blank">${t(`not-sent.through-${by}`)}</a>`,
    backUrl === undefined
      ? undefined
      : html`<a class="button button-quiet" href="${localPath(backUrl)}" data-back>${t('not-sent.back')}</a>`,
  ]
}
