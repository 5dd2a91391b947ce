import { parseCountries } from './parse-countries.ts'
import { parseApiUrl } from './parse-url.ts'
import { parsedBy } from './parsed.ts'
import { duration, matching, token, wholeNumber } from './schemas.ts'
import { defaulted, optional, required } from './variable.ts'

/** The code and the SMS that carries it. */
export const CODE = {
  TWILIO_SID: required(
    matching(/^AC[0-9a-f]{32}$/i, 'an account SID is AC and 32 hexadecimal digits'),
    {
      doc: "Twilio account SID, Gluu's `twilio_sid`.",
      example: `AC${'x'.repeat(32)}`,
      unquoted: true,
    },
  ),
  TWILIO_TOKEN: optional(token, {
    doc: "Auth token of the account, Gluu's `twilio_token`; may be left out with an API key.",
    defaultNote: 'required without an API key',
    example: 'the-auth-token-of-the-account',
    secret: true,
  }),
  TWILIO_FROM_NUMBER: optional(
    matching(
      /^(\+[1-9]\d{6,14}|\d{3,8}|(?=.*[a-z])[a-z\d +&_-]{1,11})$/i,
      'it must be a number with + and its country code, a short code of 3 to 8 digits, or an alphanumeric sender of at most 11 characters',
    ),
    {
      doc: "Sender of the SMS, Gluu's `from_number`: a number in E.164, a short code or an alphanumeric sender.",
      defaultNote: 'one of the two',
      example: '+12025550123',
    },
  ),
  TWILIO_MESSAGING_SERVICE_SID: optional(
    matching(/^MG[0-9a-f]{32}$/i, 'a messaging service SID is MG and 32 hexadecimal digits'),
    {
      doc: 'Messaging service that sends the SMS, instead of a number.',
      defaultNote: 'one of the two',
      example: `MG${'x'.repeat(32)}`,
      unquoted: true,
    },
  ),
  TWILIO_API_KEY_SID: optional(
    matching(/^SK[0-9a-f]{32}$/i, 'an API key SID is SK and 32 hexadecimal digits'),
    {
      doc: 'API key for calls to Twilio, instead of the auth token.',
      example: `SK${'x'.repeat(32)}`,
      unquoted: true,
    },
  ),
  TWILIO_API_KEY_SECRET: optional(token, {
    doc: 'Secret of that API key.',
    example: 'the-secret-of-the-api-key',
    secret: true,
  }),
  TWILIO_API_URL: optional(parsedBy(parseApiUrl), {
    doc: "Another base URL than Twilio's own: an egress proxy, or a stand-in for tests.",
    defaultNote: "Twilio's",
    example: 'https://twilio.egress.example.com',
  }),
  SMS_COUNTRIES: optional(parsedBy(parseCountries), {
    doc: 'ISO codes of the countries that may be texted; others are refused before sending. Numbers without a country code are read as of the first.',
    defaultNote: "the from-number's country",
    example: 'US,CA',
  }),
  OTP_LENGTH: defaulted(wholeNumber(6, 10), '6', {
    doc: 'Digits of a code, 6 to 10.',
    example: '6',
  }),
  OTP_TTL: defaulted(duration('30s', '10m'), '5m', {
    doc: 'How long a code works, 30 seconds to 10 minutes.',
    example: '5m',
  }),
  OTP_ATTEMPTS: defaulted(wholeNumber(1, 10), '5', {
    doc: 'Guesses at one code, 1 to 10.',
    example: '5',
  }),
} as const
