/**
 * A process of its own: the least that may call itself a reverse proxy with node:http and undici, and
 * the measure of stepgate. Hop-by-hop headers stay behind, bodies stream with backpressure both
 * ways, either side's end ends the other; it asks nobody who he is and logs nothing.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Dispatcher, Pool } from 'undici'
import { tellOrigin } from './tell-origin.ts'

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

const [application = ''] = process.argv.slice(2)
const pool = new Pool(application, { connections: null, pipelining: 1 })

function requestHeaders(rawHeaders: readonly string[]): string[] {
  const headers: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (!HOP_BY_HOP.has(name.toLowerCase())) headers.push(name, rawHeaders[i + 1] as string)
  }
  return headers
}

function responseHeaders(rawHeaders: readonly Buffer[]): string[] {
  return requestHeaders(rawHeaders.map((text) => text.toString('latin1')))
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method = '', url = '', headers, rawHeaders } = incoming
  const hasBody = headers['content-length'] !== undefined || 'transfer-encoding' in headers
  let controller: Dispatcher.DispatchController | undefined
  let ended = false
  outgoing.on('close', () => {
    if (!ended) controller?.abort(new Error('The client went away'))
  })
  pool.dispatch(
    {
      method,
      path: url,
      headers: requestHeaders(rawHeaders),
      body: hasBody ? incoming : null,
    },
    {
      onRequestStart(started) {
        controller = started
      },
      onResponseStart({ rawHeaders }, status) {
        if (status >= 200) outgoing.writeHead(status, responseHeaders(rawHeaders as Buffer[]))
      },
      onResponseData(controller, chunk) {
        if (outgoing.write(chunk)) return
        controller.pause()
        outgoing.once('drain', () => controller.resume())
      },
      onResponseEnd() {
        ended = true
        outgoing.end()
      },
      onResponseError() {
        ended = true
        if (outgoing.headersSent) outgoing.destroy()
        else outgoing.writeHead(502).end()
      },
    },
  )
}

tellOrigin(createServer(forward))
