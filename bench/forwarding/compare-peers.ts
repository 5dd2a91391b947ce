import { existsSync } from 'node:fs'
import { AUTH_MODULE, signInAtApache, startApache } from './peer-apache.ts'
import { startNginx } from './peer-nginx.ts'
import { requestOf } from './request.ts'
import { measureByTurns, type Round, ratioOf, type Subject } from './rounds.ts'
import { type Server, type Setting, startProgram } from './setting.ts'
import { signIn, startMeasured } from './stepgate.ts'
import type { Line } from './table.ts'

const BARE = 'bare undici pipe'
const QUIET = 'stepgate, signed in, no access log'
const RECHECKED = 'the same, rechecked, with assertion'
const LOGGING = 'stepgate, signed in, access log'
const NGINX = 'nginx, proxy_pass'
const APACHE = 'Apache, mod_auth_openidc, signed in'

/** So that the provider gives a refresh token. */
const RECHECK = {
  STEPGATE_OIDC_SCOPES: 'openid profile email phone offline_access',
  STEPGATE_SESSION_RECHECK: '5m',
  STEPGATE_ASSERTION: 'on',
}

/** Which program is where; what it needs of a machine. */
const PROGRAMS = {
  nginx: ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/sbin/nginx'],
  apache: ['/usr/sbin/apache2'],
}

/**
 * stepgate beside the bare pipe and beside others, each on one core, with the same request. Names
 * peers that are missing with `say`.
 */
export async function comparePeers(
  setting: Setting,
  size: { readonly rounds: number; readonly ms: number },
  say: (line: string) => void,
): Promise<Line[]> {
  const servers: Server[] = []
  const subjects: Subject[] = []
  const add = async (name: string, server: Server, cookie: string) => {
    const file = await setting.write([requestOf(server.origin, cookie)])
    subjects.push({ ...server, name, file })
  }
  const start = async <S extends Server>(starting: Promise<S>) => {
    const server = await starting
    servers.push(server)
    return server
  }
  try {
    const quiet = await start(startMeasured(setting, { STEPGATE_SESSION_RECHECK: 'off' }))
    const cookie = await signIn(quiet, setting)
    await add(BARE, await start(startProgram(setting, 'bare-pipe.ts')), cookie)
    await add(QUIET, quiet, cookie)
    const rechecked = await start(startMeasured(setting, RECHECK))
    await add(RECHECKED, rechecked, await signIn(rechecked, setting))
    const logging = await start(
      startMeasured(setting, { STEPGATE_ACCESS_LOG: 'on' }, { stdout: 'pipe' }),
    )
    await add(LOGGING, logging, await signIn(logging, setting))
    if (isThere(PROGRAMS.nginx)) await add(NGINX, await start(startNginx(setting)), cookie)
    else say('nginx is missing here (Debian: nginx)')
    if (isThere(PROGRAMS.apache) && existsSync(AUTH_MODULE)) {
      const apache = await start(startApache(setting))
      await add(APACHE, apache, await signInAtApache(apache))
    } else {
      say('Apache with mod_auth_openidc is missing here (Debian: libapache2-mod-auth-openidc)')
    }
    await add('httpxy', await start(startProgram(setting, 'peer-httpxy.ts')), cookie)
    await add("Hono's proxy helper", await start(startProgram(setting, 'peer-hono.ts')), cookie)
    const measured = await measureByTurns(setting, subjects, size)
    return [...measured].map(([name, rounds]) => ({ name, rounds, aims: aimsOf(name, measured) }))
  } finally {
    await Promise.all(servers.map(({ stop }) => stop()))
  }
}

function isThere(paths: readonly string[]): boolean {
  return paths.some((path) => existsSync(path))
}

function aimsOf(name: string, measured: ReadonlyMap<string, readonly Round[]>) {
  const rounds = measured.get(name) ?? []
  const bare = measured.get(BARE) ?? []
  const nginx = measured.get(NGINX)
  const apache = measured.get(APACHE)
  const ofBare = { what: 'CPU of bare', unit: '×', value: ratioOf(rounds, bare, 'cpu') } as const
  if (name === RECHECKED) {
    const value = ratioOf(rounds, measured.get(QUIET) ?? [], 'cpu')
    return [{ what: 'CPU of stepgate without', unit: '×', value, most: 1.03 } as const]
  }
  if (name === LOGGING) return [{ ...ofBare, most: 1.35 }]
  if (name !== QUIET) return []
  return [
    { ...ofBare, most: 1.15 },
    { what: 'p99 of bare', unit: '×', value: ratioOf(rounds, bare, 'p99'), most: 1.3 } as const,
    ...(nginx === undefined
      ? []
      : [
          {
            what: 'CPU of nginx',
            unit: '×',
            value: ratioOf(rounds, nginx, 'cpu'),
            most: 2.3,
          } as const,
        ]),
    ...(apache === undefined
      ? []
      : [
          {
            what: 'requests a CPU second of Apache',
            unit: '×',
            value: ratioOf(apache, rounds, 'cpu'),
            least: 3.5,
          } as const,
        ]),
  ]
}
