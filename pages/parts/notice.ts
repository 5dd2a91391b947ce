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

/**
 * A message about what has just happened. `id` lets a field point at it; one without stands in a
 * place that is read out by itself.
 */
export function notice(tone: Tone, id: string | undefined, text: readonly (Html | string)[]): Html {
  const role = tone === 'error' ? 'alert' : 'status'
  const announced = id === undefined ? undefined : html` role="${role}" id="${id}"`
  return html`<div class="notice notice-${tone}"${announced}>${icon(ICONS[tone])}<div>${text.map((line) => html`<p>${line}</p>`)}</div></div>`
}
