import { html } from 'hono/html'
import type { Html, PageFrame } from '../page.ts'
import { localPath } from './local-path.ts'
import { foreign, sentence } from './sentence.ts'

/** Whose session this is. */
export type Account = {
  readonly username: string
  /** Local path. */
  readonly signOutUrl: string
}

/** Who is signed in, with a way out for somebody else. */
export function account(frame: PageFrame, { username, signOutUrl }: Account): Html {
  return html`<p class="account"><span>${sentence(frame, 'common.signed-in-as', 'username', foreign(username))}</span>
<a href="${localPath(signOutUrl)}">${frame.t('common.sign-out')}</a></p>`
}
