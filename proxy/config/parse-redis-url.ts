import type { RedisConfig } from './config.ts'
import type { StoreAddress } from './parse-store.ts'
import { ok, type Parsed, wrong } from './parsed.ts'
import { readNodes, readOptions, readPath, readUser, type Topology } from './redis-url-parts.ts'

// Scheme, user, nodes, path and query; the URL parser knows no list of nodes.
const FORM =
  /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(\/[^@?#]*)?(?:\?([^#]*))?$/

/** Whether this is meant to be the URL of a Redis. */
export function isRedisUrl(text: string): boolean {
  return /^rediss?(\+\w*)?:/.test(text)
}

/**
 * `redis://[user:password@]host[:port][/database]`, `redis+sentinel://…host,host/master[/database]`
 * or `redis+cluster://…host,host`; with TLS `rediss`. No problem repeats what may be a password.
 */
export function parseRedisUrl(text: string): Parsed<StoreAddress> {
  const form = FORM.exec(text)
  if (!form) {
    return wrong(
      'it is no URL such as redis://user:password@host:6379/0, redis+sentinel://host,host/master or redis+cluster://host,host; in a password @ / ? # and % are written %40 %2F %3F %23 and %25',
    )
  }
  const [, scheme, list, userText, hosts = '', path = '', query = ''] = form
  const topology: Topology = list === 'sentinel' || list === 'cluster' ? list : 'single'
  const user = readUser(userText)
  const nodes = readNodes(hosts, topology)
  const place = readPath(path, topology)
  const options = readOptions(query, topology)
  if (
    user.kind === 'wrong' ||
    nodes.kind === 'wrong' ||
    place.kind === 'wrong' ||
    options.kind === 'wrong'
  ) {
    const parts: readonly Parsed<unknown>[] = [user, nodes, place, options]
    return wrong(...parts.flatMap((part) => (part.kind === 'wrong' ? part.problems : [])))
  }
  const { username, password } = user.value
  const { prefix = 'stepgate', sentinelUsername, sentinelPassword } = options.value
  return ok({
    store: {
      kind: 'redis',
      topology: topologyOf(topology, place.value.masterName, sentinelUsername),
      nodes: nodes.value,
      ...(username !== undefined && { username }),
      database: place.value.database,
      prefix,
      ...(scheme === 'rediss' && { tls: {} }),
    },
    secrets: {
      ...(password !== undefined && { password }),
      ...(sentinelPassword !== undefined && { sentinelPassword }),
    },
  })
}

function topologyOf(
  kind: Topology,
  masterName: string,
  username: string | undefined,
): RedisConfig['topology'] {
  if (kind !== 'sentinel') return { kind }
  return { kind, masterName, ...(username !== undefined && { username }) }
}
