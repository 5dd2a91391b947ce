import { readFile } from 'node:fs/promises'
import net from 'node:net'
import tls from 'node:tls'
import { Client, ResultCodeError } from 'ldapts'
import type { LdapConfig } from '../config/config.ts'
import { type LdapPhase, LdapProblemError, problemOf } from './ldap-problem.ts'

/** One connection bound as the service account, shared by all and replaced when it is lost. */
export type LdapConnection = {
  /**
   * Runs `work` on a bound connection until `signal` aborts; once more on a new one if the
   * connection was lost meanwhile. Throws only `LdapProblemError`.
   */
  use<T>(work: (client: Client) => Promise<T>, signal: AbortSignal): Promise<T>
  close(): Promise<void>
}

export type LdapConnectionOptions = {
  /** For connecting, TLS and bind together, in ms. */
  readonly timeout: number
  /** PEM; instead of reading `config.caFile`. */
  readonly ca?: string
  readonly onOpen?: () => void
  readonly onProblem?: (problem: LdapProblemError) => void
}

type Link = {
  readonly client: Client
  isAlive(): boolean
  /** Ends it for all; reports why, the first time. */
  drop(problem: LdapProblemError): void
}

// A firewall that forgets an idle connection says nothing; probes keep it, or find out within 25 s.
const KEEP_ALIVE_DELAY = 15_000

const UNBIND_TIMEOUT = 500

// Operations error is how Active Directory says that it no longer takes us as bound; the others
// say that this server, not this search, is the trouble.
const LOST_RESULTS: ReadonlySet<number> = new Set([1, 2, 51, 52, 80])

/** Connects at the first use. Empty credentials are refused: for a directory they mean anonymous. */
export function createLdapConnection(
  config: LdapConfig,
  bindPassword: string,
  options: LdapConnectionOptions,
): LdapConnection {
  if (config.bindDn.trim() === '' || bindPassword === '') {
    throw new LdapProblemError('credentials', 'The bind DN and its password must not be empty.')
  }
  let current: { opening: Promise<Link>; link?: Link } | undefined
  const closing = new AbortController()
  const report = (problem: LdapProblemError) => {
    if (!closing.signal.aborted) options.onProblem?.(problem)
  }

  function link(): Promise<Link> {
    if (closing.signal.aborted) throw closedProblem()
    if (current && (!current.link || current.link.isAlive())) return current.opening
    const attempt: { opening: Promise<Link>; link?: Link } = {
      opening: openLink(config, bindPassword, { ...options, onProblem: report }, closing.signal),
    }
    current = attempt
    attempt.opening.then(
      (opened) => {
        attempt.link = opened
        if (closing.signal.aborted) opened.drop(closedProblem())
        else options.onOpen?.()
      },
      (error) => {
        if (current === attempt) current = undefined
        report(problemOf(error, 'connect'))
      },
    )
    return attempt.opening
  }

  async function linkWithin(signal: AbortSignal): Promise<Link> {
    const joined = current !== undefined && current.link === undefined
    try {
      return await within(link(), signal)
    } catch (error) {
      // Whoever joined an attempt that began earlier still has time when that one's is up.
      const early = joined && problemOf(error, 'connect').reason === 'timeout'
      if (!early || signal.aborted) throw error
      return within(link(), signal)
    }
  }

  return {
    async use(work, signal) {
      try {
        const first = await linkWithin(signal)
        const outcome = await runOn(first, work, signal)
        if (outcome.kind === 'done') return outcome.value
        const second = await linkWithin(signal)
        const again = await runOn(second, work, signal)
        if (again.kind === 'done') return again.value
        throw again.problem
      } catch (error) {
        throw problemOf(error, 'search')
      }
    },

    async close() {
      closing.abort()
      const opened = current?.link
      if (!opened?.isAlive()) return
      await within(opened.client.unbind(), AbortSignal.timeout(UNBIND_TIMEOUT)).catch(() => {})
      opened.drop(closedProblem())
    },
  }
}

function closedProblem(): LdapProblemError {
  return new LdapProblemError('connection', 'The directory client is closed.')
}

type Outcome<T> = { kind: 'done'; value: T } | { kind: 'lost'; problem: LdapProblemError }

async function runOn<T>(
  link: Link,
  work: (client: Client) => Promise<T>,
  signal: AbortSignal,
): Promise<Outcome<T>> {
  // No await between this and `work`: ldapts opens a new, anonymous connection for a dead one.
  if (!link.isAlive()) return { kind: 'lost', problem: problemOf(undefined, 'search') }
  try {
    return { kind: 'done', value: await within(work(link.client), signal) }
  } catch (error) {
    if (error instanceof ResultCodeError && !LOST_RESULTS.has(error.code)) throw error
    // No answer in time may mean that none will ever come on this socket.
    const problem = problemOf(error, 'search')
    link.drop(problem)
    if (signal.aborted) throw problem
    return { kind: 'lost', problem }
  }
}

async function openLink(
  config: LdapConfig,
  bindPassword: string,
  options: LdapConnectionOptions,
  closing: AbortSignal,
): Promise<Link> {
  const signal = AbortSignal.any([AbortSignal.timeout(options.timeout), closing])
  let phase: LdapPhase = 'connect'
  const sockets: net.Socket[] = []
  try {
    const secure = await within(tlsOptions(config, options.ca), signal)
    const client = createClient(config, secure, sockets)
    if (config.startTls) {
      phase = 'start-tls'
      await within(client.startTLS({ ...secure }), signal)
    }
    phase = 'bind'
    await within(client.bind(config.bindDn, bindPassword), signal)
    return linkOf(client, sockets, options)
  } catch (error) {
    destroyAll(sockets)
    throw problemOf(error, phase)
  }
}

function linkOf(client: Client, sockets: net.Socket[], options: LdapConnectionOptions): Link {
  let dropped = false
  return {
    client,
    isAlive: () =>
      !dropped && client.isBound && sockets.every((socket) => socket.readyState === 'open'),
    drop(problem) {
      if (dropped) return
      dropped = true
      destroyAll(sockets)
      options.onProblem?.(problem)
    },
  }
}

/** `sockets` receives what is opened: a StartTLS client does not notice itself that its own is gone. */
function createClient(
  config: LdapConfig,
  secure: tls.ConnectionOptions,
  sockets: net.Socket[],
): Client {
  function watch<S extends net.Socket>(socket: S): S {
    sockets.push(socket)
    return socket
  }
  function connect(port: number, host: string): net.Socket {
    if (sockets.length > 0) throw new Error('Connection lost')
    return watch(
      net.connect({ port, host, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_DELAY }),
    )
  }
  function connectSecure(first: number | tls.ConnectionOptions, host = ''): tls.TLSSocket {
    if (typeof first !== 'number') return watch(tls.connect(first))
    return watch(tls.connect({ ...secure, socket: connect(first, host) }))
  }
  return new Client({
    url: config.url.href,
    createConnection: connect as typeof net.connect,
    createSecureConnection: connectSecure as typeof tls.connect,
  })
}

async function tlsOptions(config: LdapConfig, ca?: string): Promise<tls.ConnectionOptions> {
  const host = config.url.hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost'
  const trusted = ca ?? (config.caFile === undefined ? undefined : await readCa(config.caFile))
  return {
    host,
    ...(net.isIP(host) === 0 && { servername: host }),
    ...(trusted !== undefined && { ca: trusted }),
    // Said explicitly so that NODE_TLS_REJECT_UNAUTHORIZED can't turn it off.
    rejectUnauthorized: true,
  }
}

async function readCa(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new LdapProblemError('connection', 'STEPGATE_LDAP_CA_FILE can not be read.', cause)
  }
}

function destroyAll(sockets: readonly net.Socket[]): void {
  for (const socket of sockets) {
    // ldapts takes its listeners off, and an error that nobody hears would end the process.
    socket.on('error', () => {})
    socket.destroy()
  }
}

/** The promise, or a `timeout` problem when the signal aborts first. */
function within<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const expire = () =>
      reject(new LdapProblemError('timeout', 'The directory did not answer in time.'))
    if (signal.aborted) expire()
    else signal.addEventListener('abort', expire, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', expire))
  })
}
