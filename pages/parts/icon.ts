import { html } from 'hono/html'
import type { Html } from '../page.ts'

const SHAPES = {
  phone: html`<rect x="7" y="2.75" width="10" height="18.5" rx="2.25"/><path d="M10.5 18h3"/>`,
  lock: html`<rect x="4.75" y="10.5" width="14.5" height="10" rx="2"/><path d="M8 10.5V7.25a4 4 0 0 1 8 0v3.25"/>`,
  alert: html`<path d="M12 3.5 21.25 20H2.75Z"/><path d="M12 10v4.25M12 17.1v.1"/>`,
  check: html`<circle cx="12" cy="12" r="9"/><path d="m8 12.25 2.75 2.75L16 9.5"/>`,
  info: html`<circle cx="12" cy="12" r="9"/><path d="M12 11.25v4.75M12 7.9v.1"/>`,
  clock: html`<circle cx="12" cy="12" r="9"/><path d="M12 7v5.25L15.25 14"/>`,
  plug: html`<path d="M8.5 3v4.5M15.5 3v4.5M5.75 7.5h12.5v3a6.25 6.25 0 0 1-12.5 0ZM12 16.75V21"/>`,
  door: html`<path d="M5.5 21V5.25A2.25 2.25 0 0 1 7.75 3h8.5a2.25 2.25 0 0 1 2.25 2.25V21M3 21h18M14.75 11.9v.2"/>`,
  search: html`<circle cx="10.75" cy="10.75" r="6.75"/><path d="m15.75 15.75 4.75 4.75"/>`,
}

export type IconName = keyof typeof SHAPES

/** A line drawing beside a heading; it says nothing that the text doesn't. */
export function icon(name: IconName): Html {
  return html`<svg class="icon" viewBox="0 0 24 24" width="28" height="28" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">${SHAPES[name]}</svg>`
}
