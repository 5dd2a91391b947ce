import type { Config, Secrets } from '../config/config.ts'
import type { Log } from '../log.ts'
import type { Provider } from '../sign-in/provider.ts'
import type { Store } from '../store/store.ts'
import { type Activity, createActivity } from './activity.ts'
import { ironSession } from './iron-session.ts'
import { createKeptGroups, type KeptGroups } from './kept-groups.ts'
import { createRecheck, type Recheck } from './recheck.ts'
import type { Revocations } from './revocations.ts'
import { createSealer, type Sealer } from './sealed.ts'
import { createSessionReader, type SessionReader } from './session-reader.ts'

/** Everything that knows sessions. */
export type Sessions = {
  readonly sessions: SessionReader
  readonly keptGroups: KeptGroups
  readonly recheck: Recheck
  readonly activity: Activity
}

// In characters of a seal: thousands of a person's groups.
const MAX_GROUPS = 2 * 1024 * 1024

/** Puts the parts together that read sessions, keep their groups and recheck them. */
export function openSessions(
  config: Config,
  { sessionSecrets }: Pick<Secrets, 'sessionSecrets'>,
  parts: {
    readonly clock: () => number
    readonly log: Log
    readonly store: Store
    readonly sealer: Sealer
    readonly revocations: Revocations
    readonly provider: Provider
  },
): Sessions {
  const keptGroups = createKeptGroups({
    store: parts.store,
    sealer: createSealer(sessionSecrets, { maxLength: MAX_GROUPS }),
    lifetime: config.session.lifetime,
  })
  const sessions = createSessionReader({
    sealer: createSealer(sessionSecrets, { iron: ironSession }),
    limits: config.session,
    keptGroups,
    isRevoked: parts.revocations.isRevoked,
  })
  const recheck = createRecheck({ ...parts, config, sessions, keptGroups })
  const activity = createActivity(parts.store, config.session)
  return { sessions, keptGroups, recheck, activity }
}
