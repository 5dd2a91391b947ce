import { randomBytes, randomInt } from 'node:crypto'

/** Where ids and codes come from; a test passes its own. */
export type Random = {
  /** 256 bits in base64url. */
  id(): string
  /** A code of `length` decimal digits, each equally likely. */
  digits(length: number): string
}

/** The operating system's CSPRNG (NIST SP 800-63B-4 §3.1.3.1 asks for an approved generator). */
export const systemRandom: Random = {
  id: () => randomBytes(32).toString('base64url'),
  digits: (length) => Array.from({ length }, () => randomInt(10)).join(''),
}
