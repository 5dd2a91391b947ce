import type { Socket } from 'node:net'
import type { Log } from '../log.ts'
import type { Recheck } from '../session/recheck.ts'
import type { Revocations } from '../session/revocations.ts'
import type { Session } from '../session/session.ts'
import { isLive, type SessionLimits } from '../session/transitions.ts'
import { closeTunnel, joinSockets, openTunnel, type Tunnel, tickTunnel } from './tunnel.ts'

/** The open WebSockets of this process: each ends with what let it in. */
export type Tunnels = {
  /** Joins two connections, for as long as the session may have them joined. */
  open(parts: TunnelParts): void
  /** Takes notice of a session in a request: its WebSockets stay as long as it does. */
  seen(session: Session): void
  /** How many are open. */
  count(): number
  /** Says to all that this process goes away, and to those that are yet to come. */
  close(): void
}

export type TunnelParts = {
  readonly client: Socket
  readonly upstream: Socket
  /** What the client has sent right behind its handshake. */
  readonly head: Buffer
  /** Whose it is, if anybody's. */
  readonly session: Session | undefined
  /** When the access token that let it in expires (epoch ms), if one did. */
  readonly tokenUntil?: number | undefined
  /** When the code becomes too old for the rule (epoch ms). */
  readonly freshUntil: number
  /** Whether a session whose claims have changed would still be let in. */
  readonly isAllowed: (session: Session, now: number) => boolean
  readonly requestId: string
  readonly address: string
}

type Reason = 'revoked' | 'expired' | 'max_age' | 'not_allowed'

/** The session of some tunnels as it was last seen. */
type Watched = { session: Session; tunnels: number }
type Guarded = Omit<TunnelParts, 'client' | 'upstream' | 'head' | 'session'> & {
  readonly watched: Watched | undefined
  /** What it was last judged by. */
  judged: Session | undefined
}

/** In ms. With the half second in which revocations are read it stays within a second. */
const TICK = 500
const SESSION_ENDED = { code: 4401, reason: 'Session ended' }
const GOING_AWAY = { code: 1001, reason: 'Going away' }

/** Times are looked at twice a second while one is open, revocations as soon as they are known. */
export function createTunnels(parts: {
  readonly clock: () => number
  readonly limits: SessionLimits
  readonly revocations: Pick<Revocations, 'isRevoked' | 'subscribe'>
  readonly recheck: Pick<Recheck, 'attend'>
  readonly log: Pick<Log, 'audit'>
}): Tunnels {
  const { clock, limits, revocations, recheck, log } = parts
  const open = new Map<Tunnel, Guarded>()
  const sessions = new Map<string, Watched>()
  let timer: NodeJS.Timeout | undefined
  let goingAway = false

  function watch(session: Session): Watched {
    const watched = sessions.get(session.id) ?? { session, tunnels: 0 }
    sessions.set(session.id, watched)
    watched.tunnels++
    return watched
  }

  function forget(tunnel: Tunnel): void {
    const watched = open.get(tunnel)?.watched
    if (!open.delete(tunnel)) return
    if (watched !== undefined && --watched.tunnels === 0) sessions.delete(watched.session.id)
    if (open.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  function reasonToEnd(guarded: Guarded, now: number): Reason | undefined {
    const { watched, freshUntil, tokenUntil } = guarded
    if (watched === undefined) return undefined
    const { session } = watched
    if (revocations.isRevoked(session)) return 'revoked'
    const isOver = tokenUntil === undefined ? !isLive(session, limits, now) : now >= tokenUntil
    if (isOver) return 'expired'
    if (now >= freshUntil) return 'max_age'
    if (session.checkedAt === guarded.judged?.checkedAt) return undefined
    guarded.judged = session
    return guarded.isAllowed(session, now) ? undefined : 'not_allowed'
  }

  function judge(tunnel: Tunnel, guarded: Guarded, now: number): void {
    if (tunnel.closing) return
    const reason = reasonToEnd(guarded, now)
    if (reason === undefined) {
      if (goingAway) closeTunnel(tunnel, GOING_AWAY)
      return
    }
    closeTunnel(tunnel, SESSION_ENDED)
    log.audit('websocket.closed', {
      request_id: guarded.requestId,
      subject: guarded.watched?.session.subject,
      client: guarded.address,
      reason,
    })
  }

  function judgeAll(): void {
    const now = clock()
    for (const watched of sessions.values()) {
      watched.session = recheck.attend(watched.session, now)
    }
    for (const [tunnel, guarded] of open) judge(tunnel, guarded, now)
  }

  revocations.subscribe(judgeAll)
  return {
    open({ client, upstream, head, session, ...rest }) {
      const watched = session === undefined ? undefined : watch(session)
      const tunnel = joinSockets(client, upstream, forget)
      const guarded = { ...rest, watched, judged: session }
      open.set(tunnel, guarded)
      timer ??= setInterval(() => {
        for (const each of open.keys()) tickTunnel(each)
        judgeAll()
      }, TICK).unref()
      // The application may have taken its time to accept.
      judge(tunnel, guarded, clock())
      if (!tunnel.closing) openTunnel(tunnel, head)
    },
    seen(session) {
      const watched = sessions.get(session.id)
      if (watched !== undefined && session.seenAt > watched.session.seenAt) {
        watched.session = session
      }
    },
    count: () => open.size,
    close() {
      goingAway = true
      judgeAll()
    },
  }
}
