import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { readBody } from './read-body.ts'
import type { DeliveryStep } from './twilio-callbacks.ts'
import { callProblem, callResource, spokenText } from './twilio-calls.ts'
import { messageProblem, statusOf, type TwilioError, twilioError } from './twilio-errors.ts'
import type { Plan, PlannedAnswer } from './twilio-plan.ts'
import { createReports, endingWith, type Reports } from './twilio-reports.ts'
import {
  accountResource,
  type MessageResource,
  messagePage,
  messageResource,
} from './twilio-resources.ts'

type Channel = 'sms' | 'call'

/**
 * A text that arrived at a phone, or what was said in a call. `from` is a number or a messaging
 * service; `sentAt` is ISO 8601.
 */
export type PhoneMessage = {
  to: string
  from: string
  body: string
  channel: Channel
  sentAt: string
}

/** A request as it came in. `form` is what its body says; `authorized`: with known credentials. */
export type ReceivedRequest = {
  method: string
  path: string
  form: Readonly<Record<string, string>>
  authorized: boolean
}

/** A planned answer, or for tests: any body, or as usual when `until` has settled. */
export type ScriptedAnswer =
  | PlannedAnswer
  | { kind: 'raw'; status: number; body: string; contentType?: string }
  | { kind: 'wait'; until: Promise<unknown> }

/** `apiKey` is a standard key: it may send, but not read the account. `clock` gives epoch ms. */
export type TwilioStandInOptions = {
  accountSid: string
  authToken: string
  apiKey?: { sid: string; secret: string }
  /** What the account says of itself; active and full by default. */
  account?: { status: string; type: string }
  /** What is reported of each message and call by itself; nothing by default. */
  deliveries?: Readonly<Record<Channel, readonly DeliveryStep[]>>
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
  /** Sids and where they report to, newest first. */
  sent: Reports['sent']
  /** Reports of what was sent. */
  report: Reports['report']
  /** What becomes of the next requests; without what tests have scripted. */
  plan(): Plan
  /** Replaces what is planned; what is not said stays. */
  setPlan(plan: Partial<Plan>): void
}

const KEPT = 200

/** Makes a stand-in for `https://api.twilio.com` that delivers to its own list of messages. */
export function createTwilioStandIn(options: TwilioStandInOptions): TwilioStandIn {
  const { accountSid, authToken, apiKey, clock } = options
  const account = options.account ?? { status: 'active', type: 'Full' }
  const resources: MessageResource[] = []
  const messages: PhoneMessage[] = []
  const requests: ReceivedRequest[] = []
  const reports = createReports(authToken)
  let scripted: ScriptedAnswer[] = []
  let always: PlannedAnswer | null = null

  function answer(
    method: string,
    url: URL,
    form: URLSearchParams,
    who: Caller,
    ends: Ends = {},
  ): Answer {
    if (who === 'nobody') return refusal(twilioError(401, 20003))
    const path = url.pathname
    if (path === `/2010-04-01/Accounts/${accountSid}.json`) {
      if (method !== 'GET') return refusal(twilioError(405, 20004))
      if (who === 'api-key') return refusal(twilioError(401, 20003))
      const now = new Date(clock())
      return { status: 200, body: accountResource({ sid: accountSid, authToken, ...account, now }) }
    }
    if (path === `/2010-04-01/Accounts/${accountSid}/Calls.json`) {
      return method === 'POST' ? ring(form, ends.call) : refusal(twilioError(405, 20004))
    }
    if (path !== `/2010-04-01/Accounts/${accountSid}/Messages.json`) {
      return refusal(twilioError(404, 20404))
    }
    if (method === 'GET') {
      const size = Math.min(Math.max(Number(url.searchParams.get('PageSize')) || 50, 1), 1000)
      return { status: 200, body: messagePage(accountSid, resources, size) }
    }
    return method === 'POST' ? take(form, ends.sms) : refusal(twilioError(405, 20004))
  }

  function take(form: URLSearchParams, end: End | undefined): Answer {
    const problem = messageProblem(form)
    if (problem) return refusal(problem)
    const now = new Date(clock())
    const sid = `SM${randomBytes(16).toString('hex')}`
    const resource = messageResource(form, { accountSid, sid, now })
    keep(resources, 'first', resource)
    const steps = options.deliveries?.sms ?? []
    reports.add(resource, form.get('StatusCallback'), end ? endingWith(steps, end) : steps)
    if (end !== undefined) return { status: 201, body: resource }
    keep(messages, 'first', {
      to: resource.to ?? '',
      from: resource.from ?? resource.messaging_service_sid ?? '',
      body: resource.body,
      channel: 'sms',
      sentAt: now.toISOString(),
    })
    return { status: 201, body: resource }
  }

  function ring(form: URLSearchParams, end: End | undefined): Answer {
    const problem = callProblem(form)
    if (problem) return refusal(problem)
    const sid = `CA${randomBytes(16).toString('hex')}`
    const resource = callResource(form, { accountSid, sid })
    const steps = options.deliveries?.call ?? []
    reports.add(resource, form.get('StatusCallback'), end ? endingWith(steps, end) : steps)
    if (end !== undefined) return { status: 201, body: resource }
    keep(messages, 'first', {
      to: form.get('To') ?? '',
      from: form.get('From') ?? '',
      body: spokenText(form.get('Twiml') ?? ''),
      channel: 'call',
      sentAt: new Date(clock()).toISOString(),
    })
    return { status: 201, body: resource }
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
    const script = scripted.shift() ?? always ?? { kind: 'deliver' }
    const asUsual = (ends?: Ends) => answer(method, url, form, who, ends)
    switch (script.kind) {
      case 'deliver':
        return respond(res, asUsual())
      case 'hang':
        if (script.delivers) asUsual()
        return
      case 'reset':
        if (script.delivers) asUsual()
        req.socket.resetAndDestroy()
        return
      case 'nonsense':
        if (script.delivers) asUsual()
        res.writeHead(200, { 'content-type': 'text/html' }).end('<html>Bad gateway</html>')
        return
      case 'error': {
        const { code, status = statusOf(code), message } = script
        if (status !== 201) return respond(res, refusal(twilioError(status, code, message)))
        const sms = { status: 'undelivered', errorCode: code }
        return respond(res, asUsual({ sms, call: { status: 'failed' } }))
      }
      case 'busy':
      case 'no-answer':
        return respond(res, asUsual({ call: { status: script.kind } }))
      case 'raw':
        res.writeHead(script.status, { 'content-type': script.contentType ?? 'application/json' })
        res.end(script.body)
        return
      case 'slow':
        await sleep(script.seconds * 1000, undefined, { ref: false })
        return respond(res, asUsual())
      case 'wait':
        await script.until
        return respond(res, asUsual())
    }
  }

  return {
    handle,
    messages: () => [...messages],
    received: () => [...requests],
    script: (...answers) => {
      scripted.push(...answers)
    },
    sent: reports.sent,
    report: reports.report,
    plan: () => ({ next: scripted.filter(isPlanned), always }),
    setPlan(plan) {
      if (plan.next !== undefined) scripted = [...plan.next]
      if (plan.always !== undefined) always = plan.always
    },
  }
}

type Answer = { status: number; body: object }
/** How a message and a call end that are taken and come to nothing. */
type Ends = { sms?: End; call?: End }
type End = Omit<DeliveryStep, 'after'>
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
  const text = await readBody(req)
  return text === undefined ? undefined : new URLSearchParams(text)
}

function isPlanned(answer: ScriptedAnswer): answer is PlannedAnswer {
  return answer.kind !== 'raw' && answer.kind !== 'wait'
}

function keep<T>(list: T[], end: 'first' | 'last', item: T): void {
  if (end === 'first') list.unshift(item)
  else list.push(item)
  if (list.length > KEPT) {
    if (end === 'first') list.pop()
    else list.shift()
  }
}
