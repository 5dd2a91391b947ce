import type { Client, Page } from './cookie-jar.ts'

/** A form of a page: where it goes, and what it holds before anybody types. */
export type HtmlForm = {
  readonly action: URL
  readonly method: 'GET' | 'POST'
  /** Values of inputs by name, hidden ones too; buttons, and boxes to tick, are left out. */
  readonly fields: Readonly<Record<string, string>>
  /** Whether there is nothing to type: such a form waits for a click or sends itself. */
  readonly hiddenOnly: boolean
}

/** The forms of a page in their order. Enough of HTML for pages that we wrote, and no more. */
export function readForms(page: Page): HtmlForm[] {
  return [...page.text().matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)].map(([, tag, content]) => {
    const attributes = readAttributes(tag ?? '')
    const inputs = [...(content ?? '').matchAll(/<(?:input|textarea)\b([^>]*)>/g)]
      .map(([, input]) => readAttributes(input ?? ''))
      .filter(({ type = '', name }) => name !== undefined && !/^(?:submit|checkbox)$/.test(type))
    return {
      action: new URL(attributes.action ?? page.url, page.url),
      method: attributes.method?.toLowerCase() === 'post' ? 'POST' : 'GET',
      fields: Object.fromEntries(inputs.map(({ name = '', value = '' }) => [name, value])),
      hiddenOnly: inputs.every(({ type }) => type === 'hidden'),
    }
  })
}

/** Fills in a page's form and sends it; by default the first form that holds all these fields. */
export function submitForm(
  client: Client,
  page: Page,
  values: Readonly<Record<string, string>> = {},
  pick: (form: HtmlForm) => boolean = (form) =>
    Object.keys(values).every((name) => Object.hasOwn(form.fields, name)),
): Promise<Page> {
  const form = readForms(page).find(pick)
  if (!form) throw new Error(`No such form on ${page.url} (${page.status}): ${page.text()}`)
  const fields = { ...form.fields, ...values }
  if (form.method === 'POST') return client.post(form.action, fields, { from: page.url })
  const target = new URL(form.action)
  target.search = new URLSearchParams(fields).toString()
  return client.get(target, { from: page.url })
}

function readAttributes(tag: string): Record<string, string> {
  const pairs = tag.matchAll(/([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)
  return Object.fromEntries(
    [...pairs].map(([, name, double, single]) => [
      name?.toLowerCase() ?? '',
      unescapeHtml(double ?? single ?? ''),
    ]),
  )
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
}

function unescapeHtml(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal) return String.fromCodePoint(Number(decimal))
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16))
    return ENTITIES[name] ?? whole
  })
}
