import type { Session } from '../session/session.ts'

/** Streams of events that are open, few for each session and not too many in all. */
export type OpenStreams = {
  /**
   * Room for one more of a session's family, or undefined. `signal` ends it with the session or the
   * program; `done` ends it otherwise, and gives its room back.
   */
  open(session: Session): { readonly signal: AbortSignal; done(): void } | undefined
  /** Ends those whose session is over. */
  end(isOver: (session: Session) => boolean): void
  /** Ends all; from here on there is room for none. */
  close(): void
}

// A browser keeps six connections to a host of HTTP/1.1 at most, and people need some to go on.
const PER_SESSION = 2
const IN_ALL = 2000

/** Open streams of this process. */
export function createOpenStreams(
  limits = { perSession: PER_SESSION, inAll: IN_ALL },
): OpenStreams {
  const streams = new Map<AbortController, Session>()
  const counts = new Map<string, number>()
  let closed = false

  function done(stream: AbortController): void {
    stream.abort()
    const { family } = streams.get(stream) ?? {}
    if (family === undefined || !streams.delete(stream)) return
    const left = (counts.get(family) ?? 1) - 1
    if (left > 0) counts.set(family, left)
    else counts.delete(family)
  }

  return {
    open(session) {
      const { family } = session
      const count = counts.get(family) ?? 0
      if (closed || count >= limits.perSession || streams.size >= limits.inAll) return undefined
      const stream = new AbortController()
      streams.set(stream, session)
      counts.set(family, count + 1)
      return { signal: stream.signal, done: () => done(stream) }
    },
    end(isOver) {
      for (const [stream, session] of [...streams]) if (isOver(session)) done(stream)
    },
    close() {
      closed = true
      for (const stream of [...streams.keys()]) done(stream)
    },
  }
}
