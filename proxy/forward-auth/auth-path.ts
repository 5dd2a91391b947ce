import type { Target } from '../request/target.ts'

/** Where proxies ask whether a request may pass. Only this spelling is it, byte for byte. */
export const AUTH_PATH = '/_stepgate/auth'

/** Whether a target is for proxies' questions; Envoy's have the path that is asked about behind it. */
export function isAuthTarget({ raw }: Pick<Target, 'raw'>): boolean {
  const next = raw[AUTH_PATH.length]
  return raw.startsWith(AUTH_PATH) && (next === undefined || next === '?' || next === '/')
}
