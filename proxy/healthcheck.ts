import { once } from 'node:events'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Config } from './config/config.ts'

/** In ms, for the whole request: less than what a container's HEALTHCHECK has. */
const TIMEOUT = 3_000

/** Whether the stepgate of this configuration answers here; for a container's HEALTHCHECK. */
export async function isHealthy({ listen, tls, publicUrl }: Config): Promise<boolean> {
  // Not undici, which takes longer to be loaded than all else here.
  const request = tls === undefined ? requestHttp : requestHttps
  const asked = request({
    ...(listen.kind === 'unix'
      ? { socketPath: listen.path }
      : { host: hostOf(listen.host), port: listen.port }),
    path: '/_stepgate/healthz',
    headers: { host: publicUrl.host },
    // It is asked on its own socket, where its certificate has no name that could match.
    rejectUnauthorized: false,
    agent: false,
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
