import { html } from 'hono/html'
import { MARKER_FIELD } from '../proxy/resume/marker.ts'
import { layout } from './layout.ts'
import type { Html, PageFrame } from './page.ts'
import { localPath } from './parts/local-path.ts'

export type SendOnProps = {
  /** Where the form was meant to go. */
  readonly action: string
  /** Of what is kept. */
  readonly id: string
}

/** Sends on what was kept, by itself; without JavaScript there is the button. */
export function render(frame: PageFrame, { action, id }: SendOnProps): Html {
  const { t } = frame
  return layout(frame, {
    title: t('send-on.title'),
    icon: 'check',
    script: ['otp.js', 'send-on.js'],
    body: [
      html`<p class="lead" role="status">${t('send-on.lead')}</p>`,
      html`<form method="post" action="${localPath(action)}" data-once data-send-on>
<input type="hidden" name="${MARKER_FIELD}" value="${id}">
<button class="button" type="submit">${t('send-on.submit')}</button>
</form>`,
    ],
  })
}
