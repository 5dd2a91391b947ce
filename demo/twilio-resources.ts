import { smsSegments } from '../proxy/sms/segments.ts'

/** A message as Twilio's API shows it (`api.v2010.account.message`). */
export type MessageResource = ReturnType<typeof messageResource>

/** The message that a form makes; `sid` is `SM` and 32 hex digits. */
export function messageResource(
  form: URLSearchParams,
  { accountSid, sid, now }: { accountSid: string; sid: string; now: Date },
) {
  const body = form.get('Body') ?? ''
  const service = form.get('MessagingServiceSid')
  const uri = `/2010-04-01/Accounts/${accountSid}/Messages/${sid}`
  return {
    account_sid: accountSid,
    api_version: '2010-04-01',
    body,
    date_created: rfc2822(now),
    date_sent: null,
    date_updated: rfc2822(now),
    direction: 'outbound-api',
    error_code: null,
    error_message: null,
    from: form.get('From'),
    messaging_service_sid: service,
    num_media: '0',
    num_segments: String(smsSegments(body).segments),
    price: null,
    price_unit: null,
    sid,
    status: service === null ? 'queued' : 'accepted',
    subresource_uris: { media: `${uri}/Media.json` },
    to: form.get('To'),
    uri: `${uri}.json`,
  }
}

/** The newest messages, as the list of messages shows one page. */
export function messagePage(
  accountSid: string,
  messages: readonly MessageResource[],
  size: number,
) {
  const uri = `/2010-04-01/Accounts/${accountSid}/Messages.json?PageSize=${size}&Page=0`
  const shown = messages.slice(0, size)
  return {
    end: Math.max(shown.length - 1, 0),
    first_page_uri: uri,
    messages: shown,
    next_page_uri: null,
    page: 0,
    page_size: size,
    previous_page_uri: null,
    start: 0,
    uri,
  }
}

/** The account as Twilio's API shows it (`api.v2010.account`), with its token, as Twilio does. */
export function accountResource(account: {
  sid: string
  authToken: string
  status: string
  type: string
  now: Date
}) {
  const uri = `/2010-04-01/Accounts/${account.sid}`
  return {
    auth_token: account.authToken,
    date_created: rfc2822(account.now),
    date_updated: rfc2822(account.now),
    friendly_name: 'Stand-in',
    owner_account_sid: account.sid,
    sid: account.sid,
    status: account.status,
    subresource_uris: { messages: `${uri}/Messages.json` },
    type: account.type,
    uri: `${uri}.json`,
  }
}

function rfc2822(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000')
}
