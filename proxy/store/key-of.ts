import { hash } from 'node:crypto'

/**
 * The key of what `parts` name, for one purpose: `purpose:` and 43 characters of SHA-256 in
 * base64url. Different parts never meet in one key, and a subject or a phone number does not stand
 * in the store in clear (whoever has the file can still try all numbers).
 */
export function keyOf(purpose: string, ...parts: string[]): string {
  // JSON keeps parts apart whatever they contain, a lone surrogate too.
  return `${purpose}:${hash('sha256', JSON.stringify([purpose, ...parts]), 'base64url')}`
}
