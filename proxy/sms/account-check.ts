import type { PartCheck } from '../part-check.ts'
import type { TwilioFailure } from './outcome.ts'

/** Where and as whom Twilio was asked, for sentences that name what to correct. */
export type CheckedAs = {
  readonly credentials: 'token' | 'api-key'
  readonly origin: string
}

/** The variables that hold the credentials, as a sentence names them. */
export function credentialNames(credentials: CheckedAs['credentials']): string {
  return credentials === 'token'
    ? 'STEPGATE_TWILIO_SID and STEPGATE_TWILIO_TOKEN'
    : 'STEPGATE_TWILIO_SID, STEPGATE_TWILIO_API_KEY_SID and STEPGATE_TWILIO_API_KEY_SECRET'
}

/** Words for an account that could be read (`status` and `type` as Twilio's Account resource has them). */
export function accountCheck(account: {
  readonly status: unknown
  readonly type: unknown
}): PartCheck {
  const { status, type } = account
  if (status === 'suspended' || status === 'closed') {
    return problem(
      `Twilio accepts the credentials, but the account of STEPGATE_TWILIO_SID is ${status}: nothing can be sent until it is active again (look at its balance and notices in the Twilio Console)`,
    )
  }
  if (status !== 'active') return problem('Twilio did not say that the account is active')
  return type === 'Trial'
    ? ok(
        'Twilio accepts the credentials; it is a trial account, which reaches only numbers that are verified in the Twilio Console',
      )
    : ok('Twilio accepts the credentials and the account is active')
}

/** Words for an API key that works but may not read the account, as is usual for all but main keys. */
export function keyCheck(): PartCheck {
  return ok(
    'Twilio accepts the API key; the key may not read the account, so whether it is active is not known',
  )
}

/** Words for a check that failed: which variable is wrong, and what to do. */
export function failureCheck(failure: TwilioFailure, asked: CheckedAs): PartCheck {
  const { code, status, network } = failure
  const names = credentialNames(asked.credentials)
  if (code === 20008) {
    return problem(
      `${names} are Twilio's test credentials: Twilio would take every message and deliver none. Use the live ones`,
    )
  }
  if (status === 404) {
    return code === 20404
      ? problem('Twilio knows no account with the SID in STEPGATE_TWILIO_SID, or not for this key')
      : notTwilio(asked.origin, 404)
  }
  if (code === 10001 || code === 20005 || code === 20403) {
    return problem(`The Twilio account of STEPGATE_TWILIO_SID is not active (Twilio's ${code})`)
  }
  if (status === 401 || status === 403) {
    return problem(
      asked.credentials === 'token'
        ? `Twilio does not accept ${names}: one of them is wrong, or the token was changed. Copy both from the Twilio Console`
        : `Twilio does not accept ${names}: one is wrong, the key was revoked or belongs to another account, or a restricted key may not read messages`,
    )
  }
  if (status === 429) return problem('Twilio says that it was asked too often; try again later')
  if (status !== undefined && status >= 500) {
    return problem(`Twilio can't answer now (HTTP ${status}); try again later`)
  }
  if (status !== undefined || !network) return notTwilio(asked.origin, status)
  const said = network === 'ETIMEDOUT' ? 'no answer in time' : network
  return problem(
    `Twilio was not reached at ${asked.origin} (${said}); look at the way out to the internet, or at STEPGATE_TWILIO_API_URL if it is set`,
  )
}

function notTwilio(origin: string, status: number | undefined): PartCheck {
  const said = status === undefined ? '' : ` (HTTP ${status})`
  return problem(
    `What answers at ${origin} is not Twilio's API${said}; look at STEPGATE_TWILIO_API_URL`,
  )
}

function ok(detail: string): PartCheck {
  return { kind: 'ok', detail }
}

function problem(detail: string): PartCheck {
  return { kind: 'problem', detail }
}
