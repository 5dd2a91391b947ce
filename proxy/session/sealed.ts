import { hkdfSync } from 'node:crypto'
import { sealData, unsealData } from 'iron-session'
import { CLOCK_SKEW } from './session.ts'

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject

/** What JSON can say; an absent property may be undefined. */
export type JsonObject = { readonly [name: string]: JsonValue | undefined }

/** Encrypts and signs values for one purpose (`typ`) each, until a moment (epoch ms). */
export type Sealer = {
  /** Characters that may stand in a cookie or a URL's query; throws `SealTooLongError`. */
  seal(typ: string, value: JsonValue, expiresAt: number, now: number): Promise<string>
  /**
   * The value, if this was sealed for `typ` with one of our secrets and has not expired; undefined
   * for anything else, whatever it is.
   */
  unseal(typ: string, sealed: string, now: number): Promise<unknown>
}

/** The value is too large to be sealed. */
export class SealTooLongError extends Error {
  readonly code = 'seal_too_long'
  constructor(typ: string, length: number) {
    super(`A seal for ${typ} would have ${length} characters`)
    this.name = 'SealTooLongError'
  }
}

const MAX_LENGTH = 64 * 1024

// One spelling of each seal. iron-session takes anything after `~`, an expiry of its own, and bits
// behind the signature's last that mean nothing.
const FORM =
  /^Fe26\.2\*\d{1,15}\*[0-9a-f]{64}\*[\w-]{22}\*[\w-]+\*\*[0-9a-f]{64}\*[\w-]{42}[AEIMQUYcgkosw048]~2$/

type Passwords = Readonly<Record<string, string>>
type Envelope = { typ: string; iat: number; exp: number; value: JsonValue }

/**
 * A sealer on iron-session (AES-256-CBC, HMAC-SHA-256). The first secret seals, all unseal. Each
 * purpose has its own password, so that a seal for one never opens as another.
 */
export function createSealer(
  secrets: readonly [string, ...string[]],
  maxLength = MAX_LENGTH,
): Sealer {
  const sealing = new Map<string, Passwords>()
  const unsealing = new Map<string, Passwords>()

  return {
    async seal(typ, value, expiresAt, now) {
      const password = remembered(sealing, typ, () => passwordsFor(typ, secrets.slice(0, 1)))
      const envelope: Envelope = { typ, iat: now, exp: expiresAt, value }
      // 0: no expiry by iron-session, whose clock is not ours and whose grace is a minute.
      const sealed = await sealData(envelope, { password, ttl: 0 })
      if (sealed.length > maxLength) throw new SealTooLongError(typ, sealed.length)
      return sealed
    },
    async unseal(typ, sealed, now) {
      if (typeof sealed !== 'string' || sealed.length > maxLength || !FORM.test(sealed))
        return undefined
      const password = remembered(unsealing, typ, () => passwordsFor(typ, secrets))
      const {
        typ: sealedTyp,
        iat,
        exp,
        value,
      } = await unsealData<Partial<Envelope>>(sealed, {
        password,
        ttl: 0,
      })
      if (sealedTyp !== typ || iat === undefined || exp === undefined) return undefined
      return now < exp && iat <= now + CLOCK_SKEW ? value : undefined
    },
  }
}

function remembered(known: Map<string, Passwords>, typ: string, make: () => Passwords): Passwords {
  const passwords = known.get(typ) ?? make()
  known.set(typ, passwords)
  return passwords
}

/** iron-session's map of passwords. A number made of the secret stays the same when others join. */
function passwordsFor(typ: string, secrets: readonly string[]): Passwords {
  return Object.fromEntries(
    secrets.map((secret) => {
      const id = derive(secret, `stepgate seal id ${typ}`, 6).readUIntBE(0, 6)
      return [`${id}`, derive(secret, `stepgate seal ${typ}`, 32).toString('base64url')]
    }),
  )
}

function derive(secret: string, info: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', info, length))
}
