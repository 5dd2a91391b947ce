import { readFileSync } from 'node:fs'
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { buildConnector, Pool } from 'undici'
import type { UpstreamAddress, UpstreamTls } from '../config/config.ts'
import { StartError } from '../explain-failure.ts'
import { problemOfPair } from '../listener/certificate.ts'

/** Times in ms; `connections` is the most that may be open at once (absent: no limit). */
export type PoolOptions = {
  readonly connectTimeout: number
  readonly headersTimeout: number
  /** Longest silence within a response; 0 for none. */
  readonly bodyTimeout: number
  readonly connections?: number
  /** How an https application is spoken to. */
  readonly tls?: UpstreamTls | undefined
}

/** What a response's header section may have, in bytes; old applications are generous with cookies. */
export const MAX_HEADER_SIZE = 64 * 1024

/** Keep-alive connections to the application: HTTP/1.1, one request at a time on each. */
export function createPool(
  address: UpstreamAddress,
  options: PoolOptions,
  connect = createConnect(address, options),
): Pool {
  return new Pool(address.kind === 'tcp' ? address.origin.origin : 'http://localhost', {
    connect,
    connections: options.connections ?? null,
    headersTimeout: options.headersTimeout,
    bodyTimeout: options.bodyTimeout,
    maxHeaderSize: MAX_HEADER_SIZE,
    pipelining: 1,
    allowH2: false,
    useMilo: false,
  })
}

/**
 * Opens connections to the application; those of the pool, and of others that speak to it. Throws
 * `StartError` for certificates that can't be used.
 */
export function createConnect(
  address: UpstreamAddress,
  options: PoolOptions,
): buildConnector.connector {
  const secure = address.kind === 'tcp' && address.origin.protocol === 'https:'
  const connect = buildConnector({
    allowH2: false,
    timeout: options.connectTimeout,
    ...(address.kind === 'unix' ? { socketPath: address.path } : {}),
    ...(secure ? { secureContext: createTls(options.tls) } : {}),
    ...(options.tls?.serverName === undefined ? {} : { servername: options.tls.serverName }),
  })
  // undici takes the TLS server name from the Host header, which is the browser's: with none given
  // the certificate is checked against the configured address or name.
  return ({ servername, ...target }, callback) =>
    connect(target, (...connected) => {
      connected[1]?.on('error', renameReset)
      callback(...connected)
    })
}

/** What a connector is told of an address. */
export function connectTarget(address: UpstreamAddress): buildConnector.Options {
  const { protocol, hostname, host, port } =
    address.kind === 'tcp' ? address.origin : new URL('http://localhost')
  return { protocol, hostname: hostname.replace(/^\[|\]$/g, ''), host, port }
}

/** Code of a connection that the application has reset. */
export const RESET = 'UPSTREAM_RESET'

// undici takes an ECONNRESET for the proper end of a response that has no length: half a page would
// pass for a whole one.
function renameReset(error: NodeJS.ErrnoException): void {
  if (error.code === 'ECONNRESET') error.code = RESET
}

/**
 * Trusts the configured authority alone, or else Node's with those of `NODE_EXTRA_CA_CERTS`, and the
 * system's. Made once: it costs milliseconds, and would otherwise be made anew for each connection.
 */
function createTls({ caFile, client }: UpstreamTls = {}): SecureContext {
  const pair = client && {
    cert: readFileSync(client.certFile, 'utf8'),
    key: readFileSync(client.keyFile, 'utf8'),
  }
  const problem = pair && problemOfPair(pair)
  if (problem !== undefined) {
    throw new StartError(
      `STEPGATE_UPSTREAM_CERT_FILE and STEPGATE_UPSTREAM_KEY_FILE are unusable: ${problem}`,
    )
  }
  const usual = () => [...getCACertificates('default'), ...getCACertificates('system')]
  return createSecureContext({ ca: caFile === undefined ? usual() : readFileSync(caFile), ...pair })
}
