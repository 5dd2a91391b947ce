import { html } from 'hono/html'
import { layout } from './layout.ts'
import type { Html, PageFrame } from './page.ts'

export type BadRequestProps = {
  /** `address`: no canonical target; `form`: fields missing or unreadable; `cross-site`: a form of another site's. */
  readonly reason:
    | 'address'
    | 'form'
    | 'cross-site'
    | 'method'
    | 'header-size'
    | 'url-length'
    | 'body-size'
    | 'body-idle'
}

/** 400, 403, 405, 408, 413, 414 and 431 for requests that can't be taken as they are. */
export function render(frame: PageFrame, { reason }: BadRequestProps): Html {
  const { t } = frame
  return layout(frame, {
    title: t('bad-request.title'),
    icon: 'alert',
    tone: 'problem',
    reference: true,
    body: [
      html`<p class="lead">${t(`bad-request.${reason}`)}</p>`,
      html`<a class="button" href="/">${t('common.home')}</a>`,
    ],
  })
}
