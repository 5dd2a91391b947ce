import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { keyOf } from '../store/key-of.ts'
import type { Store } from '../store/store.ts'
import type { Sealer } from './sealed.ts'
import { CLOCK_SKEW } from './session.ts'

/** What has groups; with `groupsHash` they are in the store, and `groups` is empty. */
export type Packed<T> = T & { readonly groupsHash?: string }

type Grouped = { readonly groups: readonly string[] }

/** Groups that are too many for a cookie, in the store under the hash of what they are. */
export type KeptGroups = {
  /**
   * As it is to be sealed until `end` (epoch ms). Throws `StoreUnavailableError` and
   * `SealTooLongError`.
   */
  pack<T extends Grouped>(whole: T, end: number, now: number): Promise<Packed<T>>
  /** As it was; undefined when the store has lost the groups. Throws `StoreUnavailableError`. */
  unpack<T extends Grouped>(packed: Packed<T>, now: number): Promise<T | undefined>
}

type Kept = Grouped & { readonly until: number }

const TYP = 'groups'
/** In characters of JSON, so that a session still is one cookie. */
const MOST_IN_A_COOKIE = 2_000
const MOST_REMEMBERED = 32 * 1024 * 1024

/** `sealer` has to seal what is as long as the groups of one person can be. */
export function createKeptGroups(parts: {
  readonly store: Store
  readonly sealer: Sealer
  /** Of a session (ms). */
  readonly lifetime: number
}): KeptGroups {
  const { store, sealer, lifetime } = parts
  const known = new LRUCache<string, Kept>({
    maxSize: MOST_REMEMBERED,
    sizeCalculation: ({ groups }) => 64 + memoryOf(groups),
  })

  async function read(groupsHash: string, now: number): Promise<Kept | undefined> {
    const remembered = known.get(groupsHash)
    if (remembered !== undefined) return remembered
    const sealed = await store.get(keyOf(TYP, groupsHash), now)
    const kept = sealed === undefined ? undefined : await sealer.unseal(TYP, sealed, now)
    // Whoever can write to the store may have moved it there from another place.
    if (!isKept(kept) || hashOf(JSON.stringify(kept.groups)) !== groupsHash) return undefined
    Object.freeze(kept.groups)
    known.set(groupsHash, kept)
    return kept
  }

  return {
    async pack(whole, end, now) {
      const text = JSON.stringify(whole.groups)
      if (text.length <= MOST_IN_A_COOKIE) return whole
      const groupsHash = hashOf(text)
      if ((known.get(groupsHash)?.until ?? 0) < end) {
        const kept: Kept = { groups: whole.groups, until: now + lifetime + 2 * CLOCK_SKEW }
        const sealed = await sealer.seal(TYP, kept, kept.until, now)
        await store.put(keyOf(TYP, groupsHash), sealed, kept.until)
        known.set(groupsHash, kept)
      }
      return { ...whole, groups: [], groupsHash }
    },
    async unpack({ groupsHash, ...packed }, now) {
      if (groupsHash === undefined) return packed as never
      const kept = await read(groupsHash, now)
      return kept === undefined ? undefined : ({ ...packed, groups: kept.groups } as never)
    },
  }
}

/** About how much memory groups take (bytes). */
export function memoryOf(groups: readonly string[]): number {
  return groups.reduce((sum, group) => sum + 2 * group.length + 16, 0)
}

function hashOf(text: string): string {
  return hash('sha256', text, 'base64url')
}

function isKept(value: unknown): value is Kept {
  return Array.isArray((value as Partial<Kept> | undefined)?.groups)
}
