import { createHmac } from 'node:crypto'
import { request } from 'node:http'
import type { CallResource } from './twilio-calls.ts'
import type { MessageResource } from './twilio-resources.ts'

/** What a report is of. */
export type Reportable = MessageResource | CallResource

/** What becomes of a message or call, `after` so many ms from the step before: Twilio's status and error code. */
export type DeliveryStep = {
  readonly status: string
  readonly errorCode?: number
  readonly after?: number
}

/** `X-Twilio-Signature` of a form (https://www.twilio.com/docs/usage/security#validating-requests). */
export function signCallback(authToken: string, url: string, form: URLSearchParams): string {
  const fields = [...form].sort(([a], [b]) => (a < b ? -1 : 1))
  const text = url + fields.map(([name, value]) => name + value).join('')
  return createHmac('sha1', authToken).update(text).digest('base64')
}

/** The form that Twilio posts when a message's status changes. */
export function messageForm(
  message: MessageResource,
  { status, errorCode }: DeliveryStep,
): URLSearchParams {
  return new URLSearchParams({
    ...(errorCode !== undefined && { ErrorCode: String(errorCode) }),
    SmsSid: message.sid,
    SmsStatus: status,
    MessageStatus: status,
    To: message.to ?? '',
    ...(message.messaging_service_sid !== null && {
      MessagingServiceSid: message.messaging_service_sid,
    }),
    MessageSid: message.sid,
    AccountSid: message.account_sid,
    ...(message.from !== null && { From: message.from }),
    ApiVersion: message.api_version,
  })
}

/**
 * The form that Twilio posts when a call is over
 * (https://www.twilio.com/docs/voice/api/call-resource#statuscallback).
 */
export function callForm(call: CallResource, { status }: DeliveryStep): URLSearchParams {
  const duration = status === 'completed' ? '30' : '0'
  return new URLSearchParams({
    CallSid: call.sid,
    AccountSid: call.account_sid,
    From: call.from ?? '',
    To: call.to ?? '',
    CallStatus: status,
    ApiVersion: call.api_version,
    Direction: call.direction,
    CallDuration: duration,
    CallbackSource: 'call-progress-events',
    SequenceNumber: '0',
  })
}

/** Posts a form as Twilio does and answers the status; rejects when nobody is there. */
export function postCallback(
  url: string,
  form: URLSearchParams,
  signature: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      'user-agent': 'TwilioProxy/1.1',
      'x-twilio-signature': signature,
    }
    const outgoing = request(url, { method: 'POST', headers, agent: false }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0))
    })
    outgoing.once('error', reject).end(form.toString())
  })
}
