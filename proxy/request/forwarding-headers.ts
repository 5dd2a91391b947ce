import { valuesOf } from './raw-headers.ts'

/** The headers that a trusted proxy writes: `X-Forwarded-For`, `-Proto` and `-Host`, or RFC 7239. */
export type ForwardingKind = 'x-forwarded' | 'forwarded'

/** What the forwarding headers say, outermost proxy first; nothing of it is checked. */
export type ForwardingHeaders = {
  /** Addresses without their port, or whatever else is written. */
  readonly hops: readonly string[]
  readonly protos: readonly string[]
  readonly hosts: readonly string[]
}

/** Reads the headers of one kind, and nothing of the other. */
export function readHops(rawHeaders: readonly string[], kind: ForwardingKind): ForwardingHeaders {
  if (kind === 'forwarded') return readForwarded(valuesOf(rawHeaders, 'forwarded'))
  return {
    hops: listOf(rawHeaders, 'x-forwarded-for').map(withoutPort),
    protos: listOf(rawHeaders, 'x-forwarded-proto'),
    hosts: listOf(rawHeaders, 'x-forwarded-host'),
  }
}

function listOf(rawHeaders: readonly string[], name: string): string[] {
  return valuesOf(rawHeaders, name).flatMap((value) => value.split(',').map((item) => item.trim()))
}

/**
 * RFC 7239 §4. A trusted proxy appends its element to what it was sent, so each header is read from its
 * end on: nothing that stands before an element changes how that is read. One without `for` still
 * stands for a hop, and so does one that is not well-formed, of which nothing is believed.
 */
function readForwarded(values: readonly string[]): ForwardingHeaders {
  const elements = values.flatMap((value) => splitFromEnd(value, ',').map(parseElement))
  return {
    hops: elements.map((element) => withoutPort(element.get('for') ?? '')),
    protos: elements.map((element) => element.get('proto') ?? ''),
    hosts: elements.map((element) => element.get('host') ?? ''),
  }
}

const PAIR = /^([^\s"\\=]+)=(?:"((?:[^"\\]|\\.)*)"|([^"\\]*))$/s

function parseElement(text: string): ReadonlyMap<string, string> {
  const element = new Map<string, string>()
  for (const part of splitFromEnd(text, ';')) {
    const pair = part.trim()
    if (pair === '') continue
    const [, name, quoted, value = quoted?.replace(/\\(.)/gs, '$1')] = PAIR.exec(pair) ?? []
    if (name === undefined || value === undefined) return new Map()
    const key = name.toLowerCase()
    // The first of several wins, as an appended one might be the client's trick.
    if (!element.has(key)) element.set(key, value)
  }
  return element
}

/**
 * Splits outside of quoted strings, whose ends are looked for from the right: in what is well-formed
 * each quote inside of one has an odd number of backslashes before it, and the one that opens it none.
 */
function splitFromEnd(text: string, separator: ',' | ';'): string[] {
  const parts: string[] = []
  let end = text.length
  let isQuoted = false
  for (let at = end - 1; at >= 0; at--) {
    if (text[at] === '"') {
      if (!isQuoted || !isEscaped(text, at)) isQuoted = !isQuoted
    } else if (text[at] === separator && !isQuoted) {
      parts.push(text.slice(at + 1, end))
      end = at
    }
  }
  return [...parts, text.slice(0, end)].reverse()
}

function isEscaped(text: string, at: number): boolean {
  let before = at
  while (text[before - 1] === '\\') before -= 1
  return (at - before) % 2 === 1
}

/** `1.2.3.4:5`, `[::1]`, `[::1]:5` as the address alone. */
function withoutPort(text: string): string {
  const match = /^(?:\[([^\]]*)\]|(\d+\.\d+\.\d+\.\d+))(?::\w+)?$/.exec(text)
  return match?.[1] ?? match?.[2] ?? text
}
