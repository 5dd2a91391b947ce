import { html } from 'hono/html'
import { layout } from './layout.ts'
import type { Html, PageFrame } from './page.ts'
import { localPath } from './parts/local-path.ts'

export type GoingOnProps =
  /** To the provider at `address`; by way of the local path `keepUrl` if there is a fragment to keep. */
  | { readonly kind: 'sign-in'; readonly address: string; readonly keepUrl: string }
  /** Back to the local path `returnUrl`, with the fragment that was kept for it. */
  | { readonly kind: 'application'; readonly returnUrl: string }

/** Goes on by itself, and takes the fragment of the address along, which no server gets to see. */
export function render(frame: PageFrame, props: GoingOnProps): Html {
  const { t } = frame
  const address = props.kind === 'sign-in' ? props.address : localPath(props.returnUrl)
  const keep = props.kind === 'sign-in' && html` data-keep="${localPath(props.keepUrl)}"`
  return layout(frame, {
    title: t('going-on.title'),
    icon: 'lock',
    script: 'going-on.js',
    noScriptRefresh: address,
    body: [
      html`<p class="lead" role="status">${t(`going-on.${props.kind}`)}</p>`,
      html`<a class="button" href="${address}" data-go${keep || undefined}>${t('going-on.go')}</a>`,
    ],
  })
}
