import fc from 'fast-check'
import { type Framing, framings } from './framings.ts'
import { headerLines, hostLines } from './header-lines.ts'
import { type Kind, NUMBER } from './part.ts'
import { type RequestLine, requestLines, worstOf } from './request-lines.ts'

/** One made-up request; `NUMBER` stands in its texts for its number. */
export type HostileCase = Pick<RequestLine, 'method' | 'target'> & {
  readonly kind: Kind
  /** The value of its one Host header, if it has one. */
  readonly host: string | undefined
  readonly signedIn: boolean
  /** All bytes; the session's cookie stands in them as `SESSION`. */
  readonly bytes: string
  readonly framing: Framing
  /** It says that nothing comes behind it, and nothing will. */
  readonly last: boolean
}

/** Stands in the bytes of a case for the header line with the session. */
export const SESSION = 'Cookie: {session}'

/** Requests of every kind, mostly with one thing about them that is out of the ordinary. */
export const hostileCases: fc.Arbitrary<HostileCase> = fc
  .tuple(
    requestLines,
    hostLines,
    framings,
    headerLines,
    fc.integer({ min: 0, max: 7 }),
    fc.infiniteStream(fc.nat(99)),
  )
  .map(([line, host, framing, headers, guest, places]) => {
    const signedIn = guest > 0
    const lines = [
      ...host.value,
      ...framing.value.headers,
      ...headers.map(({ value }) => value),
      ...(signedIn ? [SESSION] : []),
      `X-Case: ${NUMBER}`,
    ]
    const head = shuffle(lines, places).map((text) => `${text}\r\n`)
    const kinds = [line.kind, host.kind, framing.kind, ...headers.map(({ kind }) => kind)]
    // Nobody can tell no content in chunks from content that node:http passes over beside an Upgrade.
    const isEmpty = framing.value.bytes !== '' && framing.value.bodyOf('') === ''
    if (isEmpty && headers.some(({ value }) => value.startsWith('Upgrade'))) kinds.push('odd')
    const [named] = host.value
    return {
      kind: worstOf(kinds),
      method: line.value.method,
      target: line.value.target,
      host: named?.replace(/^.*?:[ \t]*(.*?)[ \t]*$/s, '$1'),
      signedIn,
      bytes: `${line.value.text}${head.join('')}\r\n${framing.value.bytes}`,
      framing: framing.value,
      last:
        line.kind === 'plain' &&
        framing.kind === 'plain' &&
        lines.some((text) => /^(?:Proxy-)?Connection:.*close/.test(text)),
    }
  })

function shuffle(lines: readonly string[], places: Iterable<number>): string[] {
  const placed: [number, string][] = []
  const place = places[Symbol.iterator]()
  for (const line of lines) placed.push([place.next().value ?? 0, line])
  return placed.sort(([a], [b]) => a - b).map(([, line]) => line)
}
