import { Pool } from 'undici'
import type { Config } from './config/config.ts'

/** Whether the stepgate of this configuration answers here; for a container's HEALTHCHECK. */
export async function isHealthy({ listen, tls, publicUrl }: Config): Promise<boolean> {
  const scheme = tls === undefined ? 'http' : 'https'
  const origin =
    listen.kind === 'unix'
      ? `${scheme}://localhost`
      : `${scheme}://${hostOf(listen.host)}:${listen.port}`
  const pool = new Pool(origin, {
    connect: {
      timeout: 3_000,
      // It is asked on its own socket, where its certificate has no name that could match.
      rejectUnauthorized: false,
      ...(listen.kind === 'unix' && { socketPath: listen.path }),
    },
    headersTimeout: 3_000,
  })
  try {
    const headers = { host: publicUrl.host }
    const { statusCode, body } = await pool.request({
      method: 'GET',
      path: '/_stepgate/healthz',
      headers,
    })
    await body.dump()
    return statusCode === 200
  } catch {
    return false
  } finally {
    await pool.destroy()
  }
}

function hostOf(host: string | undefined): string {
  if (host === undefined || host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}
