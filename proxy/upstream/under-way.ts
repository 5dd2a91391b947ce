import type { Socket } from 'node:net'
import type { Config } from '../config/config.ts'
import { askedOf, type Exchange } from '../exchange.ts'
import { createBag, type Place } from '../listener/bag.ts'
import type { Log } from '../log.ts'
import { decide } from '../policy/decide.ts'
import { freshUntil } from '../policy/fresh-until.ts'
import type { RuleRequest } from '../policy/rule.ts'
import type { Activity } from '../session/activity.ts'
import type { Recheck } from '../session/recheck.ts'
import type { Revocations } from '../session/revocations.ts'
import type { Session } from '../session/session.ts'
import { isLive } from '../session/transitions.ts'
import { closeTunnel, joinSockets, openTunnel, type Tunnel, tickTunnel } from './tunnel.ts'

/** What is under way in this process, WebSockets and requests: each ends with what let it in. */
export type UnderWay = {
  /** Joins two connections, for as long as the session may have them joined. */
  openWebSocket(parts: WebSocketParts): void
  /** Adds a request that goes to the application, until `leave`. */
  enter(exchange: Exchange, session: Session): OpenRequest
  /** To be called once. */
  leave(request: OpenRequest): void
  /** Takes notice of a session in a request: what has no end of its own stays as long as it does. */
  seen(session: Session): void
  /** How many WebSockets are open. */
  webSockets(): number
  /** Says to all WebSockets that this process goes away, and to those that are yet to come. */
  close(): void
}

export type WebSocketParts = {
  readonly client: Socket
  readonly upstream: Socket
  /** What the client has sent right behind its handshake. */
  readonly head: Buffer
  /** Whose it is, if anybody's. */
  readonly session: Session | undefined
  readonly exchange: Exchange
}

/** A request of a session while the application has it. */
export type OpenRequest = {
  readonly exchange: Exchange
  readonly session: Session
  /**
   * Whoever sends it to the application sets itself, to be told when it has to end it on both sides. A
   * function made for each request here would make V8 keep requests until a full collection of garbage.
   */
  sender: { onSessionEnd(): void } | undefined
  /** To be called when its response turns out to have no end of its own (server-sent events). */
  readonly watch: (request: OpenRequest) => void
  /** Present from then on. */
  guard: Guard | undefined
  /** Where `UnderWay` has it. */
  place: Place<OpenRequest> | undefined
}

type Reason = 'revoked' | 'expired' | 'max_age' | 'not_allowed'

/** The session of what is endless, as it was last seen. */
type Watched = { session: Session; users: number; look?: Look }
/** At the store: whether the family was seen by another process after this moment. */
type Look = { readonly after: number; done: boolean }
type Guard = {
  readonly watched: Watched
  readonly asked: RuleRequest
  /** When the access token that let it in expires (epoch ms), if one did. */
  readonly tokenUntil: number | undefined
  /** When the code or the sign-in becomes too old for the rule (epoch ms). */
  readonly freshUntil: number
  /** What it was last judged by. */
  judged: Session
}
type OpenTunnel = { readonly exchange: Exchange; readonly guard: Guard | undefined }

/** In ms. With the half second in which revocations are read it stays within a second. */
const TICK = 500
const SESSION_ENDED = { code: 4401, reason: 'Session ended' }
const GOING_AWAY = { code: 1001, reason: 'Going away' }

/**
 * Times are looked at twice a second while anything is open, revocations as soon as they are known.
 * What is endless needs all the time what let it in. A request that comes to an end by itself was
 * judged when it came, and is cut only when its session is over for good.
 */
export function createUnderWay(parts: {
  readonly clock: () => number
  readonly config: Pick<Config, 'session' | 'rules' | 'defaultAcr'>
  readonly revocations: Pick<Revocations, 'isOver' | 'isRevoked' | 'subscribe'>
  readonly recheck: Pick<Recheck, 'attend'>
  readonly activity: Pick<Activity, 'lastSeen'>
  readonly log: Pick<Log, 'audit'>
}): UnderWay {
  const { clock, config, revocations, recheck, activity, log } = parts
  const tunnels = new Map<Tunnel, OpenTunnel>()
  const requests = createBag<OpenRequest>()
  let underWay = 0
  const sessions = new Map<string, Watched>()
  let timer: NodeJS.Timeout | undefined
  let goingAway = false

  function guard(exchange: Exchange, session: Session): Guard {
    const watched = sessions.get(session.id) ?? { session, users: 0 }
    sessions.set(session.id, watched)
    watched.users++
    const asked = askedOf(exchange)
    return {
      watched,
      asked,
      tokenUntil: exchange.tokenUntil,
      freshUntil: freshUntil(config.rules, session, asked),
      judged: session,
    }
  }

  function forget(guard: Guard | undefined): void {
    if (guard === undefined) return
    const { watched } = guard
    if (--watched.users === 0) sessions.delete(watched.session.id)
  }

  function isDead(watched: Watched, now: number): boolean {
    const { session } = watched
    if (isLive(session, config.session, now)) return false
    return now >= session.createdAt + config.session.lifetime || hasLooked(watched, now)
  }

  /** Whether the store has nothing new to say of a session that this process takes for idle. */
  function hasLooked(watched: Watched, now: number): boolean {
    const { family, seenAt } = watched.session
    if (watched.look?.after !== seenAt) {
      const look = { after: seenAt, done: false }
      watched.look = look
      void activity.lastSeen(family, now).then((seenAt) => {
        look.done = true
        if (seenAt > watched.session.seenAt) watched.session = { ...watched.session, seenAt }
        judgeAll()
      })
    }
    return watched.look?.done === true
  }

  function staleness(guard: Guard, now: number): Reason | undefined {
    const { session } = guard.watched
    const { tokenUntil } = guard
    const isOver = tokenUntil === undefined ? isDead(guard.watched, now) : now >= tokenUntil
    if (isOver) return 'expired'
    if (now >= guard.freshUntil) return 'max_age'
    if (session.checkedAt === guard.judged.checkedAt) return undefined
    guard.judged = session
    const { kind } = decide(config.rules, config.defaultAcr, session, guard.asked, now)
    return kind === 'forward' ? undefined : 'not_allowed'
  }

  function watch(request: OpenRequest): void {
    request.guard ??= guard(request.exchange, request.session)
  }

  function judgeTunnel(tunnel: Tunnel, { exchange, guard }: OpenTunnel, now: number): void {
    if (tunnel.closing) return
    const isRevoked = guard !== undefined && revocations.isRevoked(guard.watched.session)
    const reason = isRevoked ? 'revoked' : guard && staleness(guard, now)
    if (reason === undefined) {
      if (goingAway) closeTunnel(tunnel, GOING_AWAY)
      return
    }
    closeTunnel(tunnel, SESSION_ENDED)
    tell('websocket.closed', exchange, guard?.watched.session, reason)
  }

  function judgeRequest(request: OpenRequest, now: number): void {
    const { session, exchange, sender } = request
    const reason = reasonToCut(request, now)
    if (reason === undefined || sender === undefined) return
    request.sender = undefined
    tell('request.cut', exchange, session, reason)
    sender.onSessionEnd()
  }

  function reasonToCut(request: OpenRequest, now: number): Reason | undefined {
    const { session, exchange, guard } = request
    // A step-up has only replaced its id: an upload that began before it goes on.
    if (revocations.isOver(session)) return 'revoked'
    if (guard !== undefined) return staleness(guard, now)
    if (exchange.tokenUntil !== undefined) return undefined
    return now >= session.createdAt + config.session.lifetime ? 'expired' : undefined
  }

  function tell(
    event: 'websocket.closed' | 'request.cut',
    { requestId, client }: Exchange,
    session: Session | undefined,
    reason: Reason,
  ): void {
    const { subject } = session ?? {}
    log.audit(event, { request_id: requestId, subject, client: client.address, reason })
  }

  function judgeAll(): void {
    const now = clock()
    for (const watched of sessions.values()) {
      watched.session = recheck.attend(watched.session, now)
    }
    for (const [tunnel, opened] of tunnels) judgeTunnel(tunnel, opened, now)
    for (const request of requests) judgeRequest(request, now)
  }

  function tick(): void {
    for (const tunnel of tunnels.keys()) tickTunnel(tunnel)
    judgeAll()
    if (tunnels.size + underWay > 0) return
    clearInterval(timer)
    timer = undefined
  }

  function keepTime(): void {
    timer ??= setInterval(tick, TICK).unref()
  }

  revocations.subscribe(judgeAll)
  return {
    openWebSocket({ client, upstream, head, session, exchange }) {
      const tunnel = joinSockets(client, upstream, (gone) => {
        forget(tunnels.get(gone)?.guard)
        tunnels.delete(gone)
      })
      const opened = { exchange, guard: session && guard(exchange, session) }
      tunnels.set(tunnel, opened)
      keepTime()
      // The application may have taken its time to accept.
      judgeTunnel(tunnel, opened, clock())
      if (!tunnel.closing) openTunnel(tunnel, head)
    },
    enter(exchange, session) {
      const request: OpenRequest = {
        exchange,
        session,
        sender: undefined,
        watch,
        guard: undefined,
        place: undefined,
      }
      request.place = requests.add(request)
      underWay++
      keepTime()
      return request
    },
    leave({ place, guard }) {
      if (place !== undefined) requests.remove(place)
      underWay--
      forget(guard)
    },
    seen(session) {
      const watched = sessions.get(session.id)
      if (watched !== undefined && session.seenAt > watched.session.seenAt) {
        watched.session = session
      }
    },
    webSockets: () => tunnels.size,
    close() {
      goingAway = true
      judgeAll()
    },
  }
}
