import type { PartCheck } from '../part-check.ts'

/** The person as the provider named them; only these may pick a directory entry. */
export type Person = {
  readonly subject: string
  readonly username: string
  readonly email?: string
  readonly claimedPhones?: readonly string[]
}

/**
 * `found`: E.164 numbers in the directory's order, without duplicates. `none`: the one entry of
 * this person holds no number. `unavailable`: nobody can say; never to be read as `none`. `detail`
 * is a sentence for the operator, without personal data: it is logged.
 */
export type PhoneLookup =
  | { readonly kind: 'found'; readonly numbers: readonly [string, ...string[]] }
  | { readonly kind: 'none' }
  | { readonly kind: 'unavailable'; readonly reason: LookupProblem; readonly detail: string }

export type LookupProblem =
  | 'connection'
  | 'timeout'
  | 'credentials'
  | 'no_entry'
  | 'several_entries'
  | 'referral'
  | 'unreadable_number'
  | 'refused'

/** Where a person's numbers come from; never throws for what the directory or the network does. */
export type PhoneDirectory = {
  lookUp(person: Person): Promise<PhoneLookup>
  /** Whether a look-up could work now, for readyz and `stepgate check`. */
  check(): Promise<PartCheck>
  close(): Promise<void>
}
