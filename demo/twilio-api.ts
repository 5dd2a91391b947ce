import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { callbackForm, type DeliveryStep, postCallback, signCallback } from './twilio-callbacks.ts'
import { callProblem, callResource, spokenText } from './twilio-calls.ts'
import { messageProblem, type TwilioError, twilioError } from './twilio-errors.ts'
import {
  accountResource,
  type MessageResource,
  messagePage,
  messageResource,
} from './twilio-resources.ts'

/**
 * A text that arrived at a phone, or what was said in a call. `from` is a number or a messaging
 * service; `sentAt` is ISO 8601.
 */
export type PhoneMessage = {
  to: string
  from: string
  body: string
  channel: 'sms' | 'call'
  sentAt: string
}

/** A request as it came in. `form` is what its body says; `authorized`: with known credentials. */
export type ReceivedRequest = {
  method: string
  path: string
  form: Readonly<Record<string, string>>
  authorized: boolean
}

/**
 * How to answer one request otherwise than Twilio would. `hang` never answers, `reset` cuts the
 * connection after the request was read, `wait` answers as usual when its promise has settled.
 */
export type ScriptedAnswer =
  | { kind: 'error'; status: number; code: number; message?: string }
  | { kind: 'raw'; status: number; body: string; contentType?: string }
  | { kind: 'hang' }
  | { kind: 'reset' }
  | { kind: 'wait'; until: Promise<unknown> }

/** `apiKey` is a standard key: it may send, but not read the account. `clock` gives epoch ms. */
export type TwilioStandInOptions = {
  accountSid: string
  authToken: string
  apiKey?: { sid: string; secret: string }
  /** What the account says of itself; active and full by default. */
  account?: { status: string; type: string }
  /** What becomes of each message by itself; nothing by default. */
  deliveries?: readonly DeliveryStep[]
  clock: () => number
}

/** Answers as Twilio's API does for messages, calls and the account; checked against Twilio's OpenAPI. */
export type TwilioStandIn = {
  /** Handles a request below `/2010-04-01/`. */
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>
  /** Newest first; the last 200 are kept. */
  messages(): readonly PhoneMessage[]
  /** Oldest first; the last 200 are kept. */
  received(): readonly ReceivedRequest[]
  /** The next requests get these answers, one each, in this order. */
  script(...answers: ScriptedAnswer[]): void
  /** This becomes of the next messages that are taken, one sequence each, instead of `deliveries`. */
  scriptDeliveries(...sequences: (readonly DeliveryStep[])[]): void
  /**
   * Reports now, of the newest message or of the one with this sid, to the address that it was sent
   * with; answers the HTTP status that came back, undefined when no address was given.
   */
  report(step: DeliveryStep, sid?: string): Promise<number | undefined>
  /** Sids and where they report to, newest first. */
  sent(): readonly { readonly sid: string; readonly statusCallback: string | undefined }[]
}

const KEPT = 200
const MAX_BODY = 64 * 1024

/** Makes a stand-in for `https://api.twilio.com` that delivers to its own list of messages. */
export function createTwilioStandIn(options: TwilioStandInOptions): TwilioStandIn {
  const { accountSid, authToken, apiKey, clock } = options
  const account = options.account ?? { status: 'active', type: 'Full' }
  const resources: MessageResource[] = []
  const messages: PhoneMessage[] = []
  const requests: ReceivedRequest[] = []
  const scripted: ScriptedAnswer[] = []
  const sequences: (readonly DeliveryStep[])[] = []
  const callbacks = new WeakMap<MessageResource, string>()

  function answer(method: string, url: URL, form: URLSearchParams, who: Caller): Answer {
    if (who === 'nobody') return refusal(twilioError(401, 20003))
    const path = url.pathname
    if (path === `/2010-04-01/Accounts/${accountSid}.json`) {
      if (method !== 'GET') return refusal(twilioError(405, 20004))
      if (who === 'api-key') return refusal(twilioError(401, 20003))
      const now = new Date(clock())
      return { status: 200, body: accountResource({ sid: accountSid, authToken, ...account, now }) }
    }
    if (path === `/2010-04-01/Accounts/${accountSid}/Calls.json`) {
      return method === 'POST' ? ring(form) : refusal(twilioError(405, 20004))
    }
    if (path !== `/2010-04-01/Accounts/${accountSid}/Messages.json`) {
      return refusal(twilioError(404, 20404))
    }
    if (method === 'GET') {
      const size = Math.min(Math.max(Number(url.searchParams.get('PageSize')) || 50, 1), 1000)
      return { status: 200, body: messagePage(accountSid, resources, size) }
    }
    return method === 'POST' ? take(form) : refusal(twilioError(405, 20004))
  }

  function take(form: URLSearchParams): Answer {
    const problem = messageProblem(form)
    if (problem) return refusal(problem)
    const now = new Date(clock())
    const sid = `SM${randomBytes(16).toString('hex')}`
    const resource = messageResource(form, { accountSid, sid, now })
    keep(resources, 'first', resource)
    const callback = form.get('StatusCallback')
    if (callback !== null) callbacks.set(resource, callback)
    deliver(resource, sequences.shift() ?? options.deliveries ?? [])
    keep(messages, 'first', {
      to: resource.to ?? '',
      from: resource.from ?? resource.messaging_service_sid ?? '',
      body: resource.body,
      channel: 'sms',
      sentAt: now.toISOString(),
    })
    return { status: 201, body: resource }
  }

  function ring(form: URLSearchParams): Answer {
    const problem = callProblem(form)
    if (problem) return refusal(problem)
    const sid = `CA${randomBytes(16).toString('hex')}`
    keep(messages, 'first', {
      to: form.get('To') ?? '',
      from: form.get('From') ?? '',
      body: spokenText(form.get('Twiml') ?? ''),
      channel: 'call',
      sentAt: new Date(clock()).toISOString(),
    })
    return { status: 201, body: callResource(form, { accountSid, sid }) }
  }

  async function report(step: DeliveryStep, message: MessageResource): Promise<number | undefined> {
    const url = callbacks.get(message)
    if (url === undefined) return undefined
    const form = callbackForm(message, step)
    return postCallback(url, form, signCallback(authToken, url, form))
  }

  function deliver(message: MessageResource, [step, ...others]: readonly DeliveryStep[]): void {
    if (step === undefined || !callbacks.has(message)) return
    const post = async () => {
      // Nobody may be there any more; Twilio doesn't ask twice either.
      await report(step, message).catch(() => {})
      deliver(message, others)
    }
    setTimeout(post, step.after ?? 0).unref()
  }

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const method = req.method ?? 'GET'
    const url = URL.parse(req.url ?? '/', 'http://stand-in') ?? new URL('http://stand-in/')
    const form = await readForm(req)
    if (form === undefined) return respond(res, refusal(twilioError(413, 20001, 'Body too large')))
    const who = caller(req.headers.authorization, { accountSid, authToken, apiKey })
    keep(requests, 'last', {
      method,
      path: url.pathname,
      form: Object.fromEntries(form),
      authorized: who !== 'nobody',
    })
    const script = scripted.shift()
    switch (script?.kind) {
      case 'hang':
        return
      case 'reset':
        req.socket.resetAndDestroy()
        return
      case 'error':
        return respond(res, refusal(twilioError(script.status, script.code, script.message)))
      case 'raw':
        res.writeHead(script.status, { 'content-type': script.contentType ?? 'application/json' })
        res.end(script.body)
        return
      case 'wait':
        await script.until
        return respond(res, answer(method, url, form, who))
      case undefined:
        return respond(res, answer(method, url, form, who))
    }
  }

  return {
    handle,
    messages: () => [...messages],
    received: () => [...requests],
    script: (...answers) => {
      scripted.push(...answers)
    },
    scriptDeliveries: (...more) => {
      sequences.push(...more)
    },
    async report(step, sid = resources[0]?.sid) {
      const message = resources.find((one) => one.sid === sid)
      return message && report(step, message)
    },
    sent: () =>
      resources.map((message) => ({ sid: message.sid, statusCallback: callbacks.get(message) })),
  }
}

type Answer = { status: number; body: object }
type Caller = 'account' | 'api-key' | 'nobody'

function refusal(error: TwilioError): Answer {
  return { status: error.status, body: error }
}

function respond(res: ServerResponse, { status, body }: Answer): void {
  res.writeHead(status, {
    'content-type': 'application/json',
    ...(status === 401 ? { 'www-authenticate': 'Basic realm="Twilio API"' } : {}),
  })
  res.end(JSON.stringify(body))
}

function caller(
  header: string | undefined,
  known: {
    accountSid: string
    authToken: string
    apiKey: { sid: string; secret: string } | undefined
  },
): Caller {
  const encoded = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(header ?? '')?.[1] ?? ''
  const said = Buffer.from(encoded, 'base64').toString()
  if (isSame(said, `${known.accountSid}:${known.authToken}`)) return 'account'
  const { apiKey } = known
  return apiKey && isSame(said, `${apiKey.sid}:${apiKey.secret}`) ? 'api-key' : 'nobody'
}

function isSame(said: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(said), digest(expected))
}

async function readForm(req: IncomingMessage): Promise<URLSearchParams | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  // Read to the end, or the answer would not be heard.
  for await (const chunk of req) {
    size += chunk.length
    if (size <= MAX_BODY) chunks.push(chunk)
  }
  if (size > MAX_BODY) return undefined
  return new URLSearchParams(Buffer.concat(chunks).toString())
}

function keep<T>(list: T[], end: 'first' | 'last', item: T): void {
  if (end === 'first') list.unshift(item)
  else list.push(item)
  if (list.length > KEPT) {
    if (end === 'first') list.pop()
    else list.shift()
  }
}
