import { createServer, type Server } from 'node:net'

const HIGHEST = 65_535

/** The first of `count` loopback ports in a row that nobody listens on at the moment. */
export async function freePorts(count: number): Promise<number> {
  // From a place of its own in each process, for test files run side by side.
  const start = 20_000 + ((process.pid * 16) % 10_000)
  for (let first = start; first + count <= HIGHEST; first += count) {
    const tried = await Promise.all(Array.from({ length: count }, (_, i) => listen(first + i)))
    const free = tried.every((server) => server !== undefined)
    await Promise.all(tried.map((server) => server && close(server)))
    if (free) return first
  }
  throw new Error(`There are no ${count} free ports in a row`)
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
