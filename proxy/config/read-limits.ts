import type { Config } from './config.ts'
import type { Values } from './variables.ts'

/** What clients may ask of stepgate. */
export function readLimits(values: Values): Config['limits'] {
  return {
    headerSize: values.MAX_HEADER_SIZE,
    headers: values.MAX_HEADERS,
    url: values.MAX_URL,
    body: values.MAX_BODY,
    headerTimeout: values.HEADER_TIMEOUT,
    bodyIdle: values.BODY_IDLE_TIMEOUT,
    keepAlive: values.KEEP_ALIVE_TIMEOUT,
    connectionsPerAddress: values.CONNECTIONS_PER_ADDRESS,
  }
}
