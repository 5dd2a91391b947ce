import { connect, createServer, type Socket } from 'node:net'

/** A balancer of connections: each goes to the next replica, whatever comes over it. */
export async function startConnectionBalancer(
  port: number,
  replicas: readonly number[],
): Promise<{ close(): Promise<void> }> {
  const open = new Set<Socket>()
  let turn = 0
  const server = createServer((client) => {
    const replica = connect(replicas[turn++ % replicas.length] ?? 0, '127.0.0.1')
    for (const [one, other] of [
      [client, replica],
      [replica, client],
    ] as const) {
      open.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}
