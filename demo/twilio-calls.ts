import { type TwilioError, twilioError } from './twilio-errors.ts'

// https://www.twilio.com/docs/iam/test-credentials, of calls; Twilio knows them with those only.
const TEST_TO: Readonly<Record<string, number>> = {
  '+15005550001': 21217,
  '+15005550002': 21214,
  '+15005550003': 21215,
  '+15005550004': 21216,
}
const TEST_FROM: Readonly<Record<string, number>> = {
  '+15005550001': 21212,
  '+15005550007': 21210,
}

const E164 = /^\+[1-9]\d{6,14}$/
const MAX_TWIML = 4000

/** What is wrong with the form of a call, in the order in which Twilio looks; undefined: nothing. */
export function callProblem(form: URLSearchParams): TwilioError | undefined {
  const [to = '', from = '', twiml = ''] = ['To', 'From', 'Twiml'].map(
    (name) => form.get(name) ?? '',
  )
  const wrong = (code: number) => twilioError(400, code)
  if (to === '') return wrong(21201)
  if (from === '') return wrong(21213)
  if (twiml === '') return wrong(21205)
  if (twiml.length > MAX_TWIML) return wrong(20001)
  if (!E164.test(from)) return wrong(21212)
  if (!E164.test(to)) return wrong(21211)
  const code = TEST_FROM[from] ?? TEST_TO[to]
  return code === undefined ? undefined : wrong(code)
}

/** What somebody who answers hears: the text of each Say, one after another. */
export function spokenText(twiml: string): string {
  const says = twiml.matchAll(/<Say\b(?:"[^"]*"|[^">])*>([^<]*)<\/Say>/g)
  return [...says].map(([, text = '']) => unescapeXml(text)).join(' ')
}

const ENTITIES: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
}

function unescapeXml(text: string): string {
  return text.replace(/&(\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole)
}

/** A call as Twilio's API shows it (`api.v2010.account.call`). */
export type CallResource = ReturnType<typeof callResource>

/** The call that a form makes. */
export function callResource(
  form: URLSearchParams,
  { accountSid, sid }: { accountSid: string; sid: string },
) {
  const uri = `/2010-04-01/Accounts/${accountSid}/Calls/${sid}`
  const parts = ['Notifications', 'Recordings', 'Payments', 'Events', 'Siprec', 'Streams']
  return {
    account_sid: accountSid,
    answered_by: null,
    api_version: '2010-04-01',
    caller_name: null,
    date_created: null,
    date_updated: null,
    direction: 'outbound-api',
    duration: null,
    end_time: null,
    forwarded_from: null,
    from: form.get('From'),
    from_formatted: form.get('From'),
    group_sid: null,
    parent_call_sid: null,
    phone_number_sid: null,
    price: null,
    price_unit: 'USD',
    queue_time: '0',
    sid,
    start_time: null,
    status: 'queued',
    subresource_uris: Object.fromEntries(
      parts.map((part) => [part.toLowerCase(), `${uri}/${part}.json`]),
    ),
    to: form.get('To'),
    to_formatted: form.get('To'),
    trunk_sid: null,
    uri: `${uri}.json`,
  }
}
