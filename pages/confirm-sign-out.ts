import { html } from 'hono/html'
import { layout } from './layout.ts'
import type { Html, PageFrame } from './page.ts'
import { localPath } from './parts/local-path.ts'
import { foreign, sentence } from './parts/sentence.ts'

export type ConfirmSignOutProps = {
  readonly username: string
  /** Local path for somebody who stays. */
  readonly stayUrl: string
}

/** Asks before signing out, since a link alone must not do it; sends to `/_stepgate/sign-out`. */
export function render(frame: PageFrame, { username, stayUrl }: ConfirmSignOutProps): Html {
  const { t } = frame
  return layout(frame, {
    title: t('sign-out.title'),
    icon: 'door',
    script: 'otp.js',
    body: [
      html`<p class="lead">${t('sign-out.lead', { brand: frame.brand.name })}</p>`,
      html`<p>${sentence(frame, 'common.signed-in-as', 'username', foreign(username))}</p>`,
      html`<form method="post" action="/_stepgate/sign-out" data-once>
<label class="choice"><input type="checkbox" name="everywhere" value="yes"><span>${t('sign-out.everywhere')}</span></label>
<button class="button" type="submit">${t('sign-out.submit')}</button>
</form>`,
      html`<a class="button button-quiet" href="${localPath(stayUrl)}">${t('sign-out.cancel')}</a>`,
    ],
  })
}
