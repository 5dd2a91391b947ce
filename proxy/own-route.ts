import type { Hono } from 'hono'
import { type Answer, jsonAnswer } from './answer.ts'
import { errorAnswer } from './answer-error.ts'
import { auditFields } from './audit-fields.ts'
import type { Context } from './context.ts'
import type { Exchange } from './exchange.ts'
import { cutRequest } from './listener/http2-messages.ts'
import { pageAnswer } from './page-answer.ts'
import { codePagePath, needOf } from './request/need.ts'
import { isSameOrigin } from './request/same-origin.ts'
import { sendAnswer } from './send-answer.ts'
import { currentSession } from './session/current-session.ts'
import type { Session } from './session/session.ts'

/** A request for one of stepgate's own paths; `fields` is its query, or its form for a POST. */
export type OwnRequest = {
  readonly context: Context
  readonly exchange: Exchange
  readonly session: Session | undefined
  readonly fields: URLSearchParams
  readonly uiLocales: string | undefined
  readonly now: number
}

/** Answers one own path. */
export type OwnHandler = (request: OwnRequest) => Promise<Answer> | Answer

export type OwnApp = Hono<{ Bindings: Exchange }>

// A few language tags; they end up in the session's cookie, so no more than that.
const LANGUAGES = /^[A-Za-z0-9-]{1,35}(?: [A-Za-z0-9-]{1,35}){0,4}$/

// A code and a few paths; a bigger form is none of ours.
const MAX_FORM = 16 * 1024

// In ms; a form that takes longer only holds a connection.
const FORM_DEADLINE = 30_000

/** Adds `GET path`: no body, fields from the query. */
export function onGet(
  app: OwnApp,
  context: Context,
  path: string,
  handle: OwnHandler,
  findSession: typeof currentSession = currentSession,
): void {
  app.get(path, async (c) => {
    const fields = new URLSearchParams(c.env.target.query)
    return sendAnswer(c.env, await handle(await ownRequest(context, c.env, fields, findSession)))
  })
}

/** Adds `POST path` for a form of ours; one that another site sends is refused. */
export function onForm(
  app: OwnApp,
  context: Context,
  path: string,
  handle: OwnHandler,
  findSession: typeof currentSession = currentSession,
): void {
  app.post(path, async (c) => {
    const { incoming } = c.env
    const refuse = async (status: number, reason: 'cross-site' | 'form') =>
      sendAnswer(c.env, await pageAnswer(context.pages, c.env, status, 'bad-request', { reason }))
    if (!isSameOrigin(incoming.headers, context.config.publicUrl)) {
      const reason = 'cross_site_form'
      context.log.audit('request.denied', { ...auditFields({ exchange: c.env }), reason })
      return refuse(403, 'cross-site')
    }
    const type = incoming.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
    if (type !== undefined && type !== 'application/x-www-form-urlencoded') {
      return refuse(415, 'form')
    }
    const body = await readForm(c.env, c.req.raw.body)
    if (body === undefined) return refuse(413, 'form')
    const fields = new URLSearchParams(body)
    try {
      return sendAnswer(c.env, await handle(await ownRequest(context, c.env, fields, findSession)))
    } catch (error) {
      // The form can't be sent again by a link, but the page that it is on can be asked for.
      const retryUrl = path.startsWith('/_stepgate/otp')
        ? codePagePath(needOf(fields, context.config.publicUrl), askedLocales(fields))
        : '/'
      return sendAnswer(c.env, await errorAnswer(context, c.env, error, retryUrl))
    }
  })
}

/** What handlers know of a request for an own path. */
export async function ownRequest(
  context: Context,
  exchange: Exchange,
  fields: URLSearchParams,
  findSession: typeof currentSession = currentSession,
): Promise<OwnRequest> {
  const now = context.clock()
  const session = await findSession(context, exchange, now)
  exchange.notes.subject = session?.subject
  const uiLocales = askedLocales(fields) ?? session?.locale
  return { context, exchange, session, fields, uiLocales, now }
}

function askedLocales(fields: URLSearchParams): string | undefined {
  const asked = fields.get('ui_locales')
  return asked !== null && LANGUAGES.test(asked) ? asked : undefined
}

/**
 * Adds `POST path` for a form that a service sends by itself: it belongs to no session, and no page
 * of ours. `handle` has to find out who sent it.
 */
export function onCallback(
  app: OwnApp,
  path: string,
  handle: (
    fields: URLSearchParams,
    from: { readonly exchange: Exchange; readonly signature: string | undefined },
  ) => Promise<Answer>,
): void {
  app.post(path, async (c) => {
    const body = await readForm(c.env, c.req.raw.body)
    if (body === undefined) return sendAnswer(c.env, jsonAnswer(413, { error: 'too_large' }))
    const signature = c.req.header('x-twilio-signature')
    const from = { exchange: c.env, signature }
    return sendAnswer(c.env, await handle(new URLSearchParams(body), from))
  })
}

async function readForm(
  { incoming }: Exchange,
  body: ReadableStream<Uint8Array> | null,
): Promise<string | undefined> {
  if (body === null) return ''
  const timer = setTimeout(() => cutRequest(incoming), FORM_DEADLINE)
  return readText(body).finally(() => clearTimeout(timer))
}

async function readText(body: ReadableStream<Uint8Array>): Promise<string | undefined> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > MAX_FORM) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
