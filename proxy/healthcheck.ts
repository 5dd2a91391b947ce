import { once } from 'node:events'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Config } from './config/config.ts'

/** In ms, for the whole request: less than what a container's HEALTHCHECK has. */
const TIMEOUT = 3_000

/** Whether the stepgate of this configuration answers here; for a container's HEALTHCHECK. */
export async function isHealthy({
  listen,
  tls,
  publicUrl,
  proxyProtocol,
}: Config): Promise<boolean> {
  // Not undici, which takes longer to be loaded than all else here.
  const request = tls === undefined ? requestHttp : requestHttps
  const place =
    listen.kind === 'unix'
      ? { path: listen.path }
      : { host: hostOf(listen.host), port: listen.port }
  const asked = request({
    createConnection() {
      const socket = connect(place)
      // It speaks for itself, as a balancer's own health check does.
      if (proxyProtocol) socket.write('PROXY UNKNOWN\r\n')
      // It is asked on its own socket, where its certificate has no name that could match.
      return tls === undefined ? socket : connectTls({ socket, rejectUnauthorized: false })
    },
    path: '/_stepgate/healthz',
    headers: { host: publicUrl.host },
    signal: AbortSignal.timeout(TIMEOUT),
  }).end()
  try {
    const [{ statusCode }] = await once(asked, 'response')
    return statusCode === 200
  } catch {
    return false
  } finally {
    asked.destroy()
  }
}

function hostOf(host: string | undefined): string {
  if (host === undefined || host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}
