import { createECDH, createPrivateKey, hash, hkdfSync, type KeyObject } from 'node:crypto'

/** A public key as applications fetch it (RFC 7517). */
export type PublicKey = {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
  readonly alg: 'ES256'
  readonly use: 'sig'
  /** The thumbprint of RFC 7638. */
  readonly kid: string
}

export type SigningKey = { readonly kid: string; readonly privateKey: KeyObject }

/** The keys of a moment (epoch ms). They are the same in every process with the same secrets. */
export type AssertionKeys = {
  signing(now: number): SigningKey
  /** The one that signs, those that will or may sign next, and those that did before. */
  published(now: number): readonly PublicKey[]
}

/** For how long a key signs (ms). It is published as long before, and as long after. */
export const KEY_PERIOD = 7 * 24 * 60 * 60_000

/**
 * Keys made of the session secrets, another one each week. The first secret's sign, as it seals, and
 * all are published: one that is put behind is known to applications before it is put in front.
 */
export function createAssertionKeys(secrets: readonly [string, ...string[]]): AssertionKeys {
  const made = new Map<string, Pair>()

  function keyOf(secret: string, turn: number): Pair {
    const name = `${turn} ${secret}`
    const pair = made.get(name) ?? makePair(secret, turn)
    // A process may run for years.
    if (made.size > 10 * secrets.length) made.clear()
    made.set(name, pair)
    return pair
  }

  return {
    signing: (now) => keyOf(secrets[0], Math.floor(now / KEY_PERIOD)).signing,
    published(now) {
      const turn = Math.floor(now / KEY_PERIOD)
      return [turn, turn + 1, turn - 1].flatMap((each) =>
        secrets.map((secret) => keyOf(secret, each).published),
      )
    },
  }
}

type Pair = { readonly signing: SigningKey; readonly published: PublicKey }

/** The order of P-256 (SP 800-186 §3.2.1.3). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** FIPS 186-5 A.2.1, with bits from HKDF instead of a generator: 128 more than the order has. */
function makePair(secret: string, turn: number): Pair {
  const bits = Buffer.from(hkdfSync('sha256', secret, '', `stepgate assertion key ${turn}`, 48))
  const scalar = (BigInt(`0x${bits.toString('hex')}`) % (ORDER - 1n)) + 1n
  const d = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex')
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(d)
  const point = curve.getPublicKey()
  const x = point.subarray(1, 33).toString('base64url')
  const y = point.subarray(33).toString('base64url')
  const shape = { crv: 'P-256', kty: 'EC', x, y } as const
  const kid = hash('sha256', JSON.stringify(shape), 'base64url')
  const jwk = { ...shape, d: d.toString('base64url') }
  return {
    signing: { kid, privateKey: createPrivateKey({ key: jwk, format: 'jwk' }) },
    published: { ...shape, alg: 'ES256', use: 'sig', kid },
  }
}
