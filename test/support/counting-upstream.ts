import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request as it reached the application; texts are latin1 strings of the bytes. */
export type Arrival = {
  readonly method: string
  readonly target: string
  /** Name, value, name, value, … */
  readonly rawHeaders: readonly string[]
  readonly body: string
  /** What came behind the body, like `rawHeaders`. */
  readonly rawTrailers: readonly string[]
}

/** An application that notes all that reaches it and says yes to everything. */
export type CountingUpstream = {
  readonly origin: URL
  /** What has arrived since the last call, oldest first. */
  take(): readonly Arrival[]
  close(): Promise<void>
}

/** What every request is answered with, unless `answer` says otherwise. */
export const YES = 'from the application'

/** Starts it on a free loopback port. */
export async function startCountingUpstream(
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => {
    response.end(YES)
  },
): Promise<CountingUpstream> {
  let arrivals: Arrival[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    try {
      for await (const chunk of request.setEncoding('latin1')) body += chunk
    } catch {
      // Cut off in the middle: not a request.
      return
    }
    const { method = '', url: target = '', rawHeaders, rawTrailers } = request
    arrivals.push({ method, target, rawHeaders, body, rawTrailers })
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    take() {
      const taken = arrivals
      arrivals = []
      return taken
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** All values under a name, whatever case and separators (`X_Forwarded.User`) they came with. */
export function valuesUnder({ rawHeaders }: Pick<Arrival, 'rawHeaders'>, name: string): string[] {
  const wanted = foldedName(name)
  return rawHeaders.filter(
    (_, index) => index % 2 === 1 && foldedName(rawHeaders[index - 1]) === wanted,
  )
}

/** A name as the least careful application reads it. */
export function foldedName(name: string | undefined): string {
  return name?.toLowerCase().replace(/[^a-z0-9]/g, '-') ?? ''
}
