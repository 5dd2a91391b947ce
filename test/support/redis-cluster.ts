import { freePorts } from './free-ports.ts'
import { type Redis, startRedis } from './redis.ts'
import { until } from './until.ts'

const RANGES = [
  [0, 5461],
  [5462, 10_922],
  [10_923, 16_383],
] as const

/** A cluster of three masters; the one that has the slot of `{stepgate}` has a replica. */
export type RedisCluster = {
  readonly owner: Redis
  readonly replica: Redis
  readonly others: readonly Redis[]
  stop(): Promise<void>
}

/** Starts all four; resolves when they agree and the replica has the owner's data. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const first = await freePorts(8)
  const nodes = await Promise.all(
    [0, 1, 2, 3].map((index) =>
      startRedis({
        port: first + index,
        lines: [
          'cluster-enabled yes',
          `cluster-port ${first + 4 + index}`,
          'cluster-node-timeout 1000',
          'repl-diskless-sync-delay 0',
        ],
      }),
    ),
  )
  const [one, two, three, replica] = nodes as [Redis, Redis, Redis, Redis]
  const masters = [one, two, three]
  const meetOne = ['CLUSTER', 'MEET', '127.0.0.1', `${first}`, `${first + 4}`]
  await Promise.all(nodes.slice(1).map((node) => node.call(...meetOne)))
  await Promise.all(
    RANGES.map(([from, to], index) =>
      masters[index]?.call('CLUSTER', 'ADDSLOTSRANGE', `${from}`, `${to}`),
    ),
  )
  for (const node of nodes) {
    await until(async () =>
      /cluster_state:ok.*cluster_known_nodes:4/s.test(await node.call('CLUSTER', 'INFO')),
    )
  }
  const slot = Number(await one.call('CLUSTER', 'KEYSLOT', '{stepgate}'))
  const index = RANGES.findIndex(([, to]) => slot <= to)
  const owner = masters[index] ?? one
  await replica.call('CLUSTER', 'REPLICATE', await owner.call('CLUSTER', 'MYID'))
  await until(async () => /connected/.test(await replica.call('ROLE')))
  // Masters vote for a replica only when they have heard that it is one.
  const known = new RegExp(`slave ${await owner.call('CLUSTER', 'MYID')}`)
  for (const node of masters) {
    await until(async () => known.test(await node.call('CLUSTER', 'NODES')))
  }
  return {
    owner,
    replica,
    others: masters.filter((node) => node !== owner),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()))
    },
  }
}
