import { parseStore } from '../../proxy/config/parse-store.ts'
import { createLog } from '../../proxy/log.ts'
import { openStore } from '../../proxy/store/open-store.ts'
import type { Store } from '../../proxy/store/store.ts'

const QUIET = createLog({ level: 'silent', access: false })

/** The store that `STEPGATE_STORE={address}` names, opened as a start does it. */
export function openAddress(address: string): Promise<Store> {
  const parsed = parseStore(address)
  if (parsed.kind === 'wrong') throw new Error(parsed.problems.join())
  const { store, secrets } = parsed.value
  return openStore(store, secrets, { patience: 60_000, log: QUIET })
}
