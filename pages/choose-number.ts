import { html } from 'hono/html'
import type { Channel } from '../proxy/sms/sender.ts'
import { layout } from './layout.ts'
import type { Html, PageFrame } from './page.ts'
import { type Account, account } from './parts/account.ts'
import { notice } from './parts/notice.ts'
import { type ReturnFields, returnFields } from './parts/return-fields.ts'

/** Sends to `/_stepgate/otp/number` the field `number` with the `id` that was chosen. */
export type ChooseNumberProps = {
  /** In the directory's order; `id` names a number without telling it. */
  readonly choices: readonly {
    readonly id: string
    readonly lastDigits: string
    /** How the code goes to it. */
    readonly channel: Channel
  }[]
  /** The form came back without a choice. */
  readonly nothingChosen?: boolean
  readonly return: ReturnFields
  readonly account: Account
}

const ERROR_ID = 'nothing-chosen'

/** Asks which of several numbers the code goes to. */
export function render(frame: PageFrame, props: ChooseNumberProps): Html {
  const { t } = frame
  const error = props.nothingChosen === true
  return layout(frame, {
    title: t('choose.title'),
    icon: 'phone',
    error,
    script: ['otp.js', 'carry-fragment.js'],
    body: [
      html`<p class="lead">${t('choose.lead')}</p>`,
      error ? notice('error', ERROR_ID, [t('choose.nothing-chosen')]) : undefined,
      html`<form method="post" action="/_stepgate/otp/number" data-once>
${returnFields(props.return)}
<fieldset${error ? html` aria-describedby="${ERROR_ID}"` : undefined}>
<legend class="unseen">${t('choose.legend')}</legend>
${props.choices.map((_, index) => choice(frame, props, index))}
</fieldset>
<button class="button" type="submit">${t('choose.submit')}</button>
</form>`,
      account(frame, props.account),
    ],
  })
}

function choice(frame: PageFrame, { choices }: ChooseNumberProps, index: number): Html | undefined {
  const own = choices[index]
  if (own === undefined) return undefined
  const digits = own.lastDigits
  const alike = choices.filter(({ lastDigits }) => lastDigits === digits).length > 1
  const text = alike
    ? frame.t('choose.option-position', { digits, position: index + 1 })
    : frame.t('choose.option', { digits })
  const byCall = own.channel === 'call' ? html`<br><small>${frame.t('choose.by-call')}</small>` : ''
  return html`<label class="choice"><input type="radio" name="number" value="${own.id}" required><span>${text}${byCall}</span></label>`
}
