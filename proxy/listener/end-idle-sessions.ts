import type { Http2Server, ServerHttp2Session } from 'node:http2'

/**
 * Ends sessions that have had no request under way for `idle` ms. Pings, settings and the pieces of a
 * header that never ends don't count: Node's own timeout starts anew at each of them.
 */
export function endIdleSessions(server: Pick<Http2Server, 'on'>, idle: number): void {
  server.on('session', (session: ServerHttp2Session) => {
    let open = 0
    let timer = wait()
    session.on('stream', (stream) => {
      open++
      clearTimeout(timer)
      stream.once('close', () => {
        open--
        if (open === 0 && !session.closed) timer = wait()
      })
    })
    session.once('close', () => clearTimeout(timer))

    function wait(): NodeJS.Timeout {
      // Says GOAWAY, and does not wait for a peer that reads nothing.
      return setTimeout(() => session.destroy(), idle).unref()
    }
  })
}
