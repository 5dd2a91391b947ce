import { connect, type Socket } from 'node:net'

/** One browser's connection, kept alive and opened anew when stepgate has closed it. */
export type Lane = {
  /** Writes bytes (latin1) and answers all that came until `last` came or the connection closed. */
  exchange(bytes: string, last: string): Promise<string>
  close(): void
}

/** Longer than any answer takes on a machine that has much else to do. */
const PATIENCE = 60_000

/** Makes one to a loopback port; it connects when it has to. */
export function createLane(port: number): Lane {
  let socket: Socket | undefined
  let received = ''
  let check = () => {}

  function open(): Socket {
    const opened = connect(port, '127.0.0.1')
    opened.on('data', (chunk) => {
      received += chunk.toString('latin1')
      check()
    })
    // What a reset means is seen by what has come.
    opened.on('error', () => {})
    opened.on('close', () => {
      if (socket === opened) socket = undefined
      check()
    })
    return opened
  }

  return {
    exchange(bytes, last) {
      received = ''
      const used = socket ?? open()
      socket = used
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          reject(new Error(`No end of ${JSON.stringify(bytes)}, only ${JSON.stringify(received)}`))
        }, PATIENCE)
        check = () => {
          if (!received.includes(last) && socket === used) return
          clearTimeout(late)
          check = () => {}
          resolve(received)
        }
        used.write(bytes, 'latin1')
      })
    },
    close: () => socket?.destroy(),
  }
}
