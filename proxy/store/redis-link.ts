import type { RedisConnection } from './redis-connection.ts'
import { isWrongServer, RedisError, readRedisError } from './redis-error.ts'

/** A way to the server that mends itself. */
export type RedisLink = {
  /** Does some work over the connection. Rejects with `RedisError`, after 1.5 s at the latest. */
  use<T>(work: (connection: RedisConnection) => Promise<T>): Promise<T>
  close(): void
}

// In ms. Whoever waits for an answer waits no longer, whatever has become of the server.
const ANSWER_TIMEOUT = 1_500
const MAX_PENDING = 10_000
const FIRST_RETRY = 50
const LAST_RETRY = 1_000

type State =
  | { readonly kind: 'idle' | 'closed' }
  /** Just begun or just lost: worth waiting for. */
  | { readonly kind: 'opening'; readonly connection: Promise<RedisConnection> }
  | { readonly kind: 'open'; readonly connection: RedisConnection }
  /** It could not be opened again at once: until it can, nobody waits. */
  | { readonly kind: 'down'; readonly problem: RedisError }

/**
 * Keeps one connection from the first command on. When it is lost, or its server is stuck or no
 * longer the master, `connect`, which has to end by itself, opens another one: again and again, a
 * second at most after it failed.
 * A command whose answer was lost has failed: it is not sent again.
 */
export function createRedisLink(connect: () => Promise<RedisConnection>, place: string): RedisLink {
  let state: State = { kind: 'idle' }
  let pending = 0
  // Attempts since a connection last held for a while.
  let attempts = 0
  let timer: NodeJS.Timeout | undefined

  function current(): Promise<RedisConnection> | RedisConnection {
    switch (state.kind) {
      case 'idle':
        return reopen()
      case 'opening':
      case 'open':
        return state.connection
      case 'down':
        throw state.problem
      case 'closed':
        throw new RedisError(place, 'closed')
    }
  }

  function reopen(): Promise<RedisConnection> {
    const connection = attempt()
    // Those who wait for it hear of a failure, but perhaps nobody does.
    connection.catch(() => {})
    state = { kind: 'opening', connection }
    return connection
  }

  async function attempt(): Promise<RedisConnection> {
    attempts += 1
    try {
      const connection = await connect()
      keep(connection)
      return connection
    } catch (error) {
      const problem = readRedisError(error, place)
      goDown(problem)
      throw problem
    }
  }

  function keep(connection: RedisConnection): void {
    if (state.kind === 'closed') {
      connection.end()
      return
    }
    connection.keep()
    state = { kind: 'open', connection }
    clearTimeout(timer)
    timer = setTimeout(() => {
      attempts = 0
    }, LAST_RETRY).unref()
    connection.ended.then((reason) => {
      if (state.kind !== 'open' || state.connection !== connection) return
      // One that never holds is no reason to try without a pause.
      if (attempts <= 1) reopen()
      else goDown(reason)
    })
  }

  function goDown(problem: RedisError): void {
    if (state.kind === 'closed') return
    state = { kind: 'down', problem }
    clearTimeout(timer)
    const wait = Math.min(FIRST_RETRY * 2 ** (attempts - 1), LAST_RETRY)
    timer = setTimeout(() => attempt().catch(() => {}), wait).unref()
  }

  async function attend<T>(work: (connection: RedisConnection) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      const connection = await current()
      try {
        return await work(connection)
      } catch (error) {
        const problem = readRedisError(error, place)
        if (!isWrongServer(problem)) throw problem
        connection.end(problem)
        // It refused to do anything, so the right server may be asked to.
        if (tries > 1) throw problem
        await connection.ended
      }
    }
  }

  return {
    async use(work) {
      if (pending >= MAX_PENDING) throw new RedisError(place, 'too_many')
      pending += 1
      const overdue = Promise.withResolvers<never>()
      const used = state.kind === 'open' ? state.connection : undefined
      let answered = false
      const giveUp = () => {
        if (answered) return
        const problem = new RedisError(used?.place ?? place, 'timeout')
        // Answers come in order: when one is overdue, so are all behind it.
        used?.end(problem)
        overdue.reject(problem)
      }
      // After what else is due: an answer may be here that a busy process has not read yet.
      const deadline = setTimeout(() => setImmediate(giveUp), ANSWER_TIMEOUT)
      try {
        return await Promise.race([attend(work), overdue.promise])
      } finally {
        answered = true
        clearTimeout(deadline)
        pending -= 1
      }
    },
    close() {
      const connection = state.kind === 'open' ? state.connection : undefined
      state = { kind: 'closed' }
      clearTimeout(timer)
      connection?.end()
    },
  }
}
