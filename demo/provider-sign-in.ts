import type { IncomingMessage, ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import type { DemoPerson } from './people.ts'
import { errors } from './provider-library.ts'
import { chooseLocale, loginPage, messagePage } from './provider-pages.ts'

/** What a sign-in proves: the `acr` and `amr` (RFC 8176) that go into the ID token. */
export type Authentication = { readonly acr?: string; readonly amr: readonly string[] }

const MAX_FORM_BYTES = 10_000

// No form-action: Chromium holds it against the redirects that follow, back to the client's host.
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
}

/** Who can sign in, what that proves, and a sentence to show below the form. */
export type SignInOptions = {
  readonly people: readonly DemoPerson[]
  readonly disabled: ReadonlySet<string>
  readonly authentication: Authentication
  readonly hint?: string | undefined
}

/** Shows the sign-in form on GET, and judges what was filled in on POST. */
export async function answerSignIn(
  provider: Provider,
  { people, disabled, authentication, hint }: SignInOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const interaction = await findInteraction(provider, request, response)
  if (!interaction) return answerExpired(response)
  const { login_hint: loginHint, ui_locales: uiLocales } = interaction.params
  const action = `/sign-in/${interaction.uid}`
  const locale = chooseLocale(typeof uiLocales === 'string' ? uiLocales : undefined)

  if (request.method !== 'POST') {
    const username = typeof loginHint === 'string' ? loginHint : ''
    return send(response, 200, loginPage({ action, locale, username, failed: false, hint }))
  }

  const form = await readForm(request)
  if (!form) return send(response, 413, messagePage('That form was too large'))
  if (form.has('cancel')) {
    const refusal = { error: 'access_denied', error_description: 'The person cancelled' }
    return provider.interactionFinished(request, response, refusal)
  }
  const username = form.get('username')?.trim().toLowerCase() ?? ''
  const person = people.find((candidate) => candidate.username === username)
  if (!person || person.password !== form.get('password') || disabled.has(username)) {
    return send(response, 401, loginPage({ action, locale, username, failed: true, hint }))
  }
  const { acr, amr } = authentication
  const login = { accountId: person.subject, amr: [...amr], ...(acr ? { acr } : {}) }
  return provider.interactionFinished(request, response, { login })
}

async function findInteraction(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
) {
  try {
    return await provider.interactionDetails(request, response)
  } catch (error) {
    if (error instanceof errors.SessionNotFound) return undefined
    throw error
  }
}

function answerExpired(response: ServerResponse): Promise<void> {
  const page = messagePage(
    'This sign-in has expired',
    'Go back to the application that you wanted to open and try again.',
  )
  return send(response, 400, page)
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk
    if (body.length > MAX_FORM_BYTES) return undefined
  }
  return new URLSearchParams(body)
}

async function send(
  response: ServerResponse,
  status: number,
  page: ReturnType<typeof messagePage>,
): Promise<void> {
  const body = String(await page)
  response.writeHead(status, HEADERS).end(body)
}
