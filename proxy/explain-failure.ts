import { describeError } from './log.ts'
import { PagesDirError } from './pages-dir/pages-dir-error.ts'
import { StoreUnavailableError } from './store/store.ts'

/**
 * What went wrong at a start, in words for the operator: what the system says of an address, a file
 * or a folder, and what to do. Of any other error the name and code only, for its message may hold
 * what no log should. `listenVariable` is what chooses an address.
 */
export function explainFailure(error: unknown, listenVariable = 'STEPGATE_LISTEN'): string {
  if (error instanceof StoreUnavailableError) {
    return `${messageOf(error.cause) ?? error.message}; look at STEPGATE_STORE`
  }
  if (error instanceof PagesDirError || error instanceof StartError) return error.message
  if (isListenError(error)) {
    return `${explainListen(error)}; ${listenVariable} chooses another`
  }
  const { error: name, code, cause } = describeError(error)
  return [name, code, cause].filter(Boolean).join(' ')
}

/** A reason that is written for the operator as it stands. */
export class StartError extends Error {
  readonly code = 'start_failed'
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.name = 'StartError'
  }
}

/** Node's error of a server that can't listen: with an address and a port, or a socket's path. */
type ListenError = Error & { code: string; address?: string; port?: number }

function isListenError(error: unknown): error is ListenError {
  // A worker's supervisor binds for it.
  const calls: readonly unknown[] = ['listen', 'bind']
  return error instanceof Error && 'syscall' in error && calls.includes(error.syscall)
}

function explainListen({ code, address, port }: ListenError): string {
  const place = port === undefined || port < 0 ? address : `port ${port} of ${address}`
  switch (code) {
    case 'EADDRINUSE':
      return `${place} is taken (${code}): another program listens there`
    case 'EACCES':
      return `stepgate may not listen on ${place} (${code}): ports below 1024 need a privilege`
    case 'EADDRNOTAVAIL':
      return `${place} is no address of this machine (${code})`
    default:
      return `stepgate can't listen on ${place} (${code})`
  }
}

function messageOf(error: unknown): string | undefined {
  return error instanceof Error ? error.message : undefined
}
