import twilio from 'twilio'

/** Whether Twilio signed this form for our address; undefined: without a signature. */
export type SignatureCheck = (signature: string | undefined, form: URLSearchParams) => boolean

/**
 * Checks `X-Twilio-Signature` with the account's auth token, for the address that Twilio was given,
 * whatever the request says of its own
 * (https://www.twilio.com/docs/usage/security#validating-requests).
 */
export function createSignatureCheck(authToken: string, url: URL): SignatureCheck {
  return (signature, form) => {
    if (signature === undefined || signature === '') return false
    const fields = Object.fromEntries(
      [...new Set(form.keys())].map((name) => [name, form.getAll(name)]),
    )
    return twilio.validateRequest(authToken, signature, url.href, fields)
  }
}
