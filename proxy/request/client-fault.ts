import type { IncomingMessage } from 'node:http'

/** Why the content of a request that is under way is given up. */
export type ClientFault = 'body-size' | 'body-idle'

/** The status that says so while a response can still be sent. */
export const FAULT_STATUS = { 'body-size': 413, 'body-idle': 408 } as const

const FAULT = Symbol('client fault')

/** Calls whoever passes the request on; whether there is anybody. */
export function raiseFault(incoming: IncomingMessage, fault: ClientFault): boolean {
  return incoming.emit(FAULT, fault)
}

/** Is called at the first fault of a request. */
export function onFault(incoming: IncomingMessage, listener: (fault: ClientFault) => void): void {
  incoming.once(FAULT, listener)
}
