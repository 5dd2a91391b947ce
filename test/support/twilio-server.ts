import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { createTwilioStandIn, type TwilioStandInOptions } from '../../demo/twilio-api.ts'

/** Credentials that the stand-in knows; the secrets are canaries that no output may hold. */
export const TWILIO = {
  accountSid: 'ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
  authToken: 'canary-auth-token-7b1f',
  apiKey: { sid: 'SKbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', secret: 'canary-key-secret-93ac' },
  from: '+4930123456',
  service: 'MGcccccccccccccccccccccccccccccccc',
  now: Date.UTC(2026, 10, 24, 7, 0, 0),
}

/** Serves a stand-in for Twilio's API below `basePath` until the test ends. */
export async function serveTwilio(
  t: TestContext,
  { basePath = '', ...options }: Partial<TwilioStandInOptions> & { basePath?: string } = {},
) {
  const standIn = createTwilioStandIn({
    accountSid: TWILIO.accountSid,
    authToken: TWILIO.authToken,
    apiKey: TWILIO.apiKey,
    clock: () => TWILIO.now,
    ...options,
  })
  const server = createServer((req, res) => {
    const url = req.url ?? '/'
    if (!url.startsWith(`${basePath}/`)) {
      res.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not here</h1>')
      return
    }
    req.url = url.slice(basePath.length)
    standIn.handle(req, res).catch(() => res.destroy())
  })
  let connections = 0
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return {
    standIn,
    /** How many connections came in so far. */
    connections: () => connections,
    origin: `http://127.0.0.1:${port}`,
    apiUrl: new URL(`http://127.0.0.1:${port}${basePath}`),
  }
}
