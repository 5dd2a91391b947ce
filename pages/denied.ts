import { html } from 'hono/html'
import { layout } from './layout.ts'
import type { Html, PageFrame } from './page.ts'
import { type Account, account } from './parts/account.ts'

export type DeniedProps = {
  readonly reason: 'rule' | 'groups'
  /** Absent when nobody is signed in. */
  readonly account?: Account
}

/** 403: the rules let nobody, or not this person, through. */
export function render(frame: PageFrame, props: DeniedProps): Html {
  const { t } = frame
  return layout(frame, {
    title: t('denied.title'),
    icon: 'lock',
    tone: 'problem',
    reference: true,
    body: [
      html`<p class="lead">${t(`denied.${props.reason}`)}</p>`,
      html`<p>${t('denied.way-on')}</p>`,
      html`<a class="button button-quiet" href="/">${t('common.home')}</a>`,
      props.account === undefined ? undefined : account(frame, props.account),
    ],
  })
}
