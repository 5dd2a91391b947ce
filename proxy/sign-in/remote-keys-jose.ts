import { createRemoteJWKSet, type RemoteJWKSetOptions } from 'jose'

/** The keys that are published at an address, by a token's header. */
export type RemoteKeys = ReturnType<typeof createRemoteJWKSet>

/** Keys at an address, which are asked for as `options` says; what is known of another is forgotten. */
export function createRemoteKeys(options: RemoteJWKSetOptions): (url: string) => RemoteKeys {
  let known: { readonly url: string; readonly keys: RemoteKeys } | undefined
  return (url) => {
    if (known?.url !== url) known = { url, keys: createRemoteJWKSet(new URL(url), options) }
    return known.keys
  }
}
