import { createPublicKey } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Adapter, AdapterFactory, AdapterPayload, ClientMetadata, JWK } from 'oidc-provider'
import type { OidcCredential } from '../proxy/config/config.ts'

const MAX_RECORDS = 10_000

// What dies with a grant; an interaction names its grant too, and has to live on.
const GRANTED: ReadonlySet<string> = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken'])

/** What one client of the provider registers. */
export type ProviderClient = {
  readonly client_id: string
  readonly redirect_uris: readonly string[]
  readonly post_logout_redirect_uris?: readonly string[]
  /** Told of the end of each session; by its `sid`, or of the person alone. */
  readonly backchannel_logout_uri?: string
  readonly backchannel_logout_session_required?: boolean
} & ClientCredential

/** How it proves itself: by a secret, or by what the private half of its key signs. */
type ClientCredential =
  | { readonly client_secret: string }
  | {
      readonly token_endpoint_auth_method: 'private_key_jwt'
      readonly jwks: { readonly keys: readonly JWK[] }
    }

/** What a client registers of what stepgate proves itself with. */
export function clientCredential(credential: OidcCredential): ClientCredential {
  if (typeof credential === 'string') return { client_secret: credential }
  const { key, kid } = credential
  const jwk = createPublicKey(key).export({ format: 'jwk' }) as JWK
  const keys = [{ ...jwk, ...(kid !== undefined && { kid }), use: 'sig' }]
  return { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys } }
}

/** The provider's memory; it outlives a provider that is built anew with other keys or claims. */
export type ProviderStore = {
  readonly adapter: AdapterFactory
  /** Registers a client, or replaces the one of the same `client_id`. */
  putClient(client: ProviderClient): void
}

/** Keeps everything in memory, bounded by number and by each record's own life. */
export function createProviderStore(): ProviderStore {
  const records = new LRUCache<string, AdapterPayload>({ max: MAX_RECORDS })
  const clients = new Map<string, ClientMetadata>()
  return {
    adapter: (model) => (model === 'Client' ? clientAdapter(clients) : adapterOf(model, records)),
    putClient(client) {
      clients.set(client.client_id, {
        ...client,
        response_types: ['code'],
        grant_types: ['authorization_code', 'refresh_token'],
      } as ClientMetadata)
    },
  }
}

function adapterOf(model: string, records: LRUCache<string, AdapterPayload>): Adapter {
  const keyOf = (id: string) => `${model}:${id}`
  return {
    async upsert(id, payload, expiresIn) {
      records.set(keyOf(id), { ...payload }, expiresIn ? { ttl: expiresIn * 1000 } : {})
    },
    async find(id) {
      return records.get(keyOf(id))
    },
    async findByUid(uid) {
      return first(records, (key, payload) => key.startsWith(`${model}:`) && payload.uid === uid)
    },
    async findByUserCode() {
      return undefined
    },
    async consume(id) {
      const payload = records.get(keyOf(id))
      if (payload) payload.consumed = Math.floor(Date.now() / 1000)
    },
    async destroy(id) {
      records.delete(keyOf(id))
    },
    async revokeByGrantId(grantId) {
      for (const [key, payload] of records.entries()) {
        const isOfGrant = payload.grantId === grantId && GRANTED.has(payload.kind ?? '')
        if (isOfGrant) records.delete(key)
      }
    },
  }
}

function first(
  records: LRUCache<string, AdapterPayload>,
  wanted: (key: string, payload: AdapterPayload) => boolean,
): AdapterPayload | undefined {
  for (const [key, payload] of records.entries()) if (wanted(key, payload)) return payload
  return undefined
}

function clientAdapter(clients: ReadonlyMap<string, ClientMetadata>): Adapter {
  const readOnly = async () => {
    throw new Error('Clients are registered through putClient only')
  }
  return {
    find: async (id) => clients.get(id),
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    upsert: readOnly,
    consume: readOnly,
    destroy: readOnly,
    revokeByGrantId: readOnly,
  }
}
