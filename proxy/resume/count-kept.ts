import { networkOf } from '../request/client-address.ts'
import { keyOf } from '../store/key-of.ts'
import type { CountWindow, Store } from '../store/store.ts'
import { KEPT_LIFE } from './kept.ts'

const MB = 1024 * 1024

/** Of one person, or of one browser in which nobody is known, in an hour. */
const PER_OWNER = 20
/** Of one address in which nobody is known: an office may share one. */
const PER_ADDRESS = 50
/** No address has more of what there is for everybody. */
const ADDRESS_SHARE = 1 / 4
/**
 * Bytes in the store of all forms of an hour: of people who were signed in, and of everybody else, who
 * may be anybody. Small forms and large ones have half each, so that neither take the other's place.
 */
const SHARES = { known: 256 * MB, unknown: 64 * MB } as const
const SMALL = 32 * 1024
/** A kept form in the store and its content: base64 twice, and a seal. */
const GROWTH = 1.9

/** Who wants a request to be kept. */
export type Owner = {
  readonly subject: string | undefined
  /** The value of the browser's cookie. */
  readonly browser: string
  readonly address: string
}

/** What a request of at most `size` bytes counts in. */
export function keptWindows(owner: Owner, size: number, maxBody: number): readonly CountWindow[] {
  const { subject } = owner
  const small = size <= SMALL
  const share = SHARES[subject === undefined ? 'unknown' : 'known']
  const inAll = Math.max(4, Math.floor(share / 2 / (GROWTH * (small ? SMALL : maxBody))))
  const kind = `${small ? 'small' : 'large'} ${subject === undefined ? 'unknown' : 'known'}`
  const window = (limit: number, ...parts: string[]) => ({
    key: keyOf('resume-count', ...parts),
    limit,
    windowMs: KEPT_LIFE,
  })
  if (subject !== undefined) {
    return [window(PER_OWNER, 'subject', subject), window(inAll, 'all', kind)]
  }
  const network = networkOf(owner.address)
  return [
    window(PER_OWNER, 'browser', owner.browser),
    window(PER_ADDRESS, 'address', network),
    window(Math.floor(inAll * ADDRESS_SHARE), 'address', network, kind),
    window(inAll, 'all', kind),
  ]
}

/** Counts one more; the keys that it counts in, or undefined when there are too many already. */
export async function countKept(
  store: Store,
  windows: readonly CountWindow[],
  now: number,
): Promise<readonly string[] | undefined> {
  const counted = await store.count(windows, now)
  return counted.kind === 'full' ? undefined : windows.map(({ key }) => key)
}
