import { sign } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Session } from '../session/session.ts'
import type { AssertionKeys } from './assertion-keys.ts'

/** How long an assertion is good for (s). */
const LIFE = 60

/** For how long one is sent (ms): it is good for 10 s at least when it leaves here. */
const SENT_FOR = 50_000

const MAX_REMEMBERED_BYTES = 64 * 1024 * 1024

/** `issuedAt` in epoch s, as the token says. */
type Minted = { readonly session: Session; readonly issuedAt: number; readonly token: string }

/**
 * Makes the assertion of a session: a JWT (RFC 7519, ES256) of who is asking, for `audience`, which
 * is also who says so. The same one comes back while nothing in it has changed and 10 s of its 60 s are
 * left. Signing takes no promise.
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
    const age = last === undefined ? Number.NaN : now - last.issuedAt * 1000
    if (last && age >= 0 && age <= SENT_FOR && isSaidBy(last.session, session)) return last.token
    const { kid, privateKey } = keys.signing(now)
    const issuedAt = Math.floor(now / 1000)
    const claims = {
      iss: audience,
      aud: audience,
      iat: issuedAt,
      exp: issuedAt + LIFE,
      ...saidOf(session),
    }
    const input = `${encode({ alg: 'ES256', typ: 'JWT', kid })}.${encode(claims)}`
    // JWS wants the two numbers, not their DER (RFC 7518 §3.4).
    const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
    const token = `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
    minted.set(session.id, { session, issuedAt, token })
    return token
  }
}

function saidOf({ subject, username, acr, amr, authTime, groups }: Session) {
  return {
    sub: subject,
    preferred_username: username,
    acr,
    amr,
    auth_time: authTime === 0 ? undefined : Math.floor(authTime / 1000),
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
