/** A text taken apart for a phone's screen: the sentence, its code, and the host it is bound to. */
export type ReadMessage = { text: string; code?: string; host?: string }

/** Reads a text as a phone does, and what is said in a call: a last line `@host #code` first, else the first group of digits. */
export function readMessage(body: string): ReadMessage {
  const bound = /\n@(\S+) #(\S+)\s*$/.exec(body)
  if (bound?.[1] && bound[2]) {
    return { text: body.slice(0, bound.index).trim(), code: bound[2], host: bound[1] }
  }
  const spoken = /(?<!\d)\d(?:, \d){3,9}(?!\d)/.exec(body)?.[0]
  if (spoken !== undefined) return { text: body.trim(), code: spoken.replaceAll(', ', '') }
  const code = /(?<!\d)\d{4,10}(?!\d)/.exec(body)?.[0]
  return { text: body.trim(), ...(code === undefined ? {} : { code }) }
}
