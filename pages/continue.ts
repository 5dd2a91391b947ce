import { html } from 'hono/html'
import { layout } from './layout.ts'
import type { Html, PageFrame } from './page.ts'
import { webAddress } from './parts/local-path.ts'

export type ContinueProps = {
  /** Local path, or an absolute http(s) URL that stepgate itself made. */
  readonly url: string
}

/**
 * The answer to a form that leads on. A redirect would not do: Chromium holds every redirect after
 * a form to the `form-action` of the page the form was on, so an application that redirects to
 * another host, or a provider to sign out at, would never be reached.
 */
export function render(frame: PageFrame, props: ContinueProps): Html {
  const { t } = frame
  const url = webAddress(props.url)
  return layout(frame, {
    title: t('continue.title'),
    icon: 'check',
    refresh: url,
    body: [
      html`<p class="lead">${t('continue.lead')}</p>`,
      html`<a class="button" href="${url}">${t('continue.link')}</a>`,
    ],
  })
}
