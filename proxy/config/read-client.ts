import type { OidcCredential } from './config.ts'
import type { Report, Settings } from './settings.ts'

/** What stepgate proves itself with at the provider: a secret or a key, one of the two. */
export function readClient(
  { given, values }: Settings,
  report: Report,
): OidcCredential | undefined {
  const [hasSecret, hasKey] = [given.has('OIDC_CLIENT_SECRET'), given.has('OIDC_CLIENT_KEY')]
  if (!hasSecret && !hasKey) {
    const problem = 'is not set, and neither is STEPGATE_OIDC_CLIENT_KEY; one of the two is needed'
    report('OIDC_CLIENT_SECRET', problem)
  }
  if (hasSecret && hasKey) {
    report('OIDC_CLIENT_KEY', 'is set, and so is STEPGATE_OIDC_CLIENT_SECRET; keep one of the two')
  }
  for (const name of ['OIDC_CLIENT_KEY_ID', 'OIDC_CLIENT_KEY_ALG'] as const) {
    if (values[name] !== undefined && !hasKey) {
      report(name, 'is set, but without STEPGATE_OIDC_CLIENT_KEY there is no key')
    }
  }
  const { OIDC_CLIENT_SECRET: secret, OIDC_CLIENT_KEY: key } = values
  if (key === undefined) return secret
  const { OIDC_CLIENT_KEY_ID: kid, OIDC_CLIENT_KEY_ALG: alg } = values
  if (alg !== undefined && !key.algs.includes(alg)) {
    const can = key.algs.join(', ')
    report('OIDC_CLIENT_KEY_ALG', `is ${alg}, but the key of STEPGATE_OIDC_CLIENT_KEY has ${can}`)
  }
  return { ...key, ...(alg !== undefined && { algs: [alg] }), ...(kid !== undefined && { kid }) }
}
