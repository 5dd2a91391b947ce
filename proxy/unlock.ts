import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config, Secrets } from './config/config.ts'
import { StartError } from './explain-failure.ts'
import type { Log } from './log.ts'
import { limitsOf } from './otp/send-limits.ts'
import { type Unlocked, unlockPerson } from './otp/unlock-person.ts'
import { openStore } from './store/open-store.ts'

/**
 * `stepgate unlock`: clears a person's lock in the store that a running stepgate works with, and
 * says in a sentence what it was. Throws `StartError` when there is no such store to be reached from
 * here, and `StoreUnavailableError`.
 */
export async function unlock(
  config: Config,
  secrets: Secrets,
  subject: string,
  { log, now }: { log: Log; now: number },
): Promise<string> {
  refuseUnreachable(config.store)
  const store = await openStore(config.store, secrets.store)
  try {
    const before = await unlockPerson({ store, limits: limitsOf(config) }, subject, now)
    log.audit('otp.unlocked', { subject, was: stateOf(before), failures: before.failures })
    return tell(subject, before)
  } finally {
    await store.close()
  }
}

function refuseUnreachable(store: Config['store']): void {
  if (store.kind === 'memory') {
    throw new StartError(
      'STEPGATE_STORE is memory: locks are in the memory of the running stepgate alone, and a restart clears them',
    )
  }
  // To open it would make a new one, in which nobody is locked.
  if (store.kind === 'sqlite' && !existsSync(store.path)) {
    throw new StartError(
      `there is no store at ${resolve(store.path)}: run this where stepgate runs, with its configuration`,
    )
  }
}

function stateOf({ lock }: Unlocked): 'locked' | 'waiting' | 'open' {
  if (lock === undefined) return 'open'
  return lock.locked ? 'locked' : 'waiting'
}

function tell(subject: string, before: Unlocked): string {
  const { failures, messages, lock } = before
  const forgotten = `forgotten: wrong codes in a row (${failures}), messages (${messages})`
  if (lock !== undefined) {
    const state = lock.locked ? 'was locked until' : 'had to wait until'
    const until = new Date(lock.until).toISOString()
    return `${subject} ${state} ${until} and may try again now; ${forgotten}`
  }
  if (failures + messages > 0) return `${subject} was not locked; ${forgotten}`
  return `${subject} was not locked, and there is nothing to forget: is this the subject that the log names in otp.locked?`
}
