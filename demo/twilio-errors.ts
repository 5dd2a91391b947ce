/** Twilio's error body (https://www.twilio.com/docs/usage/twilios-response#response-formats-exceptions). */
export type TwilioError = { code: number; message: string; more_info: string; status: number }

const MESSAGES: Readonly<Record<number, string>> = {
  20003: 'Authenticate',
  20004: 'Method not allowed',
  20404: 'The requested resource was not found',
  20429: 'Too Many Requests',
  20500: 'Internal Server Error',
  21201: "No 'To' number is specified",
  21205: 'Url parameter is required.',
  21210: "'From' phone number not verified",
  21211: "Invalid 'To' Phone Number",
  21212: "Invalid 'From' Number",
  21213: "'From' phone number is required",
  21214: "'To' phone number cannot be reached",
  21215:
    'Account not authorized to call the number. Perhaps you need to enable some international permissions',
  21216: 'Account not allowed to call the number',
  21217: 'Phone number does not appear to be valid',
  21408: 'Permission to send an SMS has not been enabled for the region',
  21602: 'Message body is required.',
  21603: "A 'From' phone number is required.",
  21604: "A 'To' phone number is required.",
  21606: "The 'From' phone number is not a valid, message-capable Twilio phone number",
  21610: 'Attempt to send to unsubscribed recipient',
  21611: "This 'From' number has exceeded the maximum number of queued messages",
  21612: "The 'To' phone number is not currently reachable",
  21614: "'To' number is not a valid mobile number",
  21617: 'The concatenated message body exceeds the 1600 character limit',
  21705: 'The Messaging Service is invalid',
}

/** An error as Twilio words it, without what was sent. */
export function twilioError(status: number, code: number, message = MESSAGES[code]): TwilioError {
  return {
    code,
    message: message ?? `Error ${code}`,
    more_info: `https://www.twilio.com/docs/errors/${code}`,
    status,
  }
}

const STATUS: Readonly<Record<number, number>> = {
  10001: 403,
  20003: 401,
  20004: 405,
  20005: 403,
  20403: 403,
  20404: 404,
  20429: 429,
  20500: 500,
  20503: 503,
  21408: 403,
  21611: 429,
}

/** The HTTP status that comes with an error; 201 for those that Twilio finds later. */
export function statusOf(code: number): number {
  return STATUS[code] ?? (code >= 30_000 && code < 40_000 ? 201 : 400)
}

// https://www.twilio.com/docs/iam/test-credentials; Twilio knows them with test credentials only.
const TEST_TO: Readonly<Record<string, number>> = {
  '+15005550001': 21211,
  '+15005550002': 21612,
  '+15005550003': 21408,
  '+15005550004': 21610,
  '+15005550009': 21614,
}
const TEST_FROM: Readonly<Record<string, number>> = {
  '+15005550001': 21212,
  '+15005550007': 21606,
  '+15005550008': 21611,
}

/** What is wrong with the form of a message, in the order in which Twilio looks; undefined: nothing. */
export function messageProblem(form: URLSearchParams): TwilioError | undefined {
  const to = form.get('To') ?? ''
  const from = form.get('From') ?? ''
  const service = form.get('MessagingServiceSid') ?? ''
  const body = form.get('Body') ?? ''
  const wrong = (code: number) => twilioError(statusOf(code), code)
  if (to === '') return wrong(21604)
  if (from === '' && service === '') return wrong(21603)
  if (body === '') return wrong(21602)
  if (body.length > 1600) return wrong(21617)
  if (!/^\+[1-9]\d{6,14}$/.test(to)) return wrong(21211)
  if (service !== '' && !/^MG[0-9a-f]{32}$/i.test(service)) return wrong(21705)
  const code = TEST_FROM[from] ?? TEST_TO[to]
  return code === undefined ? undefined : wrong(code)
}
