import { html } from 'hono/html'
import type { Html, PageFrame } from './page.ts'
import { type IconName, icon } from './parts/icon.ts'
import { localPath } from './parts/local-path.ts'
import { foreign, sentence } from './parts/sentence.ts'
import { supportContact } from './parts/support-contact.ts'

/** What the shared frame is given by a page. */
export type Layout = {
  /** Heading, and the title of the window. */
  readonly title: string
  readonly icon: IconName
  /** Colours the icon. */
  readonly tone?: 'calm' | 'problem'
  /** Says in the window's title that something has to be corrected. */
  readonly error?: boolean
  readonly body: readonly (Html | undefined)[]
  /** File names of assets that make the page more comfortable. */
  readonly script?: string | readonly string[]
  /** Goes to this address at once, also without JavaScript. */
  readonly refresh?: string
  /** Without JavaScript, goes to this address at once; it may be another site's. */
  readonly noScriptRefresh?: string
  /** The body says whom to ask, so the footer doesn't. */
  readonly contactInBody?: boolean
  /** The request id, on pages somebody may have to report. */
  readonly reference?: boolean
}

/** The frame around every page: brand, card, support contact. */
export function layout(frame: PageFrame, page: Layout): Html {
  const titleKey = page.error === true ? 'common.page-title-error' : 'common.page-title'
  return html`<!doctype html>
<html lang="${frame.lang}" dir="${frame.dir}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta name="format-detection" content="telephone=no">
${page.refresh === undefined ? undefined : html`<meta http-equiv="refresh" content="0;url=${localPath(page.refresh)}">`}
${page.noScriptRefresh === undefined ? undefined : html`<noscript><meta http-equiv="refresh" content="0;url=${page.noScriptRefresh}"></noscript>`}
<title>${frame.t(titleKey, { page: page.title, brand: frame.brand.name })}</title>
<link rel="icon" type="image/svg+xml" href="${frame.asset('favicon.svg')}">
<link rel="stylesheet" href="${frame.asset('brand.css')}">
<link rel="stylesheet" href="${frame.asset('stepgate.css')}">
${[page.script ?? []].flat().map((name) => html`<script type="module" src="${frame.asset(name)}"></script>`)}
</head>
<body>
<header class="brand">${brand(frame)}</header>
<main class="card">
<div class="heading heading-${page.tone ?? 'calm'}">${icon(page.icon)}<h1>${page.title}</h1></div>
${page.body}
</main>
<footer class="footer">
${page.contactInBody === true ? undefined : help(frame)}
${page.reference === true ? html`<p class="reference">${sentence(frame, 'common.reference', 'id', html`<code>${foreign(frame.requestId)}</code>`)}</p>` : undefined}
</footer>
</body>
</html>`
}

function help(frame: PageFrame): Html | undefined {
  const contact = frame.supportContact
  if (contact === undefined) return undefined
  return html`<p>${sentence(frame, 'common.help', 'contact', supportContact(contact))}</p>`
}

function brand(frame: PageFrame): Html {
  const { name, logo } = frame.brand
  if (logo !== undefined) return html`<img class="logo" src="${logo}" alt="${name}">`
  return html`<img class="mark" src="${frame.asset('mark.svg')}" alt="" width="36" height="36"><span class="brand-name">${foreign(name)}</span>`
}
