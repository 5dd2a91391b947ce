import { html } from 'hono/html'
import type { Html } from '../page.ts'
import { notice } from './notice.ts'
import { type ReturnFields, withReturnFields } from './return-fields.ts'

/** How a message fares that the page follows. */
export type DeliveryKind = 'sending' | 'sent' | 'delivered' | 'failed'

/** Whether more can be heard of a message. */
export function isOnItsWay(kind: DeliveryKind | undefined): boolean {
  return kind === 'sending' || kind === 'sent'
}

/** Where the page says how its message fares, with what `delivery.js` needs to go on saying it. */
export function deliveryRegion(
  kind: DeliveryKind,
  said: Html | undefined,
  back: ReturnFields,
): Html {
  if (!isOnItsWay(kind)) return html`<div role="status">${said}</div>`
  const following = html` data-delivery="${kind}" data-events="${withReturnFields('/_stepgate/otp/events', back)}" data-status="${withReturnFields('/_stepgate/otp/status', back)}"`
  const tones = (['good', 'error'] as const).map(
    (tone) => html`<template data-tone="${tone}">${notice(tone, undefined, [])}</template>`,
  )
  return html`<div role="status"${following}>${said}</div>${tones}`
}
