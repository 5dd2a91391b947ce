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

/** RFC 7239 §4. An element without `for` still stands for a hop. */
function readForwarded(values: readonly string[]): ForwardingHeaders {
  const elements = values.flatMap((value) => split(value, ',').map(parseElement))
  return {
    hops: elements.map((element) => withoutPort(element.get('for') ?? '')),
    protos: elements.map((element) => element.get('proto') ?? ''),
    hosts: elements.map((element) => element.get('host') ?? ''),
  }
}

function parseElement(text: string): Map<string, string> {
  const pairs = split(text, ';').map((pair): [string, string] => {
    const [name = '', ...value] = pair.split('=')
    return [name.trim().toLowerCase(), unquote(value.join('=').trim())]
  })
  // The first of several wins, as an appended one might be the client's trick.
  return new Map(pairs.reverse())
}

/** Splits outside of quoted strings; a quote that is never closed counts as a character. */
function split(text: string, separator: ',' | ';'): string[] {
  const parts = ['']
  for (const [token, end] of text.matchAll(/"(?:[^"\\]|\\.)*("?)|[^"]+/gs)) {
    const [more = '', ...others] = end === '"' ? [token] : token.split(separator)
    parts[parts.length - 1] += more
    for (const other of others) parts.push(other)
  }
  return parts
}

function unquote(text: string): string {
  return /^".*"$/.test(text) ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text
}

/** `1.2.3.4:5`, `[::1]`, `[::1]:5` as the address alone. */
function withoutPort(text: string): string {
  const match = /^(?:\[([^\]]*)\]|(\d+\.\d+\.\d+\.\d+))(?::\w+)?$/.exec(text)
  return match?.[1] ?? match?.[2] ?? text
}
