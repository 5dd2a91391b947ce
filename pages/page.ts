import type { HtmlEscapedString } from 'hono/utils/html'

/** Markup that is already escaped, as hono/html makes it. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>

/** What every page gets besides its own props. */
export type PageFrame = {
  /** Sentence by key from the visitor's locale; `values` fill `{name}` places, as plain text. */
  readonly t: (key: string, values?: Readonly<Record<string, string | number>>) => string
  /** BCP 47 tag of the locale that was chosen. */
  readonly lang: string
  readonly dir: 'ltr' | 'rtl'
  readonly brand: { readonly name: string; readonly logo?: string; readonly color?: string }
  readonly supportContact?: string
  /** Shown on error pages, so that the help desk can find the log line. */
  readonly requestId: string
}
