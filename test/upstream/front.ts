import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { TestContext } from 'node:test'
import { emptyNotes } from '../../proxy/access-notes.ts'
import type { Upstream, UpstreamAddress } from '../../proxy/config/config.ts'
import type { Forwarder, ForwardOutcome, ForwardRequest } from '../../proxy/upstream/forward.ts'
import { createForwarder, type ForwarderOptions } from '../../proxy/upstream/forward-undici.ts'
import { compileHeaderSettings, rebuildHeaders } from '../../proxy/upstream/rebuild-headers.ts'
import { listen } from './sockets.ts'

export const OWN_COOKIES = ['__Host-stepgate', '__Host-stepgate-browser', '__Host-stepgate-resume']

/** A request as it is handed to a forwarder. */
export const ASKED: ForwardRequest = {
  method: 'GET',
  target: '/',
  hosts: ['a'],
  paths: ['/'],
  headers: ['Host', 'a'],
  judge: () => undefined,
}

export type Front = {
  readonly port: number
  readonly server: Server
  readonly forwarder: Forwarder
  /** The outcomes in the order in which exchanges ended; waits for the next one not yet taken. */
  outcome(): Promise<ForwardOutcome>
}

/** One application for everything, with these addresses. */
export function everything(...addresses: readonly (UpstreamAddress | URL)[]): readonly Upstream[] {
  const [first, ...others] = addresses.map(
    (address): UpstreamAddress =>
      address instanceof URL ? { kind: 'tcp', origin: address } : address,
  )
  return first ? [{ path: '/', addresses: [first, ...others] }] : []
}

/** The smallest front door: rebuilds headers, forwards, and says on failure which outcome it was. */
export async function startFront(
  t: TestContext,
  upstream: UpstreamAddress | URL | readonly Upstream[],
  options: Partial<ForwarderOptions> & {
    setCookies?: readonly string[]
    target?: string
    judge?: ForwardRequest['judge']
  } = {},
): Promise<Front> {
  const { judge = () => undefined } = options
  const forwarder = createForwarder(isList(upstream) ? upstream : everything(upstream), {
    headersTimeout: 30_000,
    bodyTimeout: 30_000,
    connectTimeout: 5_000,
    ownCookieNames: OWN_COOKIES,
    ...options,
  })
  const settings = compileHeaderSettings({
    identityNames: ['X-Forwarded-User'],
    addressNames: [],
    ownCookieNames: OWN_COOKIES,
    rulesNameMethods: false,
  })
  const outcomes: ForwardOutcome[] = []
  const server = createServer(async (incoming, outgoing) => {
    const headers = rebuildHeaders(incoming.rawHeaders, settings, ['X-Forwarded-User', 'alice'], {
      chain: ['192.0.2.7'],
      host: incoming.headers.host ?? '',
      proto: 'https',
      requestId: 'request-1',
    })
    const target = options.target ?? incoming.url ?? ''
    const paths = [(target.split('?', 1)[0] ?? '').toLowerCase()] as const
    const hosts = [incoming.headers.host ?? ''] as const
    const method = incoming.method ?? ''
    const outcome = await forwarder.forward(
      { method, target, hosts: [...hosts], paths: [...paths], headers, judge },
      incoming,
      outgoing,
      () => options.setCookies ?? [],
      emptyNotes('forward'),
    )
    outcomes.push(outcome)
    server.emit('outcome')
    if (outcome.kind !== 'answered' && !outgoing.headersSent) {
      outgoing.writeHead(502, { 'Content-Length': outcome.kind.length }).end(outcome.kind)
    }
  })
  server.on('checkContinue', (incoming, outgoing) => server.emit('request', incoming, outgoing))
  const port = await listen(t, server)
  t.after(() => {
    // Not awaited: it waits for exchanges that only end when the test's sockets are closed.
    forwarder.close().catch(() => {})
  })
  return {
    port,
    server,
    forwarder,
    async outcome() {
      while (outcomes.length === 0) await once(server, 'outcome')
      return outcomes.shift() as ForwardOutcome
    },
  }
}

/** A request of one line and headers, whose connection ends with the response. */
export function request(line: string, ...headers: readonly string[]): string {
  return [
    `${line} HTTP/1.1`,
    'Host: app.example.com',
    'Connection: close',
    ...headers,
    '',
    '',
  ].join('\r\n')
}

function isList(
  upstream: UpstreamAddress | URL | readonly Upstream[],
): upstream is readonly Upstream[] {
  return Array.isArray(upstream)
}
