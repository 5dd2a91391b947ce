import type { SmsFrom } from './config.ts'
import { parseCountries } from './parse-countries.ts'
import { parseLimit, parseShare } from './parse-limit.ts'
import { parseApiUrl } from './parse-url.ts'
import { ok, type Parsed, parsedBy, wrong } from './parsed.ts'
import { duration, matching, token, wholeNumber } from './schemas.ts'
import { defaulted, optional, required } from './variable.ts'

const NUMBER = /^(\+[1-9]\d{6,14}|\d{3,8}|(?=.*[a-z])[a-z\d +&_-]{1,11})$/i
const SERVICE = /^MG[0-9a-f]{32}$/i

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
    doc: "Auth token of the account, Gluu's `twilio_token`; may be left out with an API key. Twilio's reports of deliveries are checked with it: without it nobody learns whether a message arrived.",
    defaultNote: 'required without an API key',
    example: 'the-auth-token-of-the-account',
    secret: true,
  }),
  TWILIO_FROM_NUMBER: optional(
    matching(
      NUMBER,
      'it must be a number with + and its country code, a short code of 3 to 8 digits, or an alphanumeric sender of at most 11 characters',
    ),
    {
      doc: "Sender of the SMS, Gluu's `from_number`: a number in E.164, a short code or an alphanumeric sender.",
      defaultNote: 'one of the two',
      example: '+12025550123',
    },
  ),
  TWILIO_MESSAGING_SERVICE_SID: optional(
    matching(SERVICE, 'a messaging service SID is MG and 32 hexadecimal digits'),
    {
      doc: 'Messaging service that sends the SMS, instead of a number.',
      defaultNote: 'one of the two',
      example: `MG${'x'.repeat(32)}`,
      unquoted: true,
    },
  ),
  TWILIO_FALLBACK_FROM: optional(
    parsedBy((text): Parsed<SmsFrom> => {
      if (SERVICE.test(text)) return ok({ kind: 'service', sid: text })
      if (NUMBER.test(text)) return ok({ kind: 'number', number: text })
      return wrong(
        'it must be a number with + and its country code, a short code, an alphanumeric sender of at most 11 characters, or the SID of a messaging service',
      )
    }),
    {
      doc: 'Second sender, a number or a messaging service: used at once when Twilio refuses to send, or to call, from the first, and never when a message may already be on its way.',
      example: '+12025550187',
    },
  ),
  TWILIO_VOICE_FROM: optional(
    matching(/^(\+[1-9]\d{6,14}|off)$/i, 'it must be a number with + and its country code, or off'),
    {
      doc: 'Number that calls people who ask for their code by a call; `off`: nobody is called.',
      defaultNote: 'the from-number; `off` where it can’t call',
      example: '+12025550123',
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
    doc: 'ISO codes of the countries that may be texted; others are refused before sending. A number without `+` is national in the first, or international: one that could be both is used only if one is clearly meant.',
    defaultNote: "the from-number's country",
    example: 'US,CA',
  }),
  SMS_LIMIT_PERSON: defaulted(parsedBy(parseLimit), '10/15m,100/1d', {
    doc: 'Messages to one person: `10/15m,100/1d` is ten in 15 minutes and a hundred in a day. In windows shorter than a day what ends in a right code is taken back.',
    example: '10/15m,100/1d',
  }),
  SMS_LIMIT_NUMBER: defaulted(parsedBy(parseLimit), '10/15m,100/1d', {
    doc: 'Messages to one number, whoever asks for them; counted as those to a person.',
    example: '10/15m,100/1d',
  }),
  SMS_LIMIT_ADDRESS: defaulted(parsedBy(parseLimit), '300/15m', {
    doc: 'Messages asked for from one client address, of IPv6 from one /64, that do not end in a right code.',
    example: '300/15m',
  }),
  SMS_LIMIT_PREFIX: defaulted(parsedBy(parseLimit), '10/1d', {
    doc: 'Messages to unknown numbers that are alike but for their last four digits, that do not end in a right code. A number is unknown when its person has not used a code that went to it for 30 days. Each that becomes known allows its prefix one more that day.',
    example: '10/1d',
  }),
  SMS_LIMIT_UNKNOWN: defaulted(parsedBy(parseLimit), '200/1d', {
    doc: 'Messages to all unknown numbers together that do not end in a right code. Beyond it somebody is pumping, and a prefix gets two.',
    example: '200/1d',
  }),
  SMS_BUDGET: defaulted(wholeNumber(1, 100_000_000), '10000', {
    doc: 'Messages of the whole installation in a day, verified or not. Nobody is sent more; at 80 % the log has `sms.budget_warning`, then `sms.budget_spent`.',
    example: '10000',
  }),
  SMS_VERIFIED_ALARM: defaulted(parsedBy(parseShare), '50%', {
    doc: 'When less of an hour’s codes than this are used, the log has `sms.pumping_suspected`; `0%`: never.',
    example: '50%',
  }),
  VOICE_COUNTRIES: optional(parsedBy(parseCountries), {
    doc: 'ISO codes of the countries that may be called; others are refused before calling.',
    defaultNote: '`STEPGATE_SMS_COUNTRIES`',
    example: 'US,CA',
  }),
  VOICE_LIMIT_PERSON: defaulted(parsedBy(parseLimit), '5/15m,30/1d', {
    doc: 'Calls to one person; counted apart from messages, and in the same way.',
    example: '5/15m,30/1d',
  }),
  VOICE_LIMIT_NUMBER: defaulted(parsedBy(parseLimit), '5/15m,30/1d', {
    doc: 'Calls to one number, whoever asks for them.',
    example: '5/15m,30/1d',
  }),
  VOICE_LIMIT_ADDRESS: defaulted(parsedBy(parseLimit), '100/15m', {
    doc: 'Calls asked for from one client address that do not end in a right code.',
    example: '100/15m',
  }),
  VOICE_LIMIT_PREFIX: defaulted(parsedBy(parseLimit), '5/1d', {
    doc: 'Calls to unknown numbers that are alike but for their last four digits, that do not end in a right code.',
    example: '5/1d',
  }),
  VOICE_LIMIT_UNKNOWN: defaulted(parsedBy(parseLimit), '50/1d', {
    doc: 'Calls to all unknown numbers together that do not end in a right code. Beyond it a prefix gets two.',
    example: '50/1d',
  }),
  VOICE_BUDGET: defaulted(wholeNumber(1, 100_000_000), '1000', {
    doc: 'Calls of the whole installation in a day; the log has `voice.budget_warning` and `voice.budget_spent`.',
    example: '1000',
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
