import type { Log } from '../log.ts'
import type { Session } from '../session/session.ts'

/** What Apache, Tomcat and nginx take of a header in their default settings, with room for others. */
const COMMON_LIMIT = 7_000

/** Warns of a person whose groups make a header that many applications refuse. */
export function warnOfGroups(log: Pick<Log, 'warn'>, { subject, groups }: Session): void {
  const bytes = groups.reduce((sum, group) => sum + Buffer.byteLength(group) + 1, 0)
  if (bytes <= COMMON_LIMIT) return
  const problem =
    'The groups of a person make a header that many applications refuse: name those that matter in STEPGATE_OIDC_GROUPS, or take the header away with STEPGATE_HEADERS'
  log.warn(problem, { subject, groups: groups.length, bytes })
}
