import fc from 'fast-check'
import { mostly, NUMBER, type Part, parts, SMUGGLED } from './part.ts'

/** How a body is framed: header lines, and the bytes behind the head. */
export type Framing = {
  readonly headers: readonly string[]
  readonly bytes: string
  /** The body in the one reading that RFC 9112 §6.3 has, from all bytes that follow the head. */
  readonly bodyOf: (following: string) => string
}

const payloads = fc.constantFrom(
  ...['', 'a', 'a=1&b=2', '\0\xff\r\n\r\n', SMUGGLED, SMUGGLED],
  ...[`0\r\n\r\n${SMUGGLED}`, `\r\n${SMUGGLED}`, `${SMUGGLED}0\r\n\r\n`, `x${NUMBER}`.repeat(40)],
)

const framing = (headers: readonly string[], bytes: string, body: string): Framing => ({
  headers,
  bytes,
  bodyOf: () => body,
})

/** All `length` bytes that follow, wherever they belong. */
const ofLength = (headers: readonly string[], bytes: string, length: number): Framing => ({
  headers,
  bytes,
  bodyOf: (following) => following.slice(0, length),
})

const CHUNKED = 'Transfer-Encoding: chunked'

/** How chunks are spelled, `%` for the size; each is allowed by RFC 9112 §7.1. */
const SIZES = ['%', '%', '%', '0%', '0000%', '%;a', '%;a=1', '%;a="b"', '%;a=1;b=2']
const LASTS = ['0\r\n', '0\r\n', '000\r\n', '0;a=1\r\n']
const TRAILERS = [
  ...['', '', 'X-Forwarded-User: admin\r\n', 'X-Case: trailer\r\n', 'Host: evil.example\r\n'],
  ...['X-A: 1\r\nx_forwarded_user: admin\r\n'],
]

/** Such as Node's parser takes for framing, which most others read over. */
const ODD_TRAILERS = ['Content-Length: 9\r\n', `${CHUNKED}\r\n`]

const chunkedBytes = fc
  .tuple(payloads, fc.constantFrom(0, 1, 8), fc.constantFrom(...SIZES), fc.boolean())
  .map(([payload, split, size, upper]) => {
    const chunks = [payload.slice(0, split), payload.slice(split)].filter((text) => text !== '')
    const bytes = chunks.map((text) => `${sizeOf(text, size, upper)}\r\n${text}\r\n`).join('')
    return { payload, bytes }
  })

function sizeOf(text: string, spelling: string, upper: boolean): string {
  const hex = text.length.toString(16)
  return spelling.replace('%', upper ? hex.toUpperCase() : hex)
}

const honest = fc.oneof<fc.MaybeWeightedArbitrary<Part<Framing>>[]>(
  { weight: 3, arbitrary: fc.constant({ kind: 'plain', value: framing([], '', '') }) },
  {
    weight: 2,
    arbitrary: payloads.map((text) => ({
      kind: 'plain',
      value: framing([`Content-Length: ${text.length}`], text, text),
    })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(chunkedBytes, fc.constantFrom(...LASTS), fc.constantFrom(...TRAILERS))
      .map(([{ payload, bytes }, last, trailers]) => ({
        kind: 'plain',
        value: framing([CHUNKED], `${bytes}${last}${trailers}\r\n`, payload),
      })),
  },
)

/** Header lines about a body in chunks: what of it is read as such, and what is no framing at all. */
const encodings = chunkedBytes.chain(({ payload, bytes }): fc.Arbitrary<Part<Framing>> => {
  const whole = `${bytes}0\r\n\r\n`
  const read = (...headers: string[]) => framing(headers, whole, payload)
  const none = (...headers: string[]) => framing(headers, whole, '')
  return fc.oneof(
    parts(
      'odd',
      ...[
        'Transfer-Encoding:\tchunked',
        'Transfer-Encoding: chunked \t',
        'TRANSFER-ENCODING:CHUNKED',
      ].map((line) => read(line)),
      read(CHUNKED, 'Transfer_Encoding: identity'),
      read(CHUNKED, 'Content_Length: 1'),
      read(CHUNKED, 'Connection: transfer-encoding'),
      none('Transfer_Encoding: chunked'),
      none('X-Transfer-Encoding: chunked'),
      none('Transfer.Encoding: chunked'),
      none('TE: chunked'),
      ...ODD_TRAILERS.map((text) => framing([CHUNKED], `${bytes}0\r\n${text}\r\n`, payload)),
    ),
    parts(
      'refused',
      ...[
        ...[
          'identity',
          'chunked, chunked',
          'chunked, identity',
          'identity, chunked',
          'gzip, chunked',
        ],
        ...[
          'xchunked',
          '"chunked"',
          'chunked;q=1',
          'chunk',
          ',chunked',
          'chunked,',
          '',
          '\x0bchunked',
        ],
        ...[
          'chunked\x0c',
          'chunked\0',
          '\xa0chunked',
          'chunked\xa0',
          'c\thunked',
          'deflate',
          'chunked x',
        ],
      ].map((value) => read(`Transfer-Encoding: ${value}`)),
      ...[
        'Transfer-Encoding : chunked',
        ' Transfer-Encoding: chunked',
        'Transfer-Encoding\t: chunked',
      ].map((line) => read(line)),
      read('X-A: b\rTransfer-Encoding: chunked'),
      read('X-A: b\nTransfer-Encoding: chunked'),
      read('Transfer-Encoding:\r\n chunked'),
      read('Transfer-Encoding\r\n: chunked'),
      read(CHUNKED, CHUNKED),
      read('Transfer-Encoding: identity', CHUNKED),
      read(CHUNKED, 'Transfer-Encoding: identity'),
      read(CHUNKED, 'transfer-encoding:'),
      ...[0, 1, payload.length, whole.length].flatMap((length) => [
        read(CHUNKED, `Content-Length: ${length}`),
        read(`Content-Length: ${length}`, CHUNKED),
        read(`Content-Length: ${length}`, 'Transfer-Encoding: x'),
      ]),
    ),
  )
})

/** Header lines about a length. */
const lengths = payloads.chain((payload): fc.Arbitrary<Part<Framing>> => {
  const n = payload.length
  const read = (...headers: string[]) => framing(headers, payload, payload)
  const length = (text: string) => read(`Content-Length: ${text}`)
  return fc.oneof(
    parts(
      'odd',
      read(`Content-Length:${n}`),
      read(`CONTENT-LENGTH:\t ${n} \t`),
      length(`00${n}`),
      read(`Content-Length: ${n}`, 'Content_Length: 1'),
      read(`Content-Length: ${n}`, 'Connection: content-length'),
      read(`Content-Length: ${n}`, 'Transfer_Encoding: chunked'),
      framing([`Content_Length: ${n}`], payload, ''),
      framing([`X-Content-Length: ${n}`], payload, ''),
      ...[0, 1, 8].map((short) =>
        ofLength([`Content-Length: ${Math.min(short, n)}`], payload, Math.min(short, n)),
      ),
      ...[1, 2, 5, 17].map((more) => ofLength([`Content-Length: ${n + more}`], payload, n + more)),
    ),
    parts(
      'refused',
      ...[
        `+${n}`,
        `-${n}`,
        `0x${n.toString(16)}`,
        `${n}, ${n}`,
        `${n},${n}`,
        `${n} ${n}`,
        '',
        `${n}.0`,
      ].map(length),
      ...[
        `${n};`,
        `"${n}"`,
        `${n}e0`,
        `\x0b${n}`,
        `${n}\0`,
        `${n}\xa0`,
        'x',
        `${n}_0`,
        `${n}, 0`,
      ].map(length),
      ...['9'.repeat(20), `18446744073709551616`, `${2n ** 64n + BigInt(n)}`, `${2n ** 63n}`].map(
        length,
      ),
      read(`Content-Length : ${n}`),
      read(`Content-Length\t: ${n}`),
      read(` Content-Length: ${n}`),
      read(`Content-Length:\r\n ${n}`),
      read(`X-A: b\nContent-Length: ${n}`),
      read(`X-A: b\rContent-Length: ${n}`),
      read(`Content-Length: ${n}`, `Content-Length: ${n}`),
      read(`Content-Length: ${n}`, `content-length: ${n + 1}`),
      read('Content-Length: 0', `Content-Length: ${n}`),
      read(`Content-Length: ${n}`, 'Content-Length:'),
    ),
  )
})

/** Chunks that only a lax reader takes. */
const broken = payloads
  .filter((payload) => payload.length > 1)
  .chain((payload) => {
    const hex = payload.length.toString(16)
    const data = `\r\n${payload}\r\n0\r\n\r\n`
    const bytes = [
      ...[' ', '+', '-', '0x', '\t', '\x0b', ';', 'x', '_', '\n', '\0'].map(
        (sign) => `${sign}${hex}${data}`,
      ),
      ...[' ', '\t', 'h', 'x', '\x0b', '\r', ' ;a', ';a\nb', ';a\rb', ';a=\0', ';"\r\n', ',1'].map(
        (sign) => `${hex}${sign}${data}`,
      ),
      ...['f'.repeat(17), `1${hex.padStart(16, '0')}`, '', '-1'].map((size) => size + data),
      `${hex}\n${payload}\r\n0\r\n\r\n`,
      `${hex}\r${payload}\r\n0\r\n\r\n`,
      `${hex}\r\n${payload}\n0\r\n\r\n`,
      `${hex}\r\n${payload}0\r\n\r\n`,
      `${hex}\r\n${payload}xx0\r\n\r\n`,
      `${hex}\r\n${payload}\r\r\n0\r\n\r\n`,
      `${hex}\r\n${payload}\r\n0\n\n`,
      `${hex}\r\n${payload}\r\n0\r\r\n`,
      `${hex}\r\n${payload}\r\n0\r\n`,
      `${hex}\r\n${payload}\r\n`,
      `${(payload.length - 1).toString(16)}${data}`,
      `${(payload.length + 1).toString(16)}${data}`,
      `${(payload.length + 2).toString(16)}${data}`,
      ...[
        'X-A\r\n',
        'X-A : b\r\n',
        ' X-A: b\r\n',
        'X-A: b\n',
        'X-A: b\rX-B: c\r\n',
        'X-A: \0\r\n',
        '\x01: b\r\n',
      ].map((trailer) => `${hex}\r\n${payload}\r\n0\r\n${trailer}\r\n`),
    ]
    return parts('refused', ...bytes.map((text) => framing([CHUNKED], text, payload)))
  })

/** Framings of a body, honest and not. */
export const framings: fc.Arbitrary<Part<Framing>> = mostly(honest, 9, encodings, lengths, broken)
