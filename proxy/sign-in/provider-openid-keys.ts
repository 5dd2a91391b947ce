import * as oidc from 'openid-client'

/** Configurations for exchanges with a provider, of which some know its keys already. */
export type KeyedConfigurations = {
  /** The one for an exchange that begins now. */
  current(): oidc.Configuration
  /** To be called after an exchange with the one that it used; `worked` says how it went. */
  used(configuration: oidc.Configuration, worked: boolean): void
}

/** How long (ms) keys are used without asking whether there are others. */
const KEYS_LIFE = 5_000

// In s. The library asks for new keys when it does not know the one that a token names, but only
// when those it has are this old: it is told that they are.
const RENEWABLE = 60

/**
 * The library keeps a provider's keys with its configuration and asks for new ones at most once a
 * minute, so that a sign-in right after a rotation would fail. So they are kept for a moment, enough
 * for a crowd, and a token that names another key makes the library ask at once. `elapsed` is a clock
 * that never goes back (ms).
 */
export function createKeyedConfigurations(
  make: () => oidc.Configuration,
  elapsed: () => number,
): KeyedConfigurations {
  let kept: { configuration: oidc.Configuration; uat: number; until: number } | undefined

  return {
    current: () => (kept !== undefined && elapsed() < kept.until ? kept.configuration : make()),
    used(configuration, worked) {
      const cache = oidc.getJwksCache(configuration)
      if (!worked || cache === undefined) {
        // A provider that names no key in its tokens may have another one.
        kept = undefined
        return
      }
      if (configuration === kept?.configuration && cache.uat === kept.uat) return
      const uat = cache.uat - RENEWABLE
      const next = make()
      oidc.setJwksCache(next, { jwks: cache.jwks, uat })
      kept = { configuration: next, uat, until: elapsed() + KEYS_LIFE }
    },
  }
}
