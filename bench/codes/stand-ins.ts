/**
 * A process of its own: the OpenID provider and the stand-in for Twilio, which answers at once. Tells
 * its parent its `origin`, and ends with it. `GET /code?to=` is the code in the newest message.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { demoTwilio } from '../../demo/demo-environment.ts'
import { createTwilioStandIn } from '../../demo/twilio-api.ts'
import { createProvider } from './provider.ts'

const twilio = createTwilioStandIn({ ...demoTwilio, clock: Date.now })

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? '/', origin)
  if (url.pathname.startsWith('/2010-04-01/')) return twilio.handle(request, response)
  if (await provider(request, response, url)) return
  if (url.pathname !== '/code') return void response.writeHead(404).end()
  const to = url.searchParams.get('to')
  const message = twilio.messages().find((one) => one.to === to)
  response.end(/#(\d+)$/.exec(message?.body ?? '')?.[1])
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const provider = createProvider(origin)
process.once('disconnect', () => process.exit())
process.send?.({ origin })
