import { html } from 'hono/html'
import { describePlan, FATES } from '../fates.ts'
import type { Plan } from '../twilio-plan.ts'

/** Lets a person choose what becomes of the next messages, so that every page can be seen. */
export function fateForm(plan: Plan) {
  return html`<section class="fate" aria-label="What Twilio does">
<details>
<summary>What Twilio does: <b class="fate-now" role="status">${describePlan(plan)}</b></summary>
<form method="post" action="/control">
<label for="fate">What becomes of it</label>
<select id="fate" name="fate">${Object.entries(FATES).map(
    ([group, fates]) =>
      html`<optgroup label="${group}">${fates.map(({ key, label }) => html`<option value="${key}">${label}</option>`)}</optgroup>`,
  )}</select>
<button name="for" value="next">Next message</button>
<button name="for" value="always">All from now on</button>
</form>
</details>
</section>`
}
