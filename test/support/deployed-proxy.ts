import { existsSync, readFileSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runServer } from '../hostile/run-server.ts'
import { ROOT } from '../packaging/dockerfile.ts'
import { freePort } from './free-port.ts'
import { testClient } from './relying-party.ts'
import { startWorld, type World, type WorldOptions } from './world.ts'

/** A real proxy with deploy's configuration, before a world's stepgate and its application. */
export type DeployedProxy = {
  readonly world: World
  /** Where people come in. */
  readonly url: URL
  /** Ends stepgate and all around it but the proxy. */
  closeWorld(): Promise<void>
  stop(): Promise<void>
}

/** Which proxy it is, and how it is started with its configuration. */
export type ProxyKind = {
  readonly name: string
  readonly program: string
  /** Whether stepgate forwards, or is asked. */
  readonly forwards: boolean
  readonly launch: (places: Places) => Promise<readonly string[]>
}

type Places = {
  readonly folder: string
  /** A script in place of deploy's. */
  readonly script?: string | undefined
  /** How long it waits for stepgate's answer, in seconds. */
  readonly patience: number
  readonly port: number
  readonly stepgate: string
  readonly application: string
  /** Between stepgate and the application, for a proxy that is on both sides. */
  readonly inner: number
}

const SCRIPT = join(ROOT, 'deploy/forward-auth/stepgate.lua')

const RULES = `
  public /public/**
  twilio_sms POST /basic/form
  basic /basic/** /board/**
  deny /denied/**`

/** The configurations of deploy/forward-auth that Debian has the servers for. */
export const PROXY_KINDS: readonly ProxyKind[] = [
  {
    name: 'nginx',
    program: '/usr/sbin/nginx',
    forwards: false,
    async launch({ folder, port, stepgate, application, patience }) {
      const site = deployed('nginx.conf', {
        'proxy_read_timeout 10s': `proxy_read_timeout ${patience}s`,
        '127.0.0.1:8080': stepgate,
        '127.0.0.1:3000': application,
        'listen 443 ssl;': `listen 127.0.0.1:${port};`,
        '  ssl_certificate     /etc/ssl/certs/app.example.com.pem;\n': '',
        '  ssl_certificate_key /etc/ssl/private/app.example.com.key;\n': '',
      })
      const file = join(folder, 'nginx.conf')
      const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${folder}/${name};`)
        .join('\n')
      const main = `daemon off; master_process off; pid ${folder}/pid; events {}`
      await writeFile(file, `${main}\nhttp {\naccess_log off;\n${paths}\n${site}\n}\n`)
      return ['/usr/sbin/nginx', '-p', folder, '-e', 'stderr', '-c', file]
    },
  },
  {
    name: 'Caddy',
    program: '/usr/bin/caddy',
    forwards: false,
    async launch({ folder, port, stepgate, application, patience }) {
      const site = deployed('Caddyfile', {
        'response_header_timeout 10s': `response_header_timeout ${patience}s`,
        '127.0.0.1:8080': stepgate,
        '127.0.0.1:3000': application,
        'app.example.com {': `http://127.0.0.1:${port} {\n\tbind 127.0.0.1`,
      })
      const file = join(folder, 'Caddyfile')
      await writeFile(file, `{\n\tadmin off\n}\n${site}`)
      const home = [`XDG_DATA_HOME=${folder}`, `XDG_CONFIG_HOME=${folder}`]
      const run = ['/usr/bin/caddy', 'run', '--adapter', 'caddyfile', '--config', file]
      return ['/usr/bin/env', ...home, ...run]
    },
  },
  {
    name: 'HAProxy',
    program: '/usr/sbin/haproxy',
    forwards: false,
    async launch({ folder, port, stepgate, application, script = SCRIPT }) {
      const file = join(folder, 'haproxy.cfg')
      const site = deployed('haproxy.cfg', {
        '127.0.0.1:8080': stepgate,
        '127.0.0.1:3000': application,
        '/etc/haproxy/stepgate.lua': script,
        ':443 ssl crt /etc/haproxy/app.example.com.pem': `127.0.0.1:${port}`,
      })
      await writeFile(file, site)
      return ['/usr/sbin/haproxy', '-db', '-f', file]
    },
  },
  {
    name: 'Apache',
    program: '/usr/sbin/apache2',
    forwards: true,
    async launch({ folder, port, stepgate, application, inner }) {
      // Its processes may run as another user than the one that made the folder.
      await chmod(folder, 0o755)
      const site = deployed('apache.conf', {
        '127.0.0.1:8080': stepgate,
        '127.0.0.1:3001': application,
        '127.0.0.1:3000': `127.0.0.1:${inner}`,
        'Listen 443': `Listen 127.0.0.1:${port}`,
        '*:443': `127.0.0.1:${port}`,
        '  SSLEngine on\n': '',
        '  SSLCertificateFile    /etc/ssl/certs/app.example.com.pem\n': '',
        '  SSLCertificateKeyFile /etc/ssl/private/app.example.com.key\n': '',
      })
      const modules = ['mpm_event', 'authz_core', 'headers', 'proxy', 'proxy_http']
      const main = [
        `ServerRoot ${folder}`,
        'ServerName localhost',
        `PidFile ${folder}/apache.pid`,
        `DefaultRuntimeDir ${folder}`,
        `ErrorLog ${folder}/error.log`,
        ...modules.map(
          (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
        ),
        process.getuid?.() === 0 ? 'User nobody\nGroup nogroup' : '',
        'StartServers 1\nServerLimit 1\nThreadsPerChild 32\nMaxRequestWorkers 32',
      ]
      const file = join(folder, 'apache.conf')
      await writeFile(file, `${main.join('\n')}\n${site}`)
      return ['/usr/sbin/apache2', '-f', file, '-DFOREGROUND']
    },
  },
]

/** For `{ skip: … }`. */
export function missingProxy({ program }: ProxyKind): string | false {
  return existsSync(program) ? false : `needs ${program}`
}

/**
 * Starts everything, with another script than deploy's, another stepgate, less patience with it, or other
 * variables if they are given; what deploy's configuration names is replaced by what is there.
 */
export async function startDeployedProxy(
  kind: ProxyKind,
  options: { script?: string; stepgate?: string; patience?: number } & Pick<
    WorldOptions,
    'issuer' | 'env'
  > = {},
): Promise<DeployedProxy> {
  const { script, stepgate, patience = 10, issuer, env } = options
  const worlds = new Set<World>()
  const closeWorlds = async () => {
    const open = [...worlds]
    worlds.clear()
    await Promise.all(open.map((one) => one.close()))
  }
  const server = await runServer(async (folder, port) => {
    const inner = await freePort()
    const world = await startWorld({
      ...(issuer !== undefined && { issuer }),
      env: {
        STEPGATE_PUBLIC_URL: `http://127.0.0.1:${port}`,
        STEPGATE_UPSTREAM: kind.forwards ? `http://127.0.0.1:${inner}` : 'none',
        STEPGATE_TRUSTED_PROXIES: '127.0.0.1',
        STEPGATE_RULES: RULES,
        STEPGATE_ASSERTION: 'on',
        ...env,
      },
    })
    worlds.add(world)
    const url = new URL(`http://127.0.0.1:${port}`)
    world.provider.putClient({
      ...testClient,
      redirect_uris: [new URL('/_stepgate/callback', url).href],
      post_logout_redirect_uris: [new URL('/_stepgate/signed-out', url).href],
    })
    const [program = '', ...args] = await kind.launch({
      folder,
      port,
      inner,
      script,
      patience,
      stepgate: stepgate ?? world.url.host,
      application: world.application.url.host,
    })
    return { program, args }
  })
  return {
    world: [...worlds].at(-1) as World,
    url: new URL(`http://127.0.0.1:${server.port}`),
    closeWorld: closeWorlds,
    async stop() {
      await server.stop()
      await closeWorlds()
    },
  }
}

/** A file of deploy/forward-auth with every one of these texts, which it has to hold, replaced. */
function deployed(name: string, replacements: Readonly<Record<string, string>>): string {
  const file = join(ROOT, 'deploy/forward-auth', name)
  return Object.entries(replacements).reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`${file} does not hold ${from}`)
      return text.replaceAll(from, to)
    },
    readFileSync(file, 'utf8'),
  )
}
