import { lstat, unlink } from 'node:fs/promises'
import { type AddressInfo, connect, type Server } from 'node:net'
import type { ListenAddress } from './config/config.ts'
import { errorCode } from './error-code.ts'

/**
 * Listens, and answers the address as text. Rejects with Node's error when the address can't be had.
 * The file of a unix socket that a killed process left behind is replaced.
 */
export async function listen(server: Server, address: ListenAddress): Promise<string> {
  try {
    await begin(server, address)
  } catch (error) {
    if (address.kind !== 'unix' || !(await isAbandoned(address.path))) throw error
    await unlink(address.path)
    await begin(server, address)
  }
  return textOf(server.address() as AddressInfo | string)
}

function begin(server: Server, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const done = () => {
      server.off('error', reject)
      resolve()
    }
    if (address.kind === 'unix') server.listen(address.path, done)
    else if (address.host === undefined) server.listen(address.port, done)
    else server.listen(address.port, address.host, done)
  })
}

/** Whether a socket is there, and nobody behind it; a file of any other kind is refused the same way. */
async function isAbandoned(path: string): Promise<boolean> {
  if (!(await lstat(path)).isSocket()) return false
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy()
      resolve(false)
    })
    socket.on('error', (error) => resolve(errorCode(error) === 'ECONNREFUSED'))
  })
}

function textOf(address: AddressInfo | string): string {
  if (typeof address === 'string') return `unix:${address}`
  return `${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
}
