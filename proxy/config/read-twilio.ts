import type { Config, Secrets, SmsFrom } from './config.ts'
import { isLoopbackHost } from './loopback.ts'
import { countryOf } from './parse-countries.ts'
import { isPublicHost } from './public-host.ts'
import type { Report, Settings, Warn } from './settings.ts'
import { fullName, VARIABLE_NAMES } from './variables.ts'

type Twilio = Pick<Config, 'twilio' | 'smsCountries' | 'voiceCountries'> &
  Pick<Secrets, 'twilioSecret' | 'twilioToken'>

/** The account, who sends and calls, with which credentials and to which countries. */
export function readTwilio(settings: Settings, report: Report, warn: Warn): Twilio | undefined {
  const { TWILIO_SID: accountSid, TWILIO_API_URL: apiUrl, TWILIO_TOKEN: token } = settings.values
  const { TWILIO_FALLBACK_FROM: fallbackFrom } = settings.values
  const from = readFrom(settings, report)
  if (from && isSame(from, fallbackFrom)) {
    report('TWILIO_FALLBACK_FROM', 'is the first sender itself; name another one, or none')
  }
  const credentials = readCredentials(settings, report)
  const smsCountries = readCountries(settings, report)
  const voiceFrom = readVoiceFrom(settings, warn)
  if (apiUrl?.protocol === 'http:' && !isLoopbackHost(apiUrl.hostname)) {
    warn('STEPGATE_TWILIO_API_URL is http: the credentials, codes and numbers travel in the clear')
  }
  if (accountSid === undefined || !from || !credentials || !smsCountries) return undefined
  const { apiKeySid, twilioSecret } = credentials
  return {
    twilio: {
      accountSid,
      from,
      ...(fallbackFrom && { fallbackFrom }),
      ...(voiceFrom !== undefined && { voiceFrom }),
      ...(apiKeySid && { apiKeySid }),
      ...(apiUrl && { apiUrl }),
      ...readCallback(settings, warn),
    },
    smsCountries,
    voiceCountries: settings.values.VOICE_COUNTRIES ?? smsCountries,
    twilioSecret,
    ...(token !== undefined && { twilioToken: token }),
  }
}

/** Where Twilio is to report deliveries, if what it says can be checked and it can get here. */
function readCallback(
  {
    given,
    values: { TWILIO_TOKEN: token, TWILIO_API_URL: apiUrl, PUBLIC_URL: publicUrl },
  }: Settings,
  warn: Warn,
): { statusCallback?: URL } {
  if (token === undefined) {
    if (!given.has('TWILIO_API_KEY_SID')) return {}
    warn(
      "STEPGATE_TWILIO_TOKEN is not set: an API key can't check what Twilio reports, so nobody learns whether a message arrived",
    )
    return {}
  }
  if (publicUrl === undefined) return {}
  // Twilio refuses messages that name an address it can't reach (21609); a stand-in reaches all.
  const isLocal = apiUrl !== undefined && isLoopbackHost(apiUrl.hostname)
  if (!isPublicHost(publicUrl.hostname) && !isLocal) return {}
  return { statusCallback: new URL('/_stepgate/twilio/status', publicUrl) }
}

function isSame(one: SmsFrom, other: SmsFrom | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function readFrom({ given, values }: Settings, report: Report): SmsFrom | undefined {
  const { TWILIO_FROM_NUMBER: number, TWILIO_MESSAGING_SERVICE_SID: sid } = values
  const [hasNumber, hasService] = [
    given.has('TWILIO_FROM_NUMBER'),
    given.has('TWILIO_MESSAGING_SERVICE_SID'),
  ]
  if (hasNumber && hasService) {
    report(
      'TWILIO_MESSAGING_SERVICE_SID',
      'is set, and so is STEPGATE_TWILIO_FROM_NUMBER; keep one of the two',
    )
  }
  if (!hasNumber && !hasService) {
    report('TWILIO_FROM_NUMBER', 'is not set, nor is STEPGATE_TWILIO_MESSAGING_SERVICE_SID')
  }
  if (number !== undefined) return { kind: 'number', number }
  return sid === undefined ? undefined : { kind: 'service', sid }
}

/** Short codes, alphanumeric senders and messaging services can't call. */
function readVoiceFrom({ given, values }: Settings, warn: Warn): string | undefined {
  const caller = values.TWILIO_VOICE_FROM ?? values.TWILIO_FROM_NUMBER
  if (caller?.startsWith('+')) return caller
  const idle = VARIABLE_NAMES.filter((name) => name.startsWith('VOICE_') && given.has(name))
  if (idle.length > 0) {
    warn(
      `${idle.map(fullName).join(', ')}: not used, as STEPGATE_TWILIO_VOICE_FROM names no caller`,
    )
  }
  return undefined
}

function readCredentials(
  { given, values }: Settings,
  report: Report,
): { apiKeySid?: string; twilioSecret: string } | undefined {
  const { TWILIO_API_KEY_SID: apiKeySid, TWILIO_API_KEY_SECRET: keySecret } = values
  const hasKey = given.has('TWILIO_API_KEY_SID')
  const hasKeySecret = given.has('TWILIO_API_KEY_SECRET')
  if (hasKey && !hasKeySecret) {
    report('TWILIO_API_KEY_SECRET', 'is not set, but STEPGATE_TWILIO_API_KEY_SID is')
  }
  if (hasKeySecret && !hasKey) {
    report('TWILIO_API_KEY_SID', 'is not set, but STEPGATE_TWILIO_API_KEY_SECRET is')
  }
  if (hasKey || hasKeySecret) {
    return apiKeySid && keySecret ? { apiKeySid, twilioSecret: keySecret } : undefined
  }
  if (!given.has('TWILIO_TOKEN')) {
    report('TWILIO_TOKEN', 'is not set, nor is STEPGATE_TWILIO_API_KEY_SID')
  }
  return values.TWILIO_TOKEN ? { twilioSecret: values.TWILIO_TOKEN } : undefined
}

function readCountries(
  { given, values }: Settings,
  report: Report,
): Config['smsCountries'] | undefined {
  if (given.has('SMS_COUNTRIES')) return values.SMS_COUNTRIES
  const number = values.TWILIO_FROM_NUMBER
  const country = number === undefined ? undefined : countryOf(number)
  if (country) return [country]
  if (number !== undefined) {
    report('SMS_COUNTRIES', `is not set, and ${JSON.stringify(number)} belongs to no one country`)
  } else if (given.has('TWILIO_MESSAGING_SERVICE_SID') && !given.has('TWILIO_FROM_NUMBER')) {
    report('SMS_COUNTRIES', 'is not set, and a messaging service belongs to no one country')
  }
  return undefined
}
