import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { AccessNotes } from '../access-notes.ts'
import type { Demand, RuleRequest } from '../policy/rule.ts'
import type { ClientFault } from '../request/client-fault.ts'
import type { OpenRequest } from './under-way.ts'

/** How one exchange with the application went; the gate logs it and answers what is not `answered`. */
export type ForwardOutcome =
  /** The response has begun or is through; nothing is left to answer. */
  | { kind: 'answered'; status: number }
  /**
   * The application's 401 asks for what the person has yet to do. Nothing of it was sent, and
   * `setCookies` are what it and stepgate want the browser to keep.
   */
  | { kind: 'demands'; demand: Demand; setCookies: readonly string[] }
  /** The client is not to have the response; nothing of it was sent, and `setCookies` as above. */
  | { kind: 'withheld'; setCookies: readonly string[] }
  /** No upstream is there for the request's host and path. */
  | { kind: 'no-upstream' }
  /** No response began, so that an error page can still be sent. */
  | { kind: 'unreachable'; error: Error }
  | { kind: 'timed-out'; error: Error }
  | { kind: 'invalid-response'; error: Error }
  /** The response was cut in the middle and the client's connection with it. */
  | { kind: 'cut-off'; error: Error }
  /** The client went away first. */
  | { kind: 'client-gone' }
  /** The session that let it in is over; a response that had begun is cut. */
  | { kind: 'session-ended' }
  /** Its body is too long, or stands still; a response that had begun is cut. */
  | { kind: 'client-fault'; reason: ClientFault }

/** How a handshake with the application went; `answered` is its refusal, which the client has. */
export type UpgradeOutcome =
  | ForwardOutcome
  /** A WebSocket: what comes from `socket` are its frames. `headers` of the 101 are for the client. */
  | { kind: 'switched'; socket: Duplex; headers: readonly string[] }

/** One exchange: the target as it was judged, and the header list as `rebuildHeaders` made it. */
export type ForwardRequest = {
  readonly method: string
  /** Byte for byte what the rules judged. */
  readonly target: string
  /** What the rules judged chooses the upstream too. */
  readonly hosts: RuleRequest['hosts']
  readonly paths: RuleRequest['paths']
  /** Name, value, name, value, …; values are latin1 strings of the bytes to send. */
  readonly headers: readonly string[]
  /**
   * Judges the `WWW-Authenticate` fields of a 401: what to ask the person for instead of showing it,
   * or undefined to pass it on.
   */
  readonly judge: (challenges: readonly string[]) => Demand | undefined
  /** Called before the client gets a response that is no demand; false: it is not to have it. */
  readonly mayBegin?: ((status: number, location: string | undefined) => boolean) | undefined
  /** What is sent instead of the body of `incoming`, which has been read; the headers tell its length. */
  readonly content?: Buffer
}

/** What an exchange is measured by. */
export type TrafficNotes = Pick<
  AccessNotes,
  'upstream' | 'sent' | 'upstreamMs' | 'bytesIn' | 'bytesOut'
>

/**
 * Streams a request to the application and its response back, with backpressure both ways.
 * `setCookies` is asked when the response begins: much can have happened since the request. Times
 * and bytes are noted in `notes` as they come. `open` can be cut while the exchange is under way.
 */
export type Forwarder = {
  forward(
    request: ForwardRequest,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    setCookies: () => readonly string[],
    notes: TrafficNotes,
    open?: OpenRequest,
  ): Promise<ForwardOutcome>
  /**
   * Sends an opening handshake with this `Sec-WebSocket-Key` to the application. Nothing but its
   * head is sent, and nothing is written to the client unless the application refuses.
   */
  upgrade(
    request: ForwardRequest,
    key: string,
    outgoing: ServerResponse,
    setCookies: () => readonly string[],
    notes: TrafficNotes,
    open?: OpenRequest,
  ): Promise<UpgradeOutcome>
  /** Tries a connection to each address of each upstream. */
  check(): Promise<UpstreamCheck>
  close(): Promise<void>
}

/** `isWell`: each upstream has an address that takes connections. `failures` are those that don't. */
export type UpstreamCheck = {
  readonly isWell: boolean
  readonly failures: readonly { readonly name: string; readonly error: Error }[]
}
