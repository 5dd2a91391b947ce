import { keyOf } from '../store/key-of.ts'
import type { Store } from '../store/store.ts'
import type { JsonObject, Sealer } from './sealed.ts'

/** What the provider gave at a session family's last sign-in or recheck; `checkedAt` is epoch ms. */
export type ProviderTokens = {
  /** To be a hint at sign-out; absent when it is too long for a URL. */
  readonly idToken?: string
  readonly refreshToken?: string
  /** When the provider last said that all is well. */
  readonly checkedAt: number
}

export type TokenParts = { readonly store: Store; readonly sealer: Sealer }

const TYP = 'provider-tokens'

/** Servers commonly take a request line of 8 KB. With many groups in it an ID token is longer. */
const MAX_HINT = 7_000

const tokensKey = (family: string) => keyOf(TYP, family)

/** Keeps a family's tokens, sealed, instead of those from before. Throws `StoreUnavailableError`. */
export async function keepTokens(
  { store, sealer }: TokenParts,
  family: string,
  { idToken, ...tokens }: ProviderTokens,
  expiresAt: number,
  now: number,
): Promise<void> {
  const hint = idToken !== undefined && idToken.length <= MAX_HINT ? { idToken } : {}
  const sealed = await sealer.seal(TYP, { ...tokens, ...hint, family }, expiresAt, now)
  await store.put(tokensKey(family), sealed, expiresAt)
}

/** A family's tokens; undefined when there are none. Throws `StoreUnavailableError`. */
export async function readTokens(
  { store, sealer }: TokenParts,
  family: string,
  now: number,
): Promise<ProviderTokens | undefined> {
  return open(sealer, family, await store.get(tokensKey(family), now), now)
}

/** Takes a family's tokens out of the store for good. Throws `StoreUnavailableError`. */
export async function dropTokens(
  { store, sealer }: TokenParts,
  family: string,
  now: number,
): Promise<ProviderTokens | undefined> {
  return open(sealer, family, await store.take(tokensKey(family), now), now)
}

async function open(
  sealer: Sealer,
  family: string,
  sealed: string | undefined,
  now: number,
): Promise<ProviderTokens | undefined> {
  if (sealed === undefined) return undefined
  const value = (await sealer.unseal(TYP, sealed, now)) as (ProviderTokens & JsonObject) | undefined
  if (value?.family !== family) return undefined
  const { family: _family, ...tokens } = value
  return tokens
}
