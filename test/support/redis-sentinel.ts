import { type Redis, startRedis } from './redis.ts'
import { until } from './until.ts'

/** A master with a replica, watched by a sentinel that decides alone. */
export type WatchedRedis = {
  readonly master: Redis
  readonly replica: Redis
  readonly sentinel: Redis
  stop(): Promise<void>
}

/** Starts all three; resolves when the sentinel knows a replica that could take over. */
export async function startWatchedRedis(passwords: {
  readonly servers?: string
  readonly sentinel?: string
}): Promise<WatchedRedis> {
  const { servers: password, sentinel: sentinelPassword } = passwords
  const login = password === undefined ? {} : { password }
  const lines = [
    'repl-diskless-sync-delay 0',
    ...(password === undefined ? [] : [`masterauth ${password}`]),
  ]
  const master = await startRedis({ ...login, lines })
  const replica = await startRedis({
    ...login,
    lines: [...lines, `replicaof 127.0.0.1 ${master.port}`],
  })
  const sentinel = await startRedis({
    sentinel: true,
    ...(sentinelPassword !== undefined && { password: sentinelPassword }),
    lines: [
      `sentinel monitor mymaster 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds mymaster 500',
      'sentinel failover-timeout mymaster 2000',
      ...(password === undefined ? [] : [`sentinel auth-pass mymaster ${password}`]),
    ],
  })
  await until(async () =>
    /master-link-status\nok/.test(await sentinel.call('SENTINEL', 'REPLICAS', 'mymaster')),
  )
  return {
    master,
    replica,
    sentinel,
    async stop() {
      await Promise.all([master, replica, sentinel].map((each) => each.stop()))
    },
  }
}
