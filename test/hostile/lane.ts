import { connect, type Socket } from 'node:net'

/** What came back; not `ended` if nothing more came for a long time. */
export type LaneAnswer = { readonly text: string; readonly ended: boolean }

/** One browser's connection, kept alive and opened anew when stepgate has closed it. */
export type Lane = {
  /** Writes bytes (latin1) and answers all that came until `last` came or the connection closed. */
  exchange(bytes: string, last: string): Promise<LaneAnswer>
  close(): void
}

/** Longer than any answer takes on a machine that has much else to do. */
const PATIENCE = 30_000

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
      return new Promise((resolve) => {
        const late = setTimeout(() => {
          check = () => {}
          used.destroy()
          resolve({ text: received, ended: false })
        }, PATIENCE)
        check = () => {
          if (!received.includes(last) && socket === used) return
          clearTimeout(late)
          check = () => {}
          resolve({ text: received, ended: true })
        }
        used.write(bytes, 'latin1')
      })
    },
    close: () => socket?.destroy(),
  }
}
