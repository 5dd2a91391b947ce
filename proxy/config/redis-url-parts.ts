import type { RedisAddress, RedisConfig } from './config.ts'
import { ok, type Parsed, wrong } from './parsed.ts'

export type Topology = RedisConfig['topology']['kind']

/** Query parameters of a Redis URL; the last two are for sentinels that have a user of their own. */
export type RedisOptions = {
  readonly prefix?: string
  readonly sentinelUsername?: string
  readonly sentinelPassword?: string
}

const PORTS: Readonly<Record<Topology, number>> = { single: 6379, sentinel: 26379, cluster: 6379 }
const PERCENT = 'a % in it must be followed by two hexadecimal digits; % itself is %25'

/** What stands before `@`. */
export function readUser(
  text: string | undefined,
): Parsed<{ readonly username?: string; readonly password?: string }> {
  if (text === undefined) return ok({})
  const colon = text.indexOf(':')
  if (colon < 0 || colon === text.length - 1) {
    return wrong('before @ it must have user:password, or :password without a user')
  }
  const username = decode(text.slice(0, colon))
  const password = decode(text.slice(colon + 1))
  if (username === undefined || password === undefined) return wrong(PERCENT)
  return ok({ ...(username !== '' && { username }), password })
}

/** One or more `host[:port]`, separated by commas. */
export function readNodes(text: string, topology: Topology): Parsed<RedisConfig['nodes']> {
  const nodes = text.split(',').map((node) => readNode(node, PORTS[topology]))
  const [first, ...others] = nodes.filter((node) => node !== undefined)
  if (first === undefined || others.length + 1 < nodes.length) {
    return wrong('it must name a host, or host:port with a port from 1 to 65535')
  }
  if (topology === 'single' && others.length > 0) {
    return wrong('redis:// names one host; several are redis+sentinel:// or redis+cluster://')
  }
  return ok([first, ...others])
}

function readNode(text: string, defaultPort: number): RedisAddress | undefined {
  const [, v6, name, port = String(defaultPort)] =
    /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(text) ?? []
  const host = v6 ?? name
  const number = Number(port)
  if (host === undefined || number < 1 || number > 65_535) return undefined
  return { host, port: number }
}

/** `/database`, for sentinels `/master[/database]`; a cluster has no databases. */
export function readPath(
  text: string,
  topology: Topology,
): Parsed<{ readonly masterName: string; readonly database: number }> {
  const [masterName, database, more] =
    topology === 'sentinel' ? text.slice(1).split('/') : ['', ...text.slice(1).split('/')]
  if (topology === 'sentinel' && !/^[\w.-]+$/.test(masterName ?? '')) {
    return wrong('after the hosts it must have the name of the master: /mymaster or /mymaster/0')
  }
  if (more !== undefined || !/^\d{0,5}$/.test(database ?? '')) {
    return wrong('its path must end in the number of a database')
  }
  const number = Number(database ?? 0)
  if (topology === 'cluster' && number !== 0) return wrong('a cluster has no database but 0')
  return ok({ masterName: masterName ?? '', database: number })
}

/** The query; a misspelt parameter is a problem. */
export function readOptions(text: string, topology: Topology): Parsed<RedisOptions> {
  const known =
    topology === 'sentinel' ? ['prefix', 'sentinel_username', 'sentinel_password'] : ['prefix']
  const given = new Map<string, string>()
  for (const pair of text === '' ? [] : text.split('&')) {
    const equals = pair.indexOf('=')
    const [name, value] = [pair.slice(0, equals), decode(pair.slice(equals + 1))]
    if (!known.includes(name))
      return wrong(`after ? it may have ${known.join(', ')} and nothing else`)
    if (value === undefined) return wrong(PERCENT)
    given.set(name, value)
  }
  const prefix = given.get('prefix')
  if (prefix !== undefined && !/^[\w.-]{1,64}$/.test(prefix)) {
    return wrong('its prefix must be up to 64 letters, digits, dots, hyphens or underscores')
  }
  const sentinelUsername = given.get('sentinel_username')
  const sentinelPassword = given.get('sentinel_password')
  if (sentinelUsername !== undefined && !sentinelPassword) {
    return wrong('its sentinel_username needs a sentinel_password')
  }
  return ok({
    ...(prefix !== undefined && { prefix }),
    ...(sentinelUsername !== undefined && { sentinelUsername }),
    ...(sentinelPassword !== undefined && { sentinelPassword }),
  })
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
