import twilio from 'twilio'

/** Whether Twilio signed this form for our address; undefined: without a signature. */
export type SignatureCheck = (signature: string | undefined, form: URLSearchParams) => boolean

// Base64 of a SHA-1.
const SIGNATURE = /^[A-Za-z0-9+/]{27}=$/
// Twilio sends less than half of it.
const MOST_FIELDS = 60

/**
 * Checks `X-Twilio-Signature` with the account's auth token, for the address that Twilio was given,
 * whatever the request says of its own
 * (https://www.twilio.com/docs/usage/security#validating-requests). Anybody may ask: what can't be
 * Twilio's is refused before anything is hashed.
 */
export function createSignatureCheck(authToken: string, url: URL): SignatureCheck {
  return (signature, form) => {
    if (signature === undefined || !SIGNATURE.test(signature)) return false
    if (form.size > MOST_FIELDS) return false
    return twilio.validateRequest(authToken, signature, url.href, fieldsOf(form))
  }
}

function fieldsOf(form: URLSearchParams): Record<string, string[]> {
  const groups = Map.groupBy(form, ([name]) => name)
  return Object.fromEntries(
    [...groups].map(([name, pairs]) => [name, pairs.map(([, value]) => value)]),
  )
}
