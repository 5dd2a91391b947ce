import { parseStore } from '../../proxy/config/parse-store.ts'
import { openStore } from '../../proxy/store/open-store.ts'
import type { Store } from '../../proxy/store/store.ts'

/** The store that `STEPGATE_STORE={address}` names. */
export function openAddress(address: string): Promise<Store> {
  const parsed = parseStore(address)
  if (parsed.kind === 'wrong') throw new Error(parsed.problems.join())
  return openStore(parsed.value.store, parsed.value.secrets)
}
