import type { RedisConnection, RedisReply } from '../../proxy/store/redis-connection.ts'
import { RedisError } from '../../proxy/store/redis-error.ts'

export type FakeConnection = RedisConnection & {
  readonly asked: string[]
  isEnded: boolean
  isKept: boolean
}

/** A connection that answers what the test says, when it says so, until it is ended. */
export function fakeConnection(
  place: string,
  answer: (command: readonly string[]) => RedisReply | Promise<RedisReply>,
): FakeConnection {
  const ended = Promise.withResolvers<RedisError>()
  const asked: string[] = []
  const connection: FakeConnection = {
    place,
    asked,
    isEnded: false,
    isKept: false,
    keep() {
      connection.isKept = true
    },
    ended: ended.promise,
    end(reason = new RedisError(place, 'closed')) {
      connection.isEnded = true
      ended.resolve(reason)
    },
    async send(command) {
      if (connection.isEnded) throw await ended.promise
      asked.push(command.join(' '))
      const answered = answer(command)
      const broken = ended.promise.then((reason) => Promise.reject(reason))
      // Nobody hears of the end of a connection that has answered.
      broken.catch(() => {})
      return Promise.race([answered, broken])
    },
  }
  return connection
}
