import { html, raw } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'

type Markup = HtmlEscapedString | Promise<HtmlEscapedString>

/** Languages that the provider's pages speak, as published in `ui_locales_supported`. */
export const providerLocales = ['en', 'de'] as const
export type ProviderLocale = (typeof providerLocales)[number]

const SENTENCES = {
  en: {
    title: 'Sign in',
    intro: 'Use your Example Corp account.',
    username: 'Username',
    password: 'Password',
    submit: 'Sign in',
    cancel: 'Cancel',
    wrong: 'Wrong username or password',
  },
  de: {
    title: 'Anmelden',
    intro: 'Mit Ihrem Konto bei Example Corp.',
    username: 'Benutzername',
    password: 'Passwort',
    submit: 'Anmelden',
    cancel: 'Abbrechen',
    wrong: 'Benutzername oder Passwort falsch',
  },
} as const

/** The first of the tags in `ui_locales` (OpenID Connect Core §3.1.2.1) that the pages speak. */
export function chooseLocale(uiLocales: string | undefined): ProviderLocale {
  for (const tag of (uiLocales ?? '').toLowerCase().split(' ')) {
    const found = providerLocales.find((locale) => tag === locale || tag.startsWith(`${locale}-`))
    if (found) return found
  }
  return 'en'
}

/** The sign-in form: fields `username` and `password`; its button `cancel` gives up. */
export function loginPage(props: {
  readonly action: string
  readonly locale: ProviderLocale
  readonly username: string
  readonly failed: boolean
  /** A sentence below the form. */
  readonly hint?: string | undefined
}): Markup {
  const words = SENTENCES[props.locale]
  const focus = raw(' autofocus')
  return page({
    title: words.title,
    lang: props.locale,
    content: html`
      <h1>${words.title}</h1>
      <p>${words.intro}</p>
      ${props.failed ? html`<p class="error" role="alert">${words.wrong}</p>` : ''}
      <form method="post" action="${props.action}">
        <label for="username">${words.username}</label>
        <input id="username" name="username" autocomplete="username" autocapitalize="none"
          spellcheck="false" value="${props.username}"${props.username ? '' : focus}>
        <label for="password">${words.password}</label>
        <input id="password" name="password" type="password"
          autocomplete="current-password"${props.username ? focus : ''}>
        <button type="submit">${words.submit}</button>
        <button type="submit" name="cancel" value="yes" class="quiet">${words.cancel}</button>
      </form>
      ${props.hint ? html`<p class="hint">${props.hint}</p>` : ''}`,
  })
}

/**
 * Asks before signing out; with `confirmed` it sends itself where there is JavaScript. `form` is
 * oidc-provider's own hidden form, with the id `op.logoutForm`; the field `logout` says yes.
 */
export function logoutPage(props: { readonly form: string; readonly confirmed: boolean }): Markup {
  return page({
    title: 'Sign out',
    content: html`
      <h1>Sign out</h1>
      <p>${props.confirmed ? 'Signing you out …' : 'Do you want to sign out of Example Corp?'}</p>
      ${raw(props.form)}
      <button type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>
      ${
        props.confirmed
          ? html`<script src="/provider.js"></script>`
          : html`<button type="submit" form="op.logoutForm" class="quiet">Stay signed in</button>`
      }`,
  })
}

/** A page with a heading and sentences only. */
export function messagePage(title: string, ...sentences: readonly string[]): Markup {
  const content = html`<h1>${title}</h1>${sentences.map((text) => html`<p>${text}</p>`)}`
  return page({ title, content })
}

function page(props: {
  readonly title: string
  readonly content: Markup
  readonly lang?: string
}): Markup {
  return html`<!doctype html>
<html lang="${props.lang ?? 'en'}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${props.title} · Example Corp</title>
<link rel="stylesheet" href="/provider.css">
</head>
<body>
<main>
<p class="brand"><span aria-hidden="true">E</span> Example Corp</p>
${props.content}
</main>
</body>
</html>`
}

/** The script of a sign-out that needs no question. */
export const providerScript = "document.querySelector('button[name=logout]').click()\n"

/** The style sheet of all pages of the provider. */
export const providerStyles = `
:root {
  --page: #eef1f6; --card: #fff; --text: #1c2430; --soft: #5a6577; --line: #8792a5;
  --accent: #0f5c4c; --on-accent: #fff; --error: #a1121f; --error-page: #fdecee;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161d; --card: #1c222c; --text: #e8ecf3; --soft: #a9b3c3; --line: #6b778b;
    --accent: #6fd3b8; --on-accent: #0b231d; --error: #ffb3b8; --error-page: #451a1f;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
  background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif;
}
main {
  width: 100%; max-width: 24rem; padding: 2rem; background: var(--card);
  border-radius: 12px; box-shadow: 0 1px 3px #0002, 0 8px 24px #0001;
}
.brand { display: flex; align-items: center; gap: .6rem; margin: 0 0 1.5rem; font-weight: 600; }
.brand span {
  display: grid; place-items: center; width: 2rem; height: 2rem; border-radius: 8px;
  background: var(--accent); color: var(--on-accent); font-weight: 700;
}
h1 { margin: 0 0 .25rem; font-size: 1.5rem; line-height: 1.25; }
h1 + p { margin: 0 0 1.5rem; color: var(--soft); }
main > :last-child { margin-bottom: 0; }
.hint {
  margin: 1rem 0 0; padding-top: 1rem; font-size: .875rem; color: var(--soft);
  border-top: 1px solid var(--page);
}
p { overflow-wrap: anywhere; }
.error {
  padding: .6rem .8rem; margin: 0 0 1rem; border-radius: 8px;
  color: var(--error); background: var(--error-page);
}
label { display: block; margin-bottom: .25rem; font-weight: 500; }
input {
  width: 100%; min-height: 2.75rem; padding: .5rem .75rem; margin-bottom: 1rem;
  font: inherit; color: inherit; background: transparent;
  border: 1px solid var(--line); border-radius: 8px;
}
button {
  width: 100%; min-height: 2.75rem; margin-top: .5rem; font: inherit; font-weight: 600;
  color: var(--on-accent); background: var(--accent);
  border: 1px solid var(--accent); border-radius: 8px; cursor: pointer;
}
button.quiet { color: var(--accent); background: transparent; border-color: transparent; }
input:focus-visible, button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`
