import { html } from 'hono/html'
import type { Html } from '../page.ts'
import { type IconName, icon } from './icon.ts'

/** How a message is meant: `error` interrupts a screen reader, the others are read in turn. */
export type Tone = 'info' | 'good' | 'warning' | 'error'

const ICONS: Readonly<Record<Tone, IconName>> = {
  info: 'info',
  good: 'check',
  warning: 'clock',
  error: 'alert',
}

/** A message about what has just happened. `id` lets a field point at it. */
export function notice(tone: Tone, id: string, text: readonly (Html | string)[]): Html {
  const role = tone === 'error' ? 'alert' : 'status'
  return html`<div class="notice notice-${tone}" role="${role}" id="${id}">${icon(ICONS[tone])}<div>${text.map((line) => html`<p>${line}</p>`)}</div></div>`
}
