import { setTimeout as sleep } from 'node:timers/promises'
import twilio from 'twilio'
import type { Config } from '../config/config.ts'
import type { PartCheck } from '../part-check.ts'
import { accountCheck, failureCheck, keyCheck } from './account-check.ts'
import { callProblem, failureOf, outcomeOf } from './outcome.ts'
import type { Sender, SendOutcome, SmsMessage, VoiceCall } from './sender.ts'
import { isCallSid, isMessageSid } from './sid.ts'
import { createStatusCallback, type StatusCallback } from './status-callback.ts'

/** Seams for tests, and what senders share; all have defaults. */
export type TwilioSenderOptions = {
  /** Where Twilio is to report; what `config` says unless given. */
  callback?: StatusCallback
  /** For one exchange with Twilio from first to last byte, retry included; ms. */
  timeout?: number
  /** Waits so many ms. */
  delay?: (ms: number) => Promise<unknown>
  /** In [0, 1): spreads retries, so that many instances don't come back at once. */
  random?: () => number
  /** A clock that never goes back, ms. */
  elapsed?: () => number
}

const TWILIO_API = 'https://api.twilio.com'
// Twilio takes 1 to 36,000 seconds and advises against 5 or less.
const VALIDITY = { least: 6, most: 36_000 }

// In seconds. It rings for less time than most mailboxes wait, and ends should nobody hang up.
const CALL = { timeout: 20, timeLimit: 120 }

/**
 * Sends through Twilio's Programmable Messaging, and calls through its Programmable Voice with all
 * that is said in the request itself, so that nothing has to answer Twilio. `secret` is the account's auth token, or the
 * secret of `config.apiKeySid`. Nothing that Twilio or the network does is thrown, and no number,
 * code or credential leaves with an outcome.
 */
export function createTwilioSender(
  config: Config['twilio'],
  secret: string,
  options: TwilioSenderOptions = {},
): Sender {
  const { accountSid, apiKeySid, from, voiceFrom, statusCallback } = config
  const { apiUrl = new URL(TWILIO_API) } = config
  const client = twilio(apiKeySid ?? accountSid, secret, {
    accountSid,
    httpClient: createHttpClient(apiUrl, options),
  })
  const sender = from.kind === 'number' ? { from: from.number } : { messagingServiceSid: from.sid }
  const { callback = createStatusCallback(statusCallback) } = options
  const asked = {
    credentials: apiKeySid === undefined ? 'token' : 'api-key',
    origin: apiUrl.origin,
  } as const

  async function send({ to, body, validForSeconds }: SmsMessage): Promise<SendOutcome> {
    try {
      const { sid, errorCode } = await callback.offer((reports) =>
        client.messages.create({
          ...sender,
          to,
          body,
          validityPeriod: validityPeriod(validForSeconds),
          messageIntent: 'otp',
          ...reports,
        }),
      )
      if (Number.isInteger(errorCode) && errorCode !== 0) return outcomeOf({ code: errorCode })
      // A 2xx without a message may have been taken: never to be sent again by itself.
      return isMessageSid(sid) ? { kind: 'sent', id: sid } : outcomeOf({})
    } catch (error) {
      return outcomeOf(failureOf(error))
    }
  }

  async function call({ to, language, sentences }: VoiceCall): Promise<SendOutcome> {
    if (voiceFrom === undefined) return { kind: 'failed', reason: 'sender_not_registered' }
    try {
      const twiml = spoken(language, sentences)
      // Reports are of its end only: what lies before nobody needs to know.
      const { sid, status } = await callback.offer((reports) =>
        client.calls.create({ ...CALL, to, from: voiceFrom, twiml, ...reports }),
      )
      return isCallSid(sid) ? (callProblem(status) ?? { kind: 'sent', id: sid }) : outcomeOf({})
    } catch (error) {
      return outcomeOf(failureOf(error))
    }
  }

  async function check(): Promise<PartCheck> {
    try {
      const account = await client.api.v2010.accounts(accountSid).fetch()
      return account.sid === accountSid ? accountCheck(account) : failureCheck({}, asked)
    } catch (error) {
      const failure = failureOf(error)
      const mayBeKeyOnly = failure.status === 401 || failure.status === 403
      return apiKeySid !== undefined && mayBeKeyOnly ? checkKey() : failureCheck(failure, asked)
    }
  }

  // Only main keys may read the account (https://www.twilio.com/docs/iam/api-keys).
  async function checkKey(): Promise<PartCheck> {
    try {
      await client.messages.page({ pageSize: 1 })
      return keyCheck()
    } catch (error) {
      return failureCheck(failureOf(error), asked)
    }
  }

  return { send, call, check }
}

/** TwiML with a moment for the phone to be at the ear, and one after each sentence. */
function spoken(language: string, sentences: readonly string[]): string {
  const response = new twilio.twiml.VoiceResponse()
  response.pause({ length: 1 })
  for (const sentence of sentences) {
    // The SDK lists the tags of today; what Twilio does not know it refuses.
    response.say({ language: language as SayLanguage }, sentence)
    response.pause({ length: 1 })
  }
  return response.toString()
}

type SayLanguage = NonNullable<
  Exclude<Parameters<InstanceType<typeof twilio.twiml.VoiceResponse>['say']>[0], string>['language']
>

function validityPeriod(seconds: number): number {
  return Math.min(Math.max(Math.floor(seconds), VALIDITY.least), VALIDITY.most)
}

function createHttpClient(
  apiUrl: URL,
  {
    timeout = 10_000,
    delay = sleep,
    random = Math.random,
    elapsed = () => performance.now(),
  }: TwilioSenderOptions,
): InstanceType<typeof twilio.RequestClient> {
  class HttpClient extends twilio.RequestClient {
    constructor() {
      // A connection that was closed while idle would cost somebody their code: what was reset is
      // never sent again.
      super({ timeout, keepAlive: false, maxSockets: 100, autoRetry: false })
      this.axios.defaults.maxContentLength = 1_000_000
      this.axios.interceptors.request.use((request) => ({
        ...request,
        // The SDK's own timeout starts again with each byte.
        signal: AbortSignal.timeout(Math.ceil(request.timeout ?? timeout)),
      }))
    }

    override async request<T>(given: Parameters<RequestOf<T>>[0]): ReturnType<RequestOf<T>> {
      const opts = { ...given, uri: rebased(given.uri, apiUrl) }
      const started = elapsed()
      try {
        const answer = await super.request<T>({ ...opts, timeout })
        if (!isRateLimit(answer)) return answer
        const pause = 250 + random() * 750
        const left = timeout - (elapsed() - started) - pause
        // With less, the answer would be given up on while Twilio takes the message.
        if (left < timeout / 5) return answer
        await delay(pause)
        return await super.request<T>({ ...opts, timeout: left })
      } finally {
        // They hold the number, the code and the Authorization header.
        delete this.lastRequest
        delete this.lastResponse
      }
    }
  }
  return new HttpClient()
}

type RequestOf<T> = typeof twilio.RequestClient.prototype.request<T>

// Always, or the SDK's TWILIO_EDGE and TWILIO_REGION would choose the host.
function rebased(uri: string, apiUrl: URL): string {
  const { pathname, search } = new URL(uri)
  return `${apiUrl.origin}${apiUrl.pathname.replace(/\/+$/, '')}${pathname}${search}`
}

/** Twilio refused for want of room; with another code (21611) it would refuse again. */
function isRateLimit({ statusCode, body }: { statusCode: number; body: unknown }): boolean {
  const code = typeof body === 'object' && body !== null && 'code' in body ? body.code : undefined
  return statusCode === 429 && (code === 20429 || code === undefined)
}
