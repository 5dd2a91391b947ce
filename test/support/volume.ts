import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** A mebibyte. */
export const MB = 1024 * 1024

const BLOCK = Buffer.alloc(MB / 4, 'x')

/** Why the memory of another process can't be read here; false where it can. */
export const peakMissing = process.platform === 'linux' ? false : 'needs /proc'

/** The most memory that a process has had so far, in bytes. */
export function peakOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}

/** Ways in which content travels. */
export const WAYS = ['down by length', 'down in chunks', 'up by length', 'up in chunks'] as const
export type Way = (typeof WAYS)[number]

/** An application that sends as many bytes as its path says, or counts those that come. */
export async function startVolumes() {
  const server = createServer(async (incoming, response) => {
    if (incoming.method === 'POST') {
      response.end(String(await countBytes(incoming)))
      return
    }
    const [, way, size] = (incoming.url ?? '').split('/')
    if (way === 'length') response.setHeader('Content-Length', Number(size))
    await pipeline(Readable.from(blocks(Number(size))), response).catch(() => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** Sends or takes `size` bytes (a multiple of 256 kB) through `url`; how many arrived. */
export async function transfer(url: URL, way: Way, size: number): Promise<number> {
  const kind = way.endsWith('length') ? 'length' : 'chunks'
  const options = { agent: false, headers: { Host: url.host } }
  if (way.startsWith('down')) {
    const asked = request(new URL(`/${kind}/${size}`, url), options).end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    return countBytes(response)
  }
  const headers = kind === 'length' ? { 'Content-Length': size } : {}
  const sent = request(url, { ...options, method: 'POST', headers })
  const answered = once(sent, 'response')
  await pipeline(Readable.from(blocks(size)), sent)
  const [response] = (await answered) as [IncomingMessage]
  let text = ''
  for await (const piece of response.setEncoding('latin1')) text += piece
  return Number(text)
}

async function countBytes(stream: Readable): Promise<number> {
  let bytes = 0
  for await (const chunk of stream) bytes += (chunk as Buffer).length
  return bytes
}

function* blocks(size: number): Generator<Buffer> {
  for (let sent = 0; sent < size; sent += BLOCK.length) yield BLOCK
}
