import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { MetricsSettings } from '../config/config.ts'
import { explainFailure, StartError } from '../explain-failure.ts'
import { listen } from '../listen.ts'
import { describeError, type Log } from '../log.ts'
import type { Exposition } from './meter.ts'

/** Where metrics are to be had, until `close`. */
export type MetricsDoor = { readonly address: string; close(): Promise<void> }

/** In ms, for a request to have come in whole. */
const PATIENCE = 10_000

/**
 * Answers `GET /metrics` on a port of its own. Throws a `StartError` when it can't be had; where
 * nobody chose it, as of a second stepgate on one machine, that is a warning, and nothing is served.
 */
export async function serveMetrics(
  { listen: address, chosen }: MetricsSettings,
  { contentType, text }: Exposition,
  log: Log,
): Promise<MetricsDoor | undefined> {
  let running: Promise<string> | undefined
  // Several that ask at once get the same.
  const read = () => {
    running ??= text().finally(() => {
      running = undefined
    })
    return running
  }

  async function answer({ method, url }: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const asked = (method === 'GET' || method === 'HEAD') && url?.split('?', 1)[0] === '/metrics'
    if (!asked) return end(outgoing, 404, 'text/plain', 'Metrics are at /metrics\n')
    try {
      end(outgoing, 200, contentType, await read())
    } catch (error) {
      log.error('Metrics can not be read', describeError(error))
      end(outgoing, 500, 'text/plain', 'Metrics can not be read; the log says why\n')
    }
  }

  const server = createServer({ headersTimeout: PATIENCE, requestTimeout: PATIENCE }, answer)
  const at = await listen(server, address).catch((error: unknown) => {
    const reason = explainFailure(error, 'STEPGATE_METRICS_LISTEN')
    if (chosen) throw new StartError(reason, error)
    log.warn('Metrics are not served', { reason })
  })
  if (at === undefined) return undefined
  server.on('error', (error) => log.error('Listening for metrics failed', describeError(error)))
  log.info('Metrics are served', { address: at })
  return {
    address: at,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function end(outgoing: ServerResponse, status: number, type: string, text: string): void {
  outgoing.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(text)
}
