import { createHash } from 'node:crypto'
import type { Sealer } from '../session/sealed.ts'

/**
 * One attempt to sign in. It travels sealed in `state`, so that an anonymous flood fills no store,
 * and is bound to the browser by a cookie.
 */
export type Transaction = {
  /** Hash of the browser cookie that it was started with. */
  readonly browser: string
  readonly nonce: string
  readonly codeVerifier: string
  /** A return target as `returnTarget` made it. */
  readonly returnTo: string
  /** Present when a code is to be asked for on the way there, whatever the rules say. */
  readonly stepUp?: StepUpWanted
  /** How long ago (ms) the person may have signed in at the provider. */
  readonly signedInWithin?: number
  /** The provider was told to ask the person, as it had not done so by itself. */
  readonly prompted?: true
  readonly uiLocales?: string
  /** 1 when it was started again by itself; never again after that. */
  readonly attempt: number
  /** Epoch ms */
  readonly startedAt: number
}

/** `maxAge` in ms: how fresh the code has to be. */
export type StepUpWanted = { readonly maxAge?: number }

/** How long a person may take at the provider (ms). */
export const TRANSACTION_LIFE = 60 * 60_000

// The seal outlives the transaction, so that a late callback can still say where to go on.
const SEAL_LIFE = 24 * 60 * 60_000

/** Seals the transaction into a `state` value. */
export function sealTransaction(
  sealer: Sealer,
  transaction: Transaction,
  now: number,
): Promise<string> {
  return sealer.seal('sign-in', transaction, now + SEAL_LIFE, now)
}

/** The transaction of a `state` that we sealed, expired or not; undefined for anything else. */
export async function openTransaction(
  sealer: Sealer,
  state: string | undefined,
  now: number,
): Promise<Transaction | undefined> {
  if (state === undefined) return undefined
  return (await sealer.unseal('sign-in', state, now)) as Transaction | undefined
}

/** A browser cookie's value as it stands in a transaction. */
export function browserHash(cookie: string): string {
  return createHash('sha256').update(`browser ${cookie}`).digest('base64url')
}

/**
 * The session family of whoever signs in with this browser cookie: tabs that sign in at the same
 * time are one family, so that one code serves them all.
 */
export function familyOf(cookie: string): string {
  return createHash('sha256').update(`family ${cookie}`).digest('base64url')
}
