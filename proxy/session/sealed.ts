import { hkdfSync } from 'node:crypto'
import type { Iron } from './iron.ts'
import { ironHapi } from './iron-hapi.ts'
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
  /** As `unseal`, but of any time: for what may restrict somebody, never for what grants. */
  unsealPast(typ: string, sealed: string): Promise<unknown>
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
type Sealing = { readonly id: string; readonly password: string }
type Envelope = { typ: string; iat: number; exp: number; value: JsonValue }

/**
 * A sealer in Iron's form (AES-256-CBC, HMAC-SHA-256). The first secret seals, all unseal. Each
 * purpose has its own password, so that a seal for one never opens as another.
 */
export function createSealer(
  secrets: readonly [string, ...string[]],
  { iron = ironHapi, maxLength = MAX_LENGTH }: { iron?: Iron; maxLength?: number } = {},
): Sealer {
  const sealing = new Map<string, Sealing>()
  const unsealing = new Map<string, Passwords>()

  async function open(typ: string, sealed: string): Promise<Envelope | undefined> {
    if (typeof sealed !== 'string' || sealed.length > maxLength || !FORM.test(sealed))
      return undefined
    const passwords = remembered(unsealing, typ, () => passwordsFor(typ, secrets))
    const unsealed: Partial<Envelope> = await iron.unseal(sealed, passwords)
    const { typ: sealedTyp, iat, exp, value } = unsealed
    if (sealedTyp !== typ || iat === undefined || exp === undefined) return undefined
    return value === undefined ? undefined : { typ, iat, exp, value }
  }

  return {
    async seal(typ, value, expiresAt, now) {
      const { id, password } = remembered(sealing, typ, () => sealingFor(typ, secrets[0]))
      const envelope: Envelope = { typ, iat: now, exp: expiresAt, value }
      const sealed = await iron.seal(envelope, id, password)
      if (sealed.length > maxLength) throw new SealTooLongError(typ, sealed.length)
      return sealed
    },
    async unseal(typ, sealed, now) {
      const envelope = await open(typ, sealed)
      if (envelope === undefined) return undefined
      const { iat, exp, value } = envelope
      return now < exp && iat <= now + CLOCK_SKEW ? value : undefined
    },
    unsealPast: async (typ, sealed) => (await open(typ, sealed))?.value,
  }
}

function remembered<T>(known: Map<string, T>, typ: string, make: () => T): T {
  const made = known.get(typ) ?? make()
  known.set(typ, made)
  return made
}

function passwordsFor(typ: string, secrets: readonly string[]): Passwords {
  const all = secrets.map((secret) => sealingFor(typ, secret))
  return Object.fromEntries(all.map(({ id, password }) => [id, password]))
}

/** A number made of the secret stays the same when others join. */
function sealingFor(typ: string, secret: string): Sealing {
  const id = derive(secret, `stepgate seal id ${typ}`, 6).readUIntBE(0, 6)
  return { id: `${id}`, password: derive(secret, `stepgate seal ${typ}`, 32).toString('base64url') }
}

function derive(secret: string, info: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', info, length))
}
