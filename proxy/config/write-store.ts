import type { Config, RedisAddress, RedisConfig, StoreSecrets } from './config.ts'

/** The store's address as an operator writes it, with `mask` in place of each password. */
export function writeStore(store: Config['store'], secrets: StoreSecrets, mask: string): string {
  switch (store.kind) {
    case 'memory':
      return 'memory:'
    case 'sqlite':
      return `sqlite:${store.path}`
    case 'redis':
      return writeRedisUrl(store, secrets, mask)
  }
}

function writeRedisUrl(store: RedisConfig, secrets: StoreSecrets, mask: string): string {
  const { topology, nodes, username = '', database, prefix, tls } = store
  const scheme = tls === undefined ? 'redis' : 'rediss'
  const list = topology.kind === 'single' ? '' : `+${topology.kind}`
  const user = secrets.password === undefined ? '' : `${encodeURIComponent(username)}:${mask}@`
  const master = topology.kind === 'sentinel' ? `/${topology.masterName}` : ''
  const sentinelUser = topology.kind === 'sentinel' ? topology.username : undefined
  const query = [
    `prefix=${prefix}`,
    ...(sentinelUser === undefined
      ? []
      : [`sentinel_username=${encodeURIComponent(sentinelUser)}`]),
    ...(secrets.sentinelPassword === undefined ? [] : [`sentinel_password=${mask}`]),
  ].join('&')
  const hosts = nodes.map(writeNode).join(',')
  return `${scheme}${list}://${user}${hosts}${master}/${database}?${query}`
}

function writeNode({ host, port }: RedisAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
