import type { Random } from '../random.ts'
import { keyOf } from '../store/key-of.ts'
import { ifUnavailable, type Store } from '../store/store.ts'
import type { Packed } from './kept-groups.ts'
import type { JsonObject, Sealer } from './sealed.ts'
import type { Session } from './session.ts'

/** What the provider gave at a session family's last sign-in or recheck; times are epoch ms. */
export type ProviderTokens = {
  /** Which sign-in they are of, as a family may have several; absent in what older versions kept. */
  readonly signIn?: string
  /** Of the sign-in, to be a hint at sign-out; absent when it is too long for a URL. */
  readonly idToken?: string
  readonly refreshToken?: string
  /** When the provider last said that all is well. */
  readonly checkedAt: number
  /** Who it was then; present where there is something to check with. */
  readonly identity?: Packed<CheckedIdentity>
  /** Until when one process has the refresh token for itself. */
  readonly heldUntil?: number
  /** The refresh token was sent and no answer noted: the provider may have replaced it. */
  readonly unsure?: boolean
}

/** What a recheck may change of a session. */
export type CheckedIdentity = Pick<
  Session,
  'subject' | 'username' | 'email' | 'name' | 'groups' | 'claimedPhones'
>

export type TokenParts = { readonly store: Store; readonly sealer: Sealer }

/** Tokens as they were found, to be replaced only while they are the same. */
export type FoundTokens = {
  readonly tokens: ProviderTokens
  readonly sealed: string
  readonly expiresAt: number
}

export type ReplacedTokens =
  | { readonly replaced: true; readonly found: FoundTokens }
  | { readonly replaced: false; readonly found: FoundTokens | undefined }

const TYP = 'provider-tokens'

/** Servers commonly take a request line of 8 KB. With many groups in it an ID token is longer. */
const MAX_HINT = 7_000

const tokensKey = (family: string) => keyOf(TYP, family)

/**
 * Keeps the tokens of a sign-in, sealed, instead of those that its family has from before. Throws
 * `StoreUnavailableError`.
 */
export async function keepTokens(
  parts: TokenParts & { readonly random: Pick<Random, 'id'> },
  family: string,
  tokens: Omit<ProviderTokens, 'signIn'>,
  expiresAt: number,
  now: number,
): Promise<void> {
  const ofSignIn = { ...tokens, signIn: parts.random.id() }
  const sealed = await seal(parts, family, ofSignIn, expiresAt, now)
  await parts.store.put(tokensKey(family), sealed, expiresAt)
}

/** A family's tokens; undefined when there are none. Throws `StoreUnavailableError`. */
export async function readTokens(
  parts: TokenParts,
  family: string,
  now: number,
): Promise<ProviderTokens | undefined> {
  return (await findTokens(parts, family, now))?.tokens
}

/** A family's tokens, to be replaced; undefined when there are none. Throws `StoreUnavailableError`. */
export async function findTokens(
  { store, sealer }: TokenParts,
  family: string,
  now: number,
): Promise<FoundTokens | undefined> {
  return open(sealer, family, await store.get(tokensKey(family), now), now)
}

/**
 * Replaces tokens if they are still those that were found, and answers the new ones; else those that
 * are there instead, undefined when they were dropped. Throws `StoreUnavailableError`.
 */
export async function replaceTokens(
  parts: TokenParts,
  family: string,
  found: FoundTokens,
  tokens: ProviderTokens,
  now: number,
): Promise<ReplacedTokens> {
  const { expiresAt } = found
  const sealed = await seal(parts, family, tokens, expiresAt, now)
  const swapped = await parts.store.swap(tokensKey(family), found.sealed, sealed, expiresAt, now)
  return swapped.kind === 'stored'
    ? { replaced: true, found: { tokens, sealed, expiresAt } }
    : { replaced: false, found: await open(parts.sealer, family, swapped.value, now) }
}

/** Takes a family's tokens out of the store for good. Throws `StoreUnavailableError`. */
export async function dropTokens(
  { store, sealer }: TokenParts,
  family: string,
  now: number,
): Promise<ProviderTokens | undefined> {
  return (await open(sealer, family, await store.take(tokensKey(family), now), now))?.tokens
}

/** The same for what has ended: what the store does not give up now expires by itself. */
export async function forgetTokens(
  ...asked: Parameters<typeof dropTokens>
): Promise<ProviderTokens | undefined> {
  return dropTokens(...asked).catch(ifUnavailable)
}

function seal(
  { sealer }: TokenParts,
  family: string,
  { idToken, ...tokens }: ProviderTokens,
  expiresAt: number,
  now: number,
): Promise<string> {
  const hint = idToken !== undefined && idToken.length <= MAX_HINT ? { idToken } : {}
  return sealer.seal(TYP, { ...tokens, ...hint, family, expiresAt }, expiresAt, now)
}

async function open(
  sealer: Sealer,
  family: string,
  sealed: string | undefined,
  now: number,
): Promise<FoundTokens | undefined> {
  if (sealed === undefined) return undefined
  const value = await sealer.unseal(TYP, sealed, now)
  const stored = value as (ProviderTokens & JsonObject & { expiresAt: number }) | undefined
  if (stored?.family !== family) return undefined
  const { family: _family, expiresAt, ...tokens } = stored
  return { tokens, sealed, expiresAt }
}
