import type { HtmlEscapedString } from 'hono/utils/html'

/** Markup that is already escaped, as hono/html makes it. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>

/** What every page gets besides its own props. */
export type PageFrame = {
  /**
   * Sentence by key from the visitor's locale; `values` fill `{name}` places, as plain text. A
   * sentence with plural forms is chosen by `values.count`.
   */
  readonly t: Translate
  /** BCP 47 tag of the locale that was chosen. */
  readonly lang: string
  readonly dir: 'ltr' | 'rtl'
  /** `logo` is what `src` needs: an https URL, a `data:` image or the path of an asset. */
  readonly brand: { readonly name: string; readonly logo?: string }
  readonly supportContact?: string
  /** Shown on error pages, so that the help desk can find the log line. */
  readonly requestId: string
  /** Path of an asset by its file name, with the hash of its content. */
  readonly asset: (name: string) => string
}

/** How a page gets its sentences. */
export type Translate = (key: string, values?: TextValues) => string

/** What fills the `{name}` places of a sentence. */
export type TextValues = Readonly<Record<string, string | number>>
