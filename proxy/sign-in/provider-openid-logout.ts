import { errors, type JWTPayload, jwtVerify } from 'jose'
import type { ServerMetadata } from 'openid-client'
import { errorCode } from '../error-code.ts'
import type { LogoutRead } from './provider.ts'
import { createRemoteKeys } from './remote-keys-jose.ts'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const TYPES: ReadonlySet<string> = new Set(['logout+jwt', 'application/logout+jwt', 'jwt'])
const ASYMMETRIC = /^(?:RS|PS|ES)(?:256|384|512)$|^Ed(?:DSA|25519)$/

// In s. An older token is no news, and how long its jti is remembered has to have an end.
const MAX_AGE = 60 * 60
const TOLERANCE = 30

// In ms. Whoever names a key that nobody knows makes us ask for keys, but not more often than this.
const KEYS_COOLDOWN = 5_000

// As much as a session's `sid` and subject may have.
const MAX_TEXT = 256

class LogoutTokenError extends Error {
  readonly code: string
  constructor(code: string) {
    super(`The logout token is refused: ${code}`)
    this.name = 'LogoutTokenError'
    this.code = code
  }
}

/**
 * Checks logout tokens as OpenID Connect Back-Channel Logout 1.0 §2.6 says, but for the replay, with
 * the keys that the provider publishes. Each request to it may take `timeout` ms.
 */
export function createLogoutReader(
  clientId: string,
  timeout: number,
): (server: ServerMetadata, token: string, now: number) => Promise<LogoutRead> {
  const keysAt = createRemoteKeys({ timeoutDuration: timeout, cooldownDuration: KEYS_COOLDOWN })

  return async (server, token, now) => {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keysAt(server.jwks_uri ?? ''), {
        algorithms: algorithmsOf(server),
        issuer: server.issuer,
        audience: clientId,
        requiredClaims: ['exp'],
        maxTokenAge: MAX_AGE,
        clockTolerance: TOLERANCE,
        currentDate: new Date(now),
      })
      checkType(protectedHeader.typ)
      return readLogout(payload, clientId)
    } catch (error) {
      return asLogoutRead(error)
    }
  }
}

/** Algorithms of ID tokens hold for logout tokens too (§2.4); `none` and shared secrets never do. */
function algorithmsOf({ id_token_signing_alg_values_supported: named }: ServerMetadata): string[] {
  return (named ?? ['RS256']).filter((algorithm) => ASYMMETRIC.test(algorithm))
}

/** Another kind of token by the same provider is none (RFC 8725 §3.11); many say `JWT`, or nothing. */
function checkType(typ: unknown = 'JWT'): void {
  if (!TYPES.has(String(typ).toLowerCase())) throw new LogoutTokenError('typ')
}

function readLogout(payload: JWTPayload, clientId: string): LogoutRead {
  const { aud, azp, events, iat = 0, exp = 0 } = payload
  // OpenID Connect Core §3.1.3.7, steps 3 and 4.
  const alone = !Array.isArray(aud) || aud.length === 1
  if (azp === undefined ? !alone : azp !== clientId) throw new LogoutTokenError('azp')
  if (!isObject(events) || !isObject(events[EVENT])) throw new LogoutTokenError('events')
  if ('nonce' in payload) throw new LogoutTokenError('nonce')
  const jti = textOf(payload, 'jti')
  if (jti === undefined) throw new LogoutTokenError('jti')
  const sid = textOf(payload, 'sid')
  const subject = textOf(payload, 'sub')
  if (sid === undefined && subject === undefined) throw new LogoutTokenError('sub')
  return {
    kind: 'logout',
    jti,
    expiresAt: (Math.min(exp, iat + MAX_AGE) + TOLERANCE) * 1000,
    ...(sid !== undefined && { sid }),
    ...(subject !== undefined && { subject }),
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A claim that is absent or a text that names something. */
function textOf(payload: JWTPayload, name: 'jti' | 'sid' | 'sub'): string | undefined {
  const value: unknown = payload[name]
  if (value === undefined) return undefined
  if (typeof value === 'string' && value !== '' && value.length <= MAX_TEXT) return value
  throw new LogoutTokenError(name)
}

/** Codes only: an error of the library holds the token's claims. */
function asLogoutRead(error: unknown): LogoutRead {
  if (error instanceof LogoutTokenError) return { kind: 'invalid', code: error.code }
  if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired) {
    return { kind: 'invalid', code: error.claim }
  }
  const code = errorCode(error) ?? 'unknown'
  // jose says no more when keys can't be had, and passes on what `fetch` threw.
  const away = [errors.JWKSTimeout.code, errors.JOSEError.code]
  return error instanceof errors.JOSEError && !away.includes(code)
    ? { kind: 'invalid', code }
    : { kind: 'unavailable', code }
}
