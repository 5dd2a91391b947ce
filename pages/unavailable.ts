import { html } from 'hono/html'
import { layout } from './layout.ts'
import type { Html, PageFrame } from './page.ts'
import { localPath } from './parts/local-path.ts'

export type UnavailableProps = {
  /** What does not answer. */
  readonly reason: 'provider' | 'directory' | 'store' | 'unexpected'
  /** Local path. */
  readonly retryUrl: string
}

/** 500 and 503: something that stepgate needs is not there; nobody is let through meanwhile. */
export function render(frame: PageFrame, props: UnavailableProps): Html {
  const { t } = frame
  return layout(frame, {
    title: t('unavailable.title'),
    icon: 'plug',
    tone: 'problem',
    reference: true,
    body: [
      html`<p class="lead">${t(`unavailable.${props.reason}`)}</p>`,
      html`<p>${t('unavailable.way-on')}</p>`,
      html`<a class="button" href="${localPath(props.retryUrl)}">${t('common.try-again')}</a>`,
    ],
  })
}
