import { html } from 'hono/html'
import { layout } from './layout.ts'
import type { Html, PageFrame } from './page.ts'

/** The end of the window that `step-up.js` opens: tells the page that waits, and closes itself. */
export function render(frame: PageFrame): Html {
  const { t } = frame
  return layout(frame, {
    title: t('stepped-up.title'),
    icon: 'check',
    script: 'stepped-up.js',
    body: [html`<p class="lead">${t('stepped-up.lead')}</p>`],
  })
}
