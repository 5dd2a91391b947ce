import { sign } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Session } from '../session/session.ts'
import type { AssertionKeys } from './assertion-keys.ts'

/** For how long one assertion is sent (ms). */
const SENT_FOR = 60_000

/** How long an assertion is good for after it may have been sent last (s). */
const LIFE = 60

const MAX_REMEMBERED_BYTES = 64 * 1024 * 1024

type Minted = { readonly session: Session; readonly mintedAt: number; readonly token: string }

/**
 * Makes the assertion of a session: a JWT (RFC 7519, ES256) of who is asking, for `audience`, which
 * is also who says so. The same one comes back for a minute while nothing in it has changed, so that
 * one that is sent is good for 60 s at least, and for 120 s at most. Signing takes no promise.
 */
export function createMint(
  keys: Pick<AssertionKeys, 'signing'>,
  audience: string,
): (session: Session, now: number) => string {
  const minted = new LRUCache<string, Minted>({
    maxSize: MAX_REMEMBERED_BYTES,
    sizeCalculation: ({ token }) => token.length,
  })
  return (session, now) => {
    const last = minted.get(session.id)
    const age = last === undefined ? Number.NaN : now - last.mintedAt
    if (last && age >= 0 && age < SENT_FOR && isSaidBy(last.session, session)) return last.token
    const { kid, privateKey } = keys.signing(now)
    const issuedAt = Math.floor(now / 1000)
    const claims = {
      iss: audience,
      aud: audience,
      iat: issuedAt,
      exp: issuedAt + SENT_FOR / 1000 + LIFE,
      ...saidOf(session),
    }
    const input = `${encode({ alg: 'ES256', typ: 'JWT', kid })}.${encode(claims)}`
    // JWS wants the two numbers, not their DER (RFC 7518 §3.4).
    const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
    const token = `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
    minted.set(session.id, { session, mintedAt: now, token })
    return token
  }
}

function saidOf({ subject, username, acr, amr, authTime, groups }: Session) {
  return {
    sub: subject,
    preferred_username: username,
    acr,
    amr,
    auth_time: Math.floor(authTime / 1000),
    groups,
  }
}

/** Most often it is the same object; not when its cookie was written again in the meantime. */
function isSaidBy(one: Session, other: Session): boolean {
  return one === other || JSON.stringify(saidOf(one)) === JSON.stringify(saidOf(other))
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
