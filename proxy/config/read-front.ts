import { problemOfPem } from './check-pem.ts'
import type { Config, ListenAddress, UpstreamAddress } from './config.ts'
import type { Files } from './files.ts'
import { isLoopbackHost } from './loopback.ts'
import { writeAddress } from './parse-url.ts'
import { readUpstreamTls } from './read-upstream-tls.ts'
import { readUpstreams } from './read-upstreams.ts'
import type { Report, Settings, Warn } from './settings.ts'

type Front = Pick<
  Config,
  | 'publicUrl'
  | 'upstreams'
  | 'upstreamTls'
  | 'upstreamTimeout'
  | 'listen'
  | 'webSocketOrigins'
  | 'tls'
  | 'http2'
  | 'proxyProtocol'
>

/** Where requests come in and go on to; checks that they don't go round in a circle. */
export function readFront(
  { given, values }: Settings,
  files: Files,
  report: Report,
  warn: Warn,
): Front | undefined {
  const { PUBLIC_URL: publicUrl, LISTEN: listen } = values
  const { UPSTREAM_TIMEOUT: upstreamTimeout } = values
  const { HTTP2: http2, PROXY_PROTOCOL: proxyProtocol } = values
  const tls = readTls({ given, values }, files, report)
  const upstreams = readUpstreams({ given, values }, report, warn)
  const addresses = upstreams?.flatMap((upstream) => upstream.addresses)
  const upstreamTls = readUpstreamTls({ given, values }, addresses, files, report)
  if (given.has('HTTP2') && http2 && !given.has('TLS_CERT_FILE')) {
    report(
      'HTTP2',
      'is on, but without STEPGATE_TLS_CERT_FILE stepgate serves no TLS, which it needs',
    )
  }
  if (proxyProtocol && !given.has('TRUSTED_PROXIES')) {
    report(
      'PROXY_PROTOCOL',
      'is on, but STEPGATE_TRUSTED_PROXIES names no balancer: every connection would be cut off',
    )
  }
  if (values.PROXY_HEADERS === 'forwarded' && !given.has('TRUSTED_PROXIES')) {
    report('PROXY_HEADERS', 'is set, but STEPGATE_TRUSTED_PROXIES names no proxy to write them')
  }
  if (listen && addresses?.some((address) => isSameSocket(address, listen))) {
    report('UPSTREAM', 'is where stepgate itself listens (STEPGATE_LISTEN); name the application')
  }
  if (!publicUrl || !upstreams || !upstreamTimeout || !listen) return undefined
  if (http2 === undefined || proxyProtocol === undefined) return undefined
  if (tls && publicUrl.protocol === 'http:') {
    report('PUBLIC_URL', 'begins with http://, but STEPGATE_TLS_CERT_FILE makes stepgate serve TLS')
  }
  if (addresses?.some((address) => writeAddress(address) === publicUrl.origin)) {
    warn(
      'STEPGATE_UPSTREAM is the same as STEPGATE_PUBLIC_URL: unless that name leads elsewhere from here, requests go round in a circle',
    )
  }
  return {
    publicUrl,
    upstreams,
    ...(upstreamTls && { upstreamTls }),
    upstreamTimeout,
    listen,
    webSocketOrigins: values.WEBSOCKET_ORIGINS ?? [],
    ...(tls && { tls }),
    http2,
    proxyProtocol,
  }
}

function readTls({ given, values }: Settings, files: Files, report: Report): Config['tls'] {
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } = values
  if (given.has('TLS_CERT_FILE') && !given.has('TLS_KEY_FILE')) {
    report('TLS_KEY_FILE', 'is not set, but STEPGATE_TLS_CERT_FILE is; TLS needs both')
  }
  if (given.has('TLS_KEY_FILE') && !given.has('TLS_CERT_FILE')) {
    report('TLS_CERT_FILE', 'is not set, but STEPGATE_TLS_KEY_FILE is; TLS needs both')
  }
  if (certFile !== undefined) {
    const problem = problemOfPem(certFile, files, /-----BEGIN CERTIFICATE-----/, 'certificate')
    if (problem) report('TLS_CERT_FILE', problem)
  }
  if (keyFile !== undefined) {
    const problem = problemOfPem(keyFile, files, /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/, 'key')
    if (problem) report('TLS_KEY_FILE', problem)
  }
  return certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined
}

function isSameSocket(upstream: UpstreamAddress, listen: ListenAddress): boolean {
  if (upstream.kind === 'unix' || listen.kind === 'unix') {
    return upstream.kind === 'unix' && listen.kind === 'unix' && upstream.path === listen.path
  }
  const { hostname, protocol, port } = upstream.origin
  const upstreamPort = Number(port || (protocol === 'https:' ? 443 : 80))
  const host = listen.host?.includes(':') ? `[${listen.host}]` : listen.host
  const listensHere =
    host === undefined ||
    host === '0.0.0.0' ||
    host === '[::]' ||
    host === hostname ||
    (host === 'localhost' && ['127.0.0.1', '[::1]'].includes(hostname)) ||
    (hostname === 'localhost' && ['127.0.0.1', '[::1]'].includes(host))
  return upstreamPort === listen.port && listensHere && isLoopbackHost(hostname)
}
