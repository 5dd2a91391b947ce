import { readFileSync } from 'node:fs'
import { createServer as createHttp, type RequestListener, type Server } from 'node:http'
import { createSecureServer as createHttp2 } from 'node:http2'
import { createServer as createHttps } from 'node:https'
import type { ClientLimits, Config } from '../config/config.ts'
import { StartError } from '../explain-failure.ts'
import type { Log } from '../log.ts'
import { isHandshake } from '../request/web-socket-handshake.ts'
import { problemOfPair, tlsOptions } from './certificate.ts'
import { endIdleSessions } from './end-idle-sessions.ts'
import { followCertificate } from './follow-certificate.ts'
import { PlainRequest, PlainResponse } from './http2-messages.ts'

/** Times in ms. */
const HANDSHAKE = 15_000
const BETWEEN_LOOKS = 5_000
const BETWEEN_CHECKS = 5_000

const HTTP1 = {
  // An upload may take as long as it likes: `requestTimeout` counts the body, headersTimeout not.
  requestTimeout: 0,
  // All that is no handshake to the letter goes the ordinary way, as if it had not asked.
  shouldUpgradeCallback: isHandshake,
  // `readRequest` refuses what has none, with a page and a line in the log.
  requireHostHeader: false,
}

/** `readRequest` has the exact limits, so that what is a little beyond them is told so by a page. */
function http1Options({ headerSize, url, headerTimeout, keepAlive }: ClientLimits) {
  return {
    ...HTTP1,
    maxHeaderSize: headerSize + url,
    headersTimeout: headerTimeout,
    connectionsCheckingInterval: Math.min(BETWEEN_CHECKS, headerTimeout / 4),
    keepAliveTimeout: keepAlive,
  }
}

/**
 * Limits of one connection. What Node does by itself against floods: at most 8 CONTINUATION frames a
 * header, 10 pings and 32 settings unanswered, 1,000 invalid frames, 1,000 answers of the protocol
 * waiting for a peer that reads none.
 */
const HTTP2 = {
  settings: {
    maxConcurrentStreams: 100,
    // Of an upload; Node's 64 kB is one round trip's worth.
    initialWindowSize: 1024 * 1024,
    enablePush: false,
  },
  // Of streams, headers and what waits to be written, in MB.
  maxSessionMemory: 10,
  // Requests that are taken back at once (CVE-2023-44487): so many, and so many more a second.
  streamResetBurst: 200,
  streamResetRate: 33,
  // An application may send a header twice that should be there once, as it may over HTTP/1.1.
  strictSingleValueFields: false,
}

// Browsers send each cookie as a field of its own, and pseudo-headers are fields too.
const MORE_FIELDS = 200
// What RFC 9113 §6.5.2 adds for each field.
const FIELD_OVERHEAD = 32

function http2Options({ headerSize, url, headers }: ClientLimits) {
  const maxHeaderListPairs = headers + MORE_FIELDS
  const maxHeaderListSize = headerSize + url + FIELD_OVERHEAD * maxHeaderListPairs
  return { ...HTTP2, maxHeaderListPairs, settings: { ...HTTP2.settings, maxHeaderListSize } }
}

/** What serves requests, and does not listen yet. */
export type ListeningParts = {
  readonly server: Server
  /** Ends what runs beside it. */
  close(): void
}

/**
 * HTTP/1.1; with a certificate over TLS, and then HTTP/2 for clients that choose it (ALPN). Follows
 * changes of the certificate. Throws `StartError` for one that can't be used.
 */
export function createServer(
  { tls, http2, limits }: Pick<Config, 'tls' | 'http2' | 'limits'>,
  log: Log,
  listener: RequestListener,
  { lookEvery = BETWEEN_LOOKS } = {},
): ListeningParts {
  const options = http1Options(limits)
  if (tls === undefined) {
    return { server: limitHeaders(createHttp(options, listener), limits), close: () => {} }
  }
  const pair = {
    cert: readFileSync(tls.certFile, 'utf8'),
    key: readFileSync(tls.keyFile, 'utf8'),
  }
  const problem = problemOfPair(pair)
  if (problem !== undefined) {
    throw new StartError(
      `STEPGATE_TLS_CERT_FILE and STEPGATE_TLS_KEY_FILE are unusable: ${problem}`,
    )
  }
  const secure = { ...options, ...tlsOptions(pair), handshakeTimeout: HANDSHAKE }
  const server = http2
    ? createBoth(secure, listener, limits)
    : createHttps({ ...secure, ALPNProtocols: ['http/1.1'] }, listener)
  const close = followCertificate(tls, pair, { every: lookEvery, log }, (next) =>
    server.setSecureContext(tlsOptions(next)),
  )
  return { server: limitHeaders(server, limits), close }
}

/** node:http cuts off, or leaves out, what is beyond; a little beyond is for `readRequest` to refuse. */
function limitHeaders<S extends Server>(server: S, { headers }: ClientLimits): S {
  server.maxHeadersCount = headers + MORE_FIELDS
  return server
}

function createBoth(
  secure: ReturnType<typeof http1Options> & ReturnType<typeof tlsOptions>,
  listener: RequestListener,
  limits: ClientLimits,
) {
  const server = createHttp2({
    ...secure,
    ...http2Options(limits),
    allowHTTP1: true,
    Http2ServerRequest: PlainRequest,
    Http2ServerResponse: PlainResponse,
  })
  // Of HTTP/1.1 this server reads all options but one.
  Object.assign(server, { shouldUpgradeCallback: isHandshake })
  endIdleSessions(server, limits.keepAlive)
  // All requests of a connection together get no more ahead than one.
  server.on('session', (session) => session.setLocalWindowSize(HTTP2.settings.initialWindowSize))
  // It is a server for HTTP/1.1 as well, and its messages for HTTP/2 are made to look like those.
  return (server as unknown as ReturnType<typeof createHttps>).on('request', listener)
}
