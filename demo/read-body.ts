import type { IncomingMessage } from 'node:http'

const MAX_BODY = 64 * 1024

/** The body as text, or undefined when it is longer than 64 KiB. */
export async function readBody(req: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  // Read to the end, or the answer would not be heard.
  for await (const chunk of req) {
    size += chunk.length
    if (size <= MAX_BODY) chunks.push(chunk)
  }
  return size > MAX_BODY ? undefined : Buffer.concat(chunks).toString()
}
