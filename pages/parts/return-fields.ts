import { html } from 'hono/html'
import type { Html } from '../page.ts'

/** What a form takes along, so that the person lands on the very page that was asked for. */
export type ReturnFields = {
  readonly returnTo?: string
  /** As it came: the code's greatest age in seconds. */
  readonly maxAge?: string
  /** Language tags that were asked for on the way here. */
  readonly uiLocales?: string
}

/** `return_to`, `max_age` and `ui_locales` as hidden fields; those that are absent are left out. */
export function returnFields(fields: ReturnFields): Html {
  return html`${pairs(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}`
}

/** A path of ours with the same fields as its query. */
export function withReturnFields(path: string, fields: ReturnFields): string {
  const query = new URLSearchParams(pairs(fields))
  return query.size === 0 ? path : `${path}?${query}`
}

function pairs({ returnTo, maxAge, uiLocales }: ReturnFields): [string, string][] {
  const all = { return_to: returnTo, max_age: maxAge, ui_locales: uiLocales }
  return Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  )
}
