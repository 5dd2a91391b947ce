import type { TextValues, Translate } from '../../pages/page.ts'

/** A sentence, or its plural forms by category (CLDR), of which `other` is always there. */
export type Message =
  | string
  | (Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> & { other: string })

/** The sentences of one language by key. */
export type Messages = ReadonlyMap<string, Message>

const VOICE = /^[a-z]{2,3}(-[A-Z]{2})?$/

const PLACE = /\{([a-z]+)\}/gi

/** Sentences of one language; what it lacks comes from `fallback`, and an unknown key comes back. */
export function translator(lang: string, messages: Messages, fallback: Messages): Translate {
  const plurals = new Intl.PluralRules(lang)
  const english = new Intl.PluralRules('en')
  return (key, values = {}) => {
    const own = messages.get(key)
    if (own !== undefined) return fill(formOf(own, plurals, values), values)
    const other = fallback.get(key)
    return other === undefined ? key : fill(formOf(other, english, values), values)
  }
}

/** The sentences of a JSON text, or what is wrong with it. */
export function parseMessages(json: string): Messages | { readonly problem: string } {
  let parsed: unknown
  try {
    parsed = JSON.parse(json)
  } catch (error) {
    return { problem: `is not JSON: ${error instanceof Error ? error.message : error}` }
  }
  if (!isObject(parsed)) return { problem: 'must be an object of sentences by key' }
  const messages = new Map<string, Message>()
  for (const [key, value] of Object.entries(parsed)) {
    if (!isMessage(value)) return { problem: `"${key}" must be text, or plural forms with "other"` }
    messages.set(key, value)
  }
  return messages
}

/**
 * What is wrong with these sentences beside the built-in English ones: a key that nothing uses, or
 * places like `{digits}` that differ. Keys that begin with a word of their own may be added.
 */
export function checkMessages(messages: Messages, english: Messages): string | undefined {
  const groups = new Set([...english.keys()].map(groupOf))
  for (const [key, message] of messages) {
    const original = english.get(key)
    if (original === undefined) {
      if (!groups.has(groupOf(key))) continue
      return `"${key}" is not a key of stepgate's; a key of your own must not begin with "${groupOf(key)}."`
    }
    if (key === 'voice.language' && !(typeof message === 'string' && VOICE.test(message))) {
      return `"${key}" must be a tag that Twilio has a voice for, such as "de-DE"`
    }
    const wanted = placesOf(original)
    for (const text of formsOf(message)) {
      const places = placesOf(text)
      const missing = [...wanted].find((place) => place !== 'count' && !places.has(place))
      if (missing !== undefined) return `"${key}" lacks {${missing}}`
      const unknown = [...places].find((place) => !wanted.has(place))
      if (unknown !== undefined) return `"${key}" has {${unknown}}, which is not filled there`
    }
  }
  return undefined
}

// In one pass, so that a value that looks like a place stays as it is.
function fill(text: string, values: TextValues): string {
  return text.replace(PLACE, (place, name: string) =>
    Object.hasOwn(values, name) ? String(values[name]) : place,
  )
}

function formOf(message: Message, plurals: Intl.PluralRules, values: TextValues): string {
  if (typeof message === 'string') return message
  return message[plurals.select(Number(values.count))] ?? message.other
}

function formsOf(message: Message): readonly string[] {
  return typeof message === 'string' ? [message] : Object.values(message)
}

function placesOf(message: Message): ReadonlySet<string> {
  return new Set(
    formsOf(message).flatMap((text) => [...text.matchAll(PLACE)].map(([, name]) => name ?? '')),
  )
}

function groupOf(key: string): string {
  return key.split('.', 1)[0] ?? ''
}

const CATEGORIES = new Set(['zero', 'one', 'two', 'few', 'many', 'other'])

function isMessage(value: unknown): value is Message {
  if (typeof value === 'string') return true
  if (!isObject(value) || typeof value.other !== 'string') return false
  return Object.entries(value).every(
    ([category, text]) => CATEGORIES.has(category) && typeof text === 'string',
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
