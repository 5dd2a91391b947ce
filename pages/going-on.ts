import { html } from 'hono/html'
import { layout } from './layout.ts'
import type { Html, PageFrame } from './page.ts'
import { localPath } from './parts/local-path.ts'

export type GoingOnProps =
  /** To the provider at `url`; by way of the local path `keep` if there is a fragment to keep. */
  | { readonly to: 'sign-in'; readonly url: string; readonly keep: string }
  /** Back to the local path `url`, with the fragment that was kept for it. */
  | { readonly to: 'application'; readonly url: string }

/** Goes on by itself, and takes the fragment of the address along, which no server gets to see. */
export function render(frame: PageFrame, props: GoingOnProps): Html {
  const { t } = frame
  const isBack = props.to === 'application'
  const url = isBack ? localPath(props.url) : props.url
  const keep = isBack ? undefined : html` data-keep="${localPath(props.keep)}"`
  return layout(frame, {
    title: t('going-on.title'),
    icon: 'lock',
    script: 'going-on.js',
    noScriptRefresh: url,
    body: [
      html`<p class="lead" role="status">${t(`going-on.${props.to}`)}</p>`,
      html`<a class="button" href="${url}" data-go${keep}>${t('going-on.go')}</a>`,
    ],
  })
}
