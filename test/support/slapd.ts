import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { endProcess } from './end-process.ts'
import { createCertificate } from './slapd-certificate.ts'
import { slapdConf } from './slapd-config.ts'
import { stopProcess } from './stop-process.ts'

export { personLdif } from './slapd-person.ts'

/** Why there is no slapd for tests on this machine, for `{ skip: slapdMissing }`; false if there is. */
export const slapdMissing: string | false = missingProgram()

export type SlapdOptions = {
  /** LDIF added to the base entries, see `personLdif`. */
  readonly entries?: string
  /** StartTLS on `url`, TLS on `ldapsUrl`; with the certificate's subjectAltName if it matters. */
  readonly tls?: boolean | { readonly names: string }
  /** Lets anonymous connections see entries, but no phone attribute. */
  readonly anonymousRead?: boolean
  /** URL of another server for whatever lies outside of `baseDn`. */
  readonly referral?: string
}

/** A real OpenLDAP server with people under `ou=people,{baseDn}`. */
export type Slapd = {
  /** `ldap://127.0.0.1:port` */
  readonly url: URL
  /** `ldaps://127.0.0.1:port`, with `tls`. */
  readonly ldapsUrl?: URL
  readonly baseDn: string
  /** The service account: reads all but passwords. */
  readonly bindDn: string
  readonly bindPassword: string
  /** PEM of the CA, with `tls`. */
  readonly caFile?: string
  /** Applies LDIF change records as the directory's administrator. */
  modify(ldif: string): Promise<void>
  /** SIGSTOP: connections stay open, nothing answers. */
  pause(): void
  resume(): void
  /** Ends the process and keeps port and data for `restart`. */
  halt(): Promise<void>
  restart(): Promise<void>
  /** Ends the process and deletes its folder; may be called twice. */
  stop(): Promise<void>
}

const BASE_DN = 'dc=example,dc=com'
const BIND_DN = `cn=stepgate,${BASE_DN}`
const ADMIN_DN = `cn=admin,${BASE_DN}`

/** Starts slapd on free loopback ports; resolves when it answers. */
export async function startSlapd(options: SlapdOptions = {}): Promise<Slapd> {
  const folder = await mkdtemp(join(tmpdir(), 'slapd-'))
  try {
    return await startIn(folder, options)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function startIn(folder: string, options: SlapdOptions): Promise<Slapd> {
  const bindPassword = randomBytes(12).toString('hex')
  const adminPassword = randomBytes(12).toString('hex')
  const names = typeof options.tls === 'object' ? options.tls.names : 'DNS:localhost,IP:127.0.0.1'
  const tls = options.tls ? await createCertificate(folder, names) : undefined
  const conf = join(folder, 'slapd.conf')

  await mkdir(join(folder, 'data'))
  await writeFile(
    conf,
    slapdConf({
      folder,
      baseDn: BASE_DN,
      adminDn: ADMIN_DN,
      adminPassword,
      bindDn: BIND_DN,
      anonymousRead: options.anonymousRead ?? false,
      ...(options.referral && { referral: options.referral }),
      ...(tls && { tls }),
    }),
  )
  await run('slapadd', ['-q', '-f', conf], `${baseEntries(bindPassword)}\n${options.entries ?? ''}`)

  let server = await launchOnFreePorts(conf, tls !== undefined)
  const { port, tlsPort } = server
  const url = new URL(`ldap://127.0.0.1:${port}`)

  return {
    url,
    ...(tls && { ldapsUrl: new URL(`ldaps://127.0.0.1:${tlsPort}`), caFile: tls.ca }),
    baseDn: BASE_DN,
    bindDn: BIND_DN,
    bindPassword,
    async modify(ldif) {
      await run('ldapmodify', ['-x', '-H', url.href, '-D', ADMIN_DN, '-w', adminPassword], ldif)
    },
    pause: () => stopProcess(server.process),
    resume: () => void server.process.kill('SIGCONT'),
    halt: () => endProcess(server.process),
    async restart() {
      await endProcess(server.process)
      server = await launch(conf, port, tlsPort)
    },
    async stop() {
      await endProcess(server.process)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function baseEntries(bindPassword: string): string {
  return [
    `dn: ${BASE_DN}\nobjectClass: domain\ndc: example\n`,
    `dn: ou=people,${BASE_DN}\nobjectClass: organizationalUnit\nou: people\n`,
    `dn: ${BIND_DN}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: stepgate\nuserPassword: ${bindPassword}\n`,
  ].join('\n')
}

type Server = {
  readonly process: ChildProcess
  readonly port: number
  readonly tlsPort: number | undefined
}

/** Another process may take a free port before slapd does; then the next one is tried. */
async function launchOnFreePorts(conf: string, tls: boolean): Promise<Server> {
  const errors: unknown[] = []
  while (errors.length < 5) {
    const [port, tlsPort] = await freePorts()
    try {
      return await launch(conf, port, tls ? tlsPort : undefined)
    } catch (error) {
      errors.push(error)
    }
  }
  throw new AggregateError(errors, 'slapd does not start')
}

async function launch(conf: string, port: number, tlsPort?: number): Promise<Server> {
  const urls = [`ldap://127.0.0.1:${port}/`]
  if (tlsPort !== undefined) urls.push(`ldaps://127.0.0.1:${tlsPort}/`)
  const child = spawn('slapd', ['-d', '0', '-f', conf, '-h', urls.join(' ')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: withSystemFolders(),
  })
  let output = ''
  child.stderr.on('data', (data) => {
    output += data
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))

  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`slapd ended at once: ${output}`)
    await wait(20)
  }
  // Something else on this port may have answered while slapd gave up.
  if (child.exitCode !== null) throw new Error(`slapd ended at once: ${output}`)
  return { process: child, port, tlsPort }
}

/** Whether an anonymous bind gets any answer. */
async function answers(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    socket.write(Buffer.from('300c020101600702010304008000', 'hex'))
    await once(socket, 'data', { signal: AbortSignal.timeout(2000) })
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function freePorts(): Promise<[number, number]> {
  const servers = [net.createServer(), net.createServer()] as const
  for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening')
  const [first, second] = servers.map((server) => (server.address() as net.AddressInfo).port)
  for (const server of servers) await new Promise((closed) => server.close(closed))
  return [first ?? 0, second ?? 0]
}

async function run(program: string, args: readonly string[], input: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = execFile(program, args, { env: withSystemFolders() }, (error, _out, stderr) =>
      error ? reject(new Error(`${program}: ${stderr}`)) : resolve(),
    )
    child.stdin?.end(input)
  })
}

/** slapd lives in a folder that is on the PATH of administrators only. */
function withSystemFolders(): NodeJS.ProcessEnv {
  const path = [process.env.PATH, '/usr/sbin', '/usr/local/sbin', '/usr/local/libexec']
  return { ...process.env, PATH: path.join(delimiter) }
}

function missingProgram(): string | false {
  const missing = ['slapd', 'slapadd', 'ldapmodify', 'openssl'].find((program) => {
    const { error } = spawnSync(program, ['-VV'], { env: withSystemFolders(), stdio: 'ignore' })
    return error !== undefined
  })
  return missing === undefined ? false : `needs ${missing}`
}
