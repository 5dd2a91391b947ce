import type { AddressInfo, Server } from 'node:net'

/** Listens on loopback, tells the parent where, and ends with it. */
export function tellOrigin(server: Server): void {
  server.listen(0, '127.0.0.1', 1024, () => {
    const { port } = server.address() as AddressInfo
    process.send?.({ origin: `http://127.0.0.1:${port}` })
  })
  // Not by the signal itself: a profile is written at an orderly end.
  for (const event of ['SIGTERM', 'disconnect']) process.once(event, () => process.exit())
}
