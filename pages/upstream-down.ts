import { html } from 'hono/html'
import { layout } from './layout.ts'
import type { Html, PageFrame } from './page.ts'
import { localPath } from './parts/local-path.ts'

export type UpstreamDownProps = {
  readonly kind: 'unreachable' | 'timed-out' | 'invalid'
  /** Local path; absent when the request may have changed something and can't just be repeated. */
  readonly retryUrl?: string
}

/** 502 and 504: the application gave no answer that could be passed on. */
export function render(frame: PageFrame, { kind, retryUrl }: UpstreamDownProps): Html {
  const { t } = frame
  return layout(frame, {
    title: t('upstream-down.title'),
    icon: 'plug',
    tone: 'problem',
    reference: true,
    body: [
      html`<p class="lead">${t(`upstream-down.${kind}`)}</p>`,
      html`<p>${t('upstream-down.way-on')}</p>`,
      retryUrl === undefined
        ? html`<p>${t('upstream-down.check-first')}</p>`
        : html`<a class="button" href="${localPath(retryUrl)}">${t('common.try-again')}</a>`,
    ],
  })
}
