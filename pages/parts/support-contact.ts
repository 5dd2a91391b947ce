import { html } from 'hono/html'
import type { Html } from '../page.ts'

const LINKABLE =
  /(?<url>https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]])|(?<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)|(?<tel>\+\d[\d ()/.-]{5,}\d)/giu
const NATIONAL_NUMBER = /^\(?\d[\d ()/.-]{3,}\d$/

/**
 * The configured contact with its web and e-mail addresses and phone numbers as links. Only
 * http(s), mailto and tel come out of it, and everything is escaped.
 */
export function supportContact(contact: string): Html {
  const text = contact.trim()
  if (NATIONAL_NUMBER.test(text)) return telephone(text)
  const parts: (Html | string)[] = []
  let end = 0
  for (const match of text.matchAll(LINKABLE)) {
    parts.push(text.slice(end, match.index), linkOf(match))
    end = match.index + match[0].length
  }
  parts.push(text.slice(end))
  return html`${parts}`
}

function linkOf({ 0: text, groups }: RegExpMatchArray): Html | string {
  if (groups?.tel !== undefined) return telephone(text)
  if (groups?.mail !== undefined) return html`<a href="mailto:${text}">${text}</a>`
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '') return text
  return html`<a href="${url.href}" rel="noreferrer">${text.replace(/^https?:\/\//i, '')}</a>`
}

function telephone(text: string): Html {
  const number = text.replace(/[^\d+]/g, '')
  return html`<a href="tel:${number}"><bdi dir="ltr">${text}</bdi></a>`
}
