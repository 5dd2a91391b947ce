import type { IncomingMessage } from 'node:http'
import { constants } from 'node:http2'
import type { Context } from '../context.ts'
import { clientOf } from '../request/client-address.ts'
import { raiseFault } from '../request/client-fault.ts'
import { createStillFinder, type Still } from './find-still.ts'
import { streamOf } from './http2-messages.ts'
import { isNameless } from './peer.ts'
import type { Traffic } from './traffic.ts'

/** In ms; shorter limits are looked at four times in their time. */
const BETWEEN_LOOKS = 5_000

/**
 * Gives up what stands still because of its client, by one look at all that is open every few
 * seconds. A body is answered by 408 while that is possible; all else is cut. Answers what ends it.
 */
export function watchStill(
  traffic: Traffic,
  context: Pick<Context, 'config' | 'trusted' | 'log'>,
): () => void {
  const { bodyIdle } = context.config.limits
  const every = Math.min(BETWEEN_LOOKS, bodyIdle / 4)
  const find = createStillFinder(traffic, Math.ceil(bodyIdle / every))
  const given = new WeakSet<object>()
  const timer = setInterval(() => {
    for (const still of find()) giveUp(still)
  }, every).unref()

  function giveUp(still: Still): void {
    const { kind, response, socket } = still
    const request = response?.req as IncomingMessage | undefined
    if (kind === 'body-idle' && request && raiseFault(request, kind)) return
    const key = response ?? socket
    const again = key !== undefined && given.has(key)
    if (key !== undefined) given.add(key)
    if (!again) context.log.audit('request.denied', { client: clientAt(still), reason: kind })
    if (socket !== undefined) return void socket.destroy()
    const stream = streamOf(request)
    // One that is still there waits behind others of a connection that takes nothing at all.
    if (again) stream?.session?.destroy()
    else stream?.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }

  function clientAt({ response, socket }: Still): string {
    const request = response?.req as IncomingMessage | undefined
    const peer = request?.socket ?? socket
    const believed = peer && isNameless(peer) ? () => false : context.trusted
    const { proxyHeaders } = context.config
    const direct = { host: '', proto: 'http' } as const
    const headers = request?.rawHeaders ?? []
    return clientOf(peer?.remoteAddress, headers, believed, proxyHeaders, direct).address
  }

  return () => clearInterval(timer)
}
