import { html } from 'hono/html'
import { layout } from './layout.ts'
import type { Html, PageFrame } from './page.ts'
import { localPath } from './parts/local-path.ts'

export type SignedOutProps = {
  /** Local path. */
  readonly signInUrl: string
  /** Whether the provider ended its own session too. */
  readonly providerSignedOut: boolean
  /** Present when the person wished to be signed out on all devices; `later`: it may take a while. */
  readonly everywhere?: 'done' | 'later'
}

/** The session is over. */
export function render(frame: PageFrame, props: SignedOutProps): Html {
  const { t } = frame
  return layout(frame, {
    title: t('signed-out.title'),
    icon: 'check',
    body: [
      props.everywhere &&
        html`<p class="lead">${t(`signed-out.everywhere-${props.everywhere}`)}</p>`,
      html`<p class="lead">${t(props.providerSignedOut ? 'signed-out.lead' : 'signed-out.provider-stays')}</p>`,
      html`<a class="button" href="${localPath(props.signInUrl)}">${t('common.sign-in-again')}</a>`,
    ],
  })
}
