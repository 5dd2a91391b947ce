import fc from 'fast-check'
import { HOST, mostly, type Part, parts } from './part.ts'

/** What stepgate tells the application, each of which a client may try to write itself. */
export const OWN_NAMES = [
  ...['x-forwarded-user', 'x-forwarded-email', 'x-forwarded-preferred-username'],
  ...['x-forwarded-groups', 'x-stepgate-subject', 'x-stepgate-acr', 'x-stepgate-amr'],
  ...['x-stepgate-auth-time', 'remote-user', 'x-forwarded-for', 'x-forwarded-host'],
  ...['x-forwarded-proto', 'x-request-id'],
]

const SPELLINGS: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => name.toUpperCase(),
  (name) => name.replaceAll('-', '_'),
  (name) => name.replace('-', '_'),
  (name) => name.replaceAll('-', '_').toUpperCase(),
  (name) => name.replaceAll('-', '.'),
  (name) => name.replaceAll('-', '~'),
  (name) => name.replace(/-(?!.*-)/, '*'),
]
const VALUES = ['admin', '', ' ', 'alice, admin', 'admin\t', '\xff', '127.0.0.1', 'a;b="c']

const spoofed = fc
  .tuple(fc.constantFrom(...OWN_NAMES), fc.constantFrom(...SPELLINGS), fc.constantFrom(...VALUES))
  .map(
    ([name, spell, value]): Part<string> => ({ kind: 'plain', value: `${spell(name)}: ${value}` }),
  )

/** Lines that one parser takes for a header and another for part of one, or for none. */
const broken: fc.Arbitrary<Part<string>> = fc
  .tuple(
    fc.constantFrom(...OWN_NAMES),
    fc.constantFrom(
      ...['@ : admin', '@\t: admin', ' @: admin', '\t@: admin', '@', ': admin', '@\xa0: admin'],
      ...['X-A: b\r@: admin', 'X-A: b\n@: admin', 'X-A: b\0@: admin', '\0@: admin', '@\0: admin'],
      ...[
        'X-A: b\r\n @: admin',
        '@\r\n: admin',
        'X-A: b\x0b',
        '@:admin\x7f',
        '(@): admin',
        '@=admin',
      ],
      ...['"@": admin', 'X A: b', '@/x: admin', 'X-A: b\r\r@: admin', 'X-A: b\n\r@: admin'],
    ),
  )
  .map(([name, line]): Part<string> => ({ kind: 'refused', value: line.replace('@', name) }))

const HANDSHAKE = [
  ...['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'],
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
].join('\r\n')

const named = fc
  .tuple(
    fc.constantFrom(...OWN_NAMES, 'host', 'cookie', 'x-a'),
    fc.constantFrom('', 'close, ', 'keep-alive,'),
  )
  .map(([name, before]): Part<string> => ({ kind: 'plain', value: `Connection: ${before}${name}` }))

const HOPS = [
  ...['Connection: close', 'Connection: keep-alive', 'Connection: ,', 'Connection: '],
  ...['Connection: Upgrade, HTTP2-Settings', 'Connection: upgrade', 'Keep-Alive: timeout=5'],
  'Upgrade: h2c\r\nConnection: Upgrade',
  ...['TE: trailers', 'TE: trailers, chunked', 'Trailer: X-Forwarded-User', 'Trailer: X-A'],
  ...['Proxy-Connection: close', 'Proxy-Authorization: Basic YTpi', 'HTTP2-Settings: AAMAAABk'],
  ...[
    'Upgrade: h2c',
    'Upgrade: TLS/1.0',
    'Upgrade: ',
    'Expect: 100-continue',
    'Expect: 100-Continue',
  ],
]

const hop = mostly(
  fc.oneof(named, parts('plain', ...HOPS)),
  8,
  parts('odd', 'Expect: 200-ok', 'Expect: ', 'Expect: 100-continue, x', 'Expect: x'),
  parts('odd', 'Upgrade: websocket', HANDSHAKE, `${HANDSHAKE}\r\nConnection: close`),
)

const persuasive = parts(
  'plain',
  ...['X-Original-URL: /secret', 'X-Rewrite-URL: /secret', 'X-HTTP-Method-Override: DELETE'],
  ...[
    'X-Forwarded-Prefix: /secret',
    'Forwarded: for=127.0.0.1;host=evil.example',
    'Proxy: http://evil',
  ],
  ...[
    'User-Agent: kube-probe/1.31',
    'X-Real-IP: 127.0.0.1',
    'Via: 1.1 x',
    'Cookie: own=1; a="b',
    'Cookie: ',
  ],
  ...[
    'Content-Type: application/x-www-form-urlencoded',
    'Content-Encoding: gzip',
    'Accept-Encoding: gzip',
  ],
  ...[
    'X-A: \xe9\x80',
    'X-A:',
    'X-A: a,b;c="\\"',
    'X-Empty: \t ',
    'Host_: x',
    'Http-Host: evil.example',
  ],
)

/** Header lines beside host, framing and cookie. */
export const headerLines = fc
  .array(mostly(fc.oneof(spoofed, hop, persuasive), 24, broken), { maxLength: 5 })
  .map((lines) =>
    lines.filter((line, index) => !isExpect(line) || lines.findIndex(isExpect) === index),
  )

/** Two of them are an expectation of their own. */
function isExpect({ value }: Part<string>): boolean {
  return value.startsWith('Expect')
}

/** The lines that name the host: one, or what is to be refused. */
export const hostLines: fc.Arbitrary<Part<readonly string[]>> = mostly(
  parts<readonly string[]>('plain', [`Host: ${HOST}`]),
  14,
  parts<readonly string[]>(
    'plain',
    ['Host: app.example.com:8443'],
    ['hOST:APP.example.com'],
    ['HOST: \t app.example.com \t'],
    ['Host: [::1]:80'],
    ['Host: app_1.example.com.'],
    [`Host: ${HOST}`, 'X-Host: evil.example', 'Host_: evil.example'],
  ),
  parts<readonly string[]>(
    'refused',
    [],
    ['Host:'],
    ['Host: app/x'],
    ['Host: a@app'],
    ['Host: app:1:2'],
    ['Host: app:'],
    ['Host: app x'],
    ['Host: app,evil'],
    ['Host: app\0'],
    ['Host: app%00'],
    ['Host: app?x'],
    ['Host: http://app'],
    ['Host: \xe4pp'],
    [`Host: ${HOST}`, 'Host: evil.example'],
    [`Host: ${HOST}`, `host: ${HOST}`],
    [`Host: ${HOST}`, 'Host:'],
    [`Host: ${HOST}`, ' evil.example'],
    [`Host : ${HOST}`],
    [` Host: ${HOST}`],
  ),
)
