import { html } from 'hono/html'
import { layout } from './layout.ts'
import type { Html, PageFrame } from './page.ts'

/** 404 for what stepgate does not know under its own paths. */
export function render(frame: PageFrame): Html {
  const { t } = frame
  return layout(frame, {
    title: t('not-found.title'),
    icon: 'search',
    tone: 'problem',
    reference: true,
    body: [
      html`<p class="lead">${t('not-found.lead')}</p>`,
      html`<a class="button" href="/">${t('common.home')}</a>`,
    ],
  })
}
