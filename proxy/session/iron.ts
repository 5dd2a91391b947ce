/**
 * Iron's sealing (https://hapi.dev/module/iron/api): AES-256-CBC, then HMAC-SHA-256, each with a key of
 * its own made from a password and a salt. A password's id stands in the seal. No seal has an expiry.
 */
export type Iron = {
  seal(value: object, id: string, password: string): Promise<string>
  /** The object of a seal by one of these passwords; an empty one for anything else. */
  unseal(sealed: string, passwords: Readonly<Record<string, string>>): Promise<object>
}
