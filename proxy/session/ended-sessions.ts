import { CLOCK_SKEW, type Session } from './session.ts'

/** What has ended, in memory: sessions one by one, those of a provider's session, those of a person. */
export type EndedSessions = {
  /** Takes notice of an end, which nobody need remember from `expiresAt` on. */
  learn(end: string, expiresAt: number, now: number): void
  /** Forgets what has expired. */
  forget(now: number): void
  /** All ends and when each expires. */
  all(): Iterable<readonly [string, number]>
  /** Whether the session is over: by its family, by its provider's word or with all of its person. */
  isOver(session: Session): boolean
  /** Whether it is over, or its id was replaced. */
  isRevoked(session: Session): boolean
  /** Whether the provider has told of the end of its session `sid`. */
  hasSidEnded(sid: string): boolean
  /** The last end of all of a person's sessions, or of one kind, that was known at `now` (epoch ms). */
  lastEnd(subject: string, now: number, which?: EndOfAll): number | undefined
}

/** The end of every session that the provider named `sid`, whenever it began. */
export function endOfSid(sid: string): string {
  return `sid ${sid}`
}

/** All of a person by the provider's word, or those it gave no sid, or all by the person's own. */
export type EndOfAll = (typeof KINDS)[number]

const KINDS = ['all', 'without-sid', 'everywhere'] as const

/** The end of all sessions of a person that began before `at` (epoch ms). */
export function endOfSubject(subject: string, at: number, which: EndOfAll = 'all'): string {
  return `${which} ${at} ${subject}`
}

// A session id or family is one word, and an end of its own.
const OF_SID = /^sid (.+)$/s
const OF_SUBJECT = new RegExp(`^(${KINDS.join('|')}) (\\d+) (.+)$`, 's')

type SubjectEnd = { readonly end: string; readonly at: number; readonly learnedAt: number }

/** Nothing has ended yet. */
export function createEndedSessions(): EndedSessions {
  const ends = new Map<string, number>()
  const sids = new Set<string>()
  const subjects: Readonly<Record<EndOfAll, Map<string, SubjectEnd>>> = {
    all: new Map(),
    'without-sid': new Map(),
    everywhere: new Map(),
  }

  function learnSubject(end: string, [, which, at, subject = '']: RegExpExecArray, now: number) {
    const known = subjects[which as EndOfAll]
    const before = known.get(subject)
    if (before !== undefined && before.at >= Number(at)) return
    known.set(subject, { end, at: Number(at), learnedAt: now })
  }

  function drop(end: string): void {
    ends.delete(end)
    const sid = OF_SID.exec(end)?.[1]
    if (sid !== undefined) sids.delete(sid)
    const [, which, , subject = ''] = OF_SUBJECT.exec(end) ?? []
    if (which === undefined) return
    const known = subjects[which as EndOfAll]
    if (known.get(subject)?.end === end) known.delete(subject)
  }

  function isOver(session: Session): boolean {
    const { family, sid, subject } = session
    if (ends.has(family)) return true
    if (sid !== undefined ? sids.has(sid) : began(session, subjects['without-sid'].get(subject))) {
      return true
    }
    const { all, everywhere } = subjects
    return began(session, all.get(subject)) || began(session, everywhere.get(subject))
  }

  return {
    learn(end, expiresAt, now) {
      ends.set(end, expiresAt)
      const sid = OF_SID.exec(end)?.[1]
      if (sid !== undefined) sids.add(sid)
      const ofSubject = OF_SUBJECT.exec(end)
      if (ofSubject !== null) learnSubject(end, ofSubject, now)
    },
    forget(now) {
      for (const [end, expiresAt] of ends) if (expiresAt <= now) drop(end)
    },
    all: () => ends,
    isOver,
    isRevoked: (session) => ends.has(session.id) || isOver(session),
    hasSidEnded: (sid) => sids.has(sid),
    lastEnd(subject, now, which) {
      const kinds = which === undefined ? KINDS : [which]
      const known = kinds.map((kind) => subjects[kind].get(subject))
      const ats = known.flatMap((end) => (end !== undefined && end.learnedAt < now ? [end.at] : []))
      return ats.length === 0 ? undefined : Math.max(...ats)
    },
  }
}

/**
 * Whether a session began before such an end. Clocks of machines differ, so that one which seems to
 * have begun shortly after it may have begun before: unless it was begun by who knew of that end.
 */
function began(session: Session, end: SubjectEnd | undefined): boolean {
  if (end === undefined || (session.lastEndBefore ?? 0) >= end.at) return false
  return session.createdAt <= end.at + CLOCK_SKEW
}
