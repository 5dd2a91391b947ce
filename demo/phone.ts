import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { control } from './control.ts'
import { phonePage, phoneScreens } from './phone/phone-page.ts'
import type { TwilioStandIn } from './twilio-api.ts'

/** `owners` says whose phone has which number (E.164), in the order in which they are shown. */
export type PhoneOptions = {
  /** 0 takes a free one. */
  readonly port: number
  readonly host?: string
  readonly standIn: TwilioStandIn
  readonly owners: Readonly<Record<string, string>>
  /** Epoch ms. */
  readonly clock: () => number
}

/** The demo's phones; `url` is also the base URL of the stand-in for Twilio's API. */
export type DemoPhone = { readonly url: URL; close(): Promise<void> }

const ASSETS: Readonly<Record<string, string>> = {
  '/phone.css': 'text/css; charset=utf-8',
  '/phone.js': 'text/javascript; charset=utf-8',
  '/phone.svg': 'image/svg+xml',
}

/**
 * Serves the phones at `/`, their messages as JSON at `/messages` (newest first), Twilio's API
 * below `/2010-04-01/`, and at `/control` what it does next. Rejects when the port is taken.
 */
export async function startPhone(options: PhoneOptions): Promise<DemoPhone> {
  const server = createServer((req, res) => {
    answer(options, req, res).catch(() => res.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host ?? '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: new URL(`http://${options.host ?? '127.0.0.1'}:${port}`),
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

async function answer(
  { standIn, owners, clock }: PhoneOptions,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const [path = '/'] = (req.url ?? '/').split('?', 1)
  if (path.startsWith('/2010-04-01/')) return standIn.handle(req, res)
  if (path === '/control') {
    const done = await control(standIn, req)
    if (done.kind === 'json') {
      return send(res, done.status, 'application/json', `${JSON.stringify(done.body)}\n`)
    }
    res.writeHead(303, { location: '/' }).end()
    return
  }
  if (req.method !== 'GET' && req.method !== 'HEAD') return send(res, 405, 'text/plain', 'GET only')
  if (path === '/messages') {
    return send(res, 200, 'application/json', JSON.stringify(standIn.messages()))
  }
  if (path === '/') {
    const page = await phonePage(
      phoneScreens(owners, standIn.messages()),
      standIn.plan(),
      new Date(clock()),
    )
    return send(res, 200, 'text/html; charset=utf-8', String(page))
  }
  const type = ASSETS[path]
  if (type === undefined) return send(res, 404, 'text/plain', 'Not found')
  send(res, 200, type, await readFile(new URL(`./phone${path}`, import.meta.url)))
}

function send(res: ServerResponse, status: number, type: string, body: string | Buffer): void {
  res.writeHead(status, {
    'content-type': type,
    'content-security-policy':
      "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  })
  res.end(body)
}
