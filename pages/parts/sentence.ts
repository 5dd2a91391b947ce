import { html } from 'hono/html'
import type { Html, PageFrame, TextValues } from '../page.ts'

// A private-use character: no locale and no key holds it.
const PLACE = '\uE000'

/** A sentence in which one place holds markup instead of plain text. */
export function sentence(
  frame: PageFrame,
  key: string,
  place: string,
  markup: Html,
  values: TextValues = {},
): Html {
  const plain = Object.entries(values).map(([name, value]) => [name, stripPlace(value)])
  const text = frame.t(key, { ...Object.fromEntries(plain), [place]: PLACE })
  const [before = '', ...after] = text.split(PLACE)
  return html`${before}${after.map((rest) => [markup, rest])}`
}

/** Text of somebody else's, kept from changing the direction of what surrounds it. */
export function foreign(text: string): Html {
  return html`<bdi>${text}</bdi>`
}

function stripPlace(value: string | number): string {
  return String(value).replaceAll(PLACE, '')
}
