/** One request as an application behind a server sees it; texts are latin1 strings of the bytes. */
export type Seen = {
  readonly method: string
  readonly target: string
  /** The decoded path by which the server chooses what to serve, where it has one. */
  readonly path: string | undefined
  /** Name, value, name, value, … */
  readonly rawHeaders: readonly string[]
  readonly body: string
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
