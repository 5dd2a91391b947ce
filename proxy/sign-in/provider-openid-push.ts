import * as oidc from 'openid-client'
import type { Config } from '../config/config.ts'
import { errorCode } from '../error-code.ts'
import type { Log } from '../log.ts'
import { PushFailedError } from './provider.ts'

/** Whether authorization requests go to the provider before the browser does (RFC 9126 §5). */
export function needsPush({ request }: Config['oidc'], metadata: oidc.ServerMetadata): boolean {
  return request.par === 'on' || metadata.require_pushed_authorization_requests === true
}

/** Pushes the request; where the browser goes then holds no more than a reference. Throws `PushFailedError`. */
export async function pushRequest(
  provider: oidc.Configuration,
  parameters: Record<string, string>,
  log?: Log,
): Promise<URL> {
  try {
    return await oidc.buildAuthorizationUrlWithPAR(provider, parameters)
  } catch (error) {
    // Neither the error nor its cause goes on: they can hold the request and what proves the client.
    const reason = reasonOf(error)
    log?.error('OpenID provider did not take the authorization request', { reason })
    throw new PushFailedError(reason)
  }
}

// Nobody need be signed in to cause one.
const PUSHES = 32

/** Pushes requests, not more than a few at once. */
export function createPusher(log: Log) {
  let underWay = 0
  return async (provider: oidc.Configuration, parameters: Record<string, string>): Promise<URL> => {
    if (underWay >= PUSHES) throw new PushFailedError('too_many')
    underWay += 1
    return pushRequest(provider, parameters, log).finally(() => {
      underWay -= 1
    })
  }
}

function reasonOf(error: unknown): string {
  const code =
    error instanceof oidc.ResponseBodyError
      ? error.error
      : (errorCode(error instanceof Error ? error.cause : undefined) ?? errorCode(error))
  return code !== undefined && /^[\w.-]{1,64}$/.test(code) ? code : 'unknown'
}
