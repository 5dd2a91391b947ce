import { isLoopbackHost } from './loopback.ts'
import { NO_UPSTREAM } from './parse-upstreams.ts'
import type { Settings, Warn } from './settings.ts'

/** Warns of values that are fine for a try, and rarely what somebody wants for people. */
export function warnOfRisks({ values }: Settings, warn: Warn): void {
  if (values.STORE?.store.kind === 'memory') {
    warn(
      'STEPGATE_STORE is memory: a restart forgets failed attempts and locks, and sessions that were ended work again',
    )
  }
  const redis = values.STORE?.store.kind === 'redis' ? values.STORE.store : undefined
  if (redis && !redis.tls && !redis.nodes.every(({ host }) => isPrivateName(host))) {
    warn(
      'STEPGATE_STORE is redis:// to a public name: its password travels there in the clear, and anybody on the way can change what is counted',
    )
  }
  if (values.DEFAULT_ACR === 'public') {
    warn('STEPGATE_DEFAULT_ACR is public: what no rule names is open to everybody')
  }
  const isSecretTold = values.HEADERS?.some(({ value }) => value.includes('{secret}'))
  if (values.UPSTREAM?.trim() === NO_UPSTREAM && isSecretTold) {
    warn(
      'STEPGATE_UPSTREAM is none and STEPGATE_HEADERS holds {secret}: proxies are told it, so they must let no client ask /_stepgate/auth',
    )
  }
  const everybody = values.TRUSTED_PROXIES?.find((network) => network.endsWith('/0'))
  if (everybody) {
    warn(`STEPGATE_TRUSTED_PROXIES holds ${everybody}: anybody can claim to have any address`)
  }
}

/** Loopback, an IP address, or a name without a dot or under a suffix that no registry gives out. */
export function isPrivateName(hostname: string): boolean {
  return (
    isLoopbackHost(hostname) ||
    hostname.startsWith('[') ||
    /^[\d.]+$/.test(hostname) ||
    !hostname.includes('.') ||
    /\.(local|internal|lan|test|svc)$/.test(hostname)
  )
}
