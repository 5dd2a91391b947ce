import { html } from 'hono/html'
import { layout } from './layout.ts'
import type { Html, PageFrame } from './page.ts'
import { type Account, account } from './parts/account.ts'
import { duration } from './parts/duration.ts'
import { localPath } from './parts/local-path.ts'

/** `wait`: a pause after wrong codes. `locked`: until somebody clears it or the time is over. */
export type LockedProps = {
  readonly kind: 'wait' | 'locked'
  /** Until the next attempt. */
  readonly seconds: number
  /** Local path to go on at. */
  readonly retryUrl: string
  readonly account: Account
}

/** No code is sent or accepted for this person for now. */
export function render(frame: PageFrame, props: LockedProps): Html {
  const { t } = frame
  return layout(frame, {
    title: t(`locked.title-${props.kind}`),
    icon: 'lock',
    tone: 'problem',
    script: 'otp.js',
    reference: true,
    body: [
      html`<p class="lead">${t(`locked.${props.kind}`)}</p>`,
      props.kind === 'wait' ? waitTime(frame, props) : wayOn(frame, props),
      html`<a class="button${props.kind === 'wait' ? '' : ' button-quiet'}" href="${localPath(props.retryUrl)}">${t('common.try-again')}</a>`,
      account(frame, props.account),
    ],
  })
}

function waitTime(frame: PageFrame, { seconds }: LockedProps): Html {
  const { t } = frame
  return html`<p role="timer" data-countdown="${seconds}" data-running="${t('locked.wait-time', { time: '{time}' })}" data-done="${t('locked.wait-over')}" data-announce>${t('locked.wait-time', { time: duration(frame, seconds) })}</p>
<p class="unseen" role="status" data-announcer></p>`
}

function wayOn(frame: PageFrame, { seconds }: LockedProps): Html {
  return html`<p>${frame.t('locked.locked-way-on', { time: duration(frame, seconds) })}</p>`
}
