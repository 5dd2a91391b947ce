import { html } from 'hono/html'
import { layout } from './layout.ts'
import type { Html, PageFrame } from './page.ts'
import { type Account, account } from './parts/account.ts'
import { localPath } from './parts/local-path.ts'
import { sentence } from './parts/sentence.ts'
import { supportContact } from './parts/support-contact.ts'

export type NoNumberProps = {
  /** Local path that looks again. */
  readonly retryUrl: string
  readonly account: Account
}

/** The directory holds no number for this person: says whom to ask. */
export function render(frame: PageFrame, props: NoNumberProps): Html {
  const { t } = frame
  const contact = frame.supportContact
  return layout(frame, {
    title: t('no-number.title'),
    icon: 'phone',
    tone: 'problem',
    contactInBody: true,
    reference: true,
    body: [
      html`<p class="lead">${t('no-number.lead')}</p>`,
      html`<p>${t('no-number.way-on')}</p>`,
      contact === undefined
        ? undefined
        : html`<p class="contact">${sentence(frame, 'no-number.contact', 'contact', supportContact(contact))}</p>`,
      html`<a class="button" href="${localPath(props.retryUrl)}">${t('common.try-again')}</a>`,
      account(frame, props.account),
    ],
  })
}
