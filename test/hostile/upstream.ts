import type { Arrival } from '../support/counting-upstream.ts'

/** One request as an application behind a server sees it. */
export type Seen = Arrival & {
  /** The decoded path by which the server chooses what to serve, where it has one. */
  readonly path: string | undefined
}

/** A server with an application that notes every request that the server has made out. */
export type HostileUpstream = {
  readonly name: string
  readonly origin: URL
  /** What was seen since the last call. */
  take(): Promise<readonly Seen[]>
  close(): Promise<void>
}

/** Every request is answered with its `X-Case` and this behind it. */
export const ANSWERED = ';'
