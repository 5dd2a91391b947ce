import { html } from 'hono/html'
import type { Html } from '../page.ts'

/** What a form takes along, so that the person lands on the very page that was asked for. */
export type ReturnFields = {
  readonly returnTo?: string
  /** As it came: the code's greatest age in seconds. */
  readonly maxAge?: string
}

/** The fields `return_to` and `max_age`, hidden; those that are absent are left out. */
export function returnFields({ returnTo, maxAge }: ReturnFields): Html {
  return html`${hidden('return_to', returnTo)}${hidden('max_age', maxAge)}`
}

/** A path of ours with the same fields as its query. */
export function withReturnFields(path: string, { returnTo, maxAge }: ReturnFields): string {
  const query = new URLSearchParams()
  if (returnTo !== undefined) query.set('return_to', returnTo)
  if (maxAge !== undefined) query.set('max_age', maxAge)
  return query.size === 0 ? path : `${path}?${query}`
}

function hidden(name: string, value: string | undefined): Html | undefined {
  if (value === undefined) return undefined
  return html`<input type="hidden" name="${name}" value="${value}">`
}
