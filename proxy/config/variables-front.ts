import * as z from 'zod'
import { parseListen } from './parse-listen.ts'
import { parseOrigins } from './parse-origins.ts'
import { parseSessionSecret } from './parse-session-secret.ts'
import { parsePublicUrl } from './parse-url.ts'
import { parsedBy } from './parsed.ts'
import { duration, flag, matching, oneOf, orOff } from './schemas.ts'
import { defaulted, optional, required } from './variable.ts'

/** Where browsers come in and where requests go on to, and the session in between. */
export const FRONT = {
  PUBLIC_URL: required(parsedBy(parsePublicUrl), {
    doc: 'Base URL that browsers use: an origin without a path; https unless the host is loopback.',
    example: 'https://app.example.com',
  }),
  UPSTREAM: required(z.string(), {
    doc: 'The application: `http://…`, `https://…` or `unix:/path.sock`. Several addresses, comma-separated, share its requests. Several applications are `host/path → address`, one a line or `;`: a path covers all below it, the longest wins, and what none covers is a 404. `none`: stepgate forwards nothing, and proxies in `STEPGATE_TRUSTED_PROXIES` ask `/_stepgate/auth` (docs/forward-auth.md).',
    example: 'http://127.0.0.1:3000',
  }),
  UPSTREAM_TIMEOUT: defaulted(duration('1s', '1h'), '60s', {
    doc: 'How long the application may take to begin its answer; after that people get a 504 page.',
    example: '5m',
  }),
  UPSTREAM_CA_FILE: optional(z.string(), {
    doc: "PEM file with the certificate authority of the application's certificate; no other is trusted then.",
    defaultNote: "Node's and the system's own lists",
    example: '/etc/ssl/certs/company-ca.pem',
  }),
  UPSTREAM_CERT_FILE: optional(z.string(), {
    doc: 'PEM file with the certificate that stepgate shows to an application that asks for one; with `STEPGATE_UPSTREAM_KEY_FILE`.',
    example: '/run/secrets/upstream-client.crt',
  }),
  UPSTREAM_KEY_FILE: optional(z.string(), {
    doc: 'PEM file with the private key of that certificate, without a passphrase.',
    example: '/run/secrets/upstream-client.key',
  }),
  UPSTREAM_SERVER_NAME: optional(
    matching(/^[a-z\d_]([\w-]*[a-z\d])?(\.[a-z\d_]([\w-]*[a-z\d])?)*$/i, 'it must be a host name'),
    {
      doc: "Name that the application's certificate must have, and that is asked for (SNI).",
      defaultNote: 'the host of each address in `STEPGATE_UPSTREAM`',
      example: 'app.internal.example.com',
    },
  ),
  LISTEN: defaulted(parsedBy(parseListen), ':8080', {
    doc: 'Where stepgate listens: `8080`, `:8080`, `127.0.0.1:8080`, `[::1]:8080` or `unix:/path.sock`.',
    example: ':8080',
  }),
  WEBSOCKET_ORIGINS: optional(parsedBy(parseOrigins), {
    doc: 'Origins besides the public URL whose pages may open WebSockets; `none` lets in programs that send no `Origin`.',
    defaultNote: 'none but the public URL',
    example: 'https://portal.example.com',
  }),
  TLS_CERT_FILE: optional(z.string(), {
    doc: 'PEM file with the certificate and its chain, to serve TLS itself; with `STEPGATE_TLS_KEY_FILE`.',
    example: '/run/secrets/tls.crt',
  }),
  TLS_KEY_FILE: optional(z.string(), {
    doc: 'PEM file with the private key of that certificate, without a passphrase.',
    example: '/run/secrets/tls.key',
  }),
  HTTP2: defaulted(flag, 'on', {
    doc: 'Whether browsers may choose HTTP/2 where stepgate serves TLS itself, `on` or `off`.',
    example: 'off',
  }),
  PROXY_PROTOCOL: defaulted(flag, 'off', {
    doc: 'Whether each connection begins with a PROXY protocol header (version 1 or 2) of a TCP balancer in `STEPGATE_TRUSTED_PROXIES`; others are cut off. `on` or `off`.',
    example: 'on',
  }),
  SESSION_SECRET: required(parsedBy(parseSessionSecret), {
    doc: 'Seals cookies; at least 32 random characters. Several, comma-separated, [rotate it](docs/sessions.md#another-secret): the first seals, all are read.',
    example: '"$(openssl rand -base64 32)"',
    secret: true,
  }),
  SESSION_IDLE: defaulted(duration('1s', '365d'), '1h', {
    doc: 'A session ends after this time without a request.',
    example: '1h',
  }),
  SESSION_LIFETIME: defaulted(duration('1s', '365d'), '12h', {
    doc: 'A session ends this long after sign-in, whatever happens.',
    example: '12h',
  }),
  SESSION_RECHECK: defaulted(orOff(duration('10s', '1d')), '5m', {
    doc: 'How often the provider is asked, by a refresh token, whether an account is still well and who is in which groups; `off` never asks. Without a refresh token it can not be asked.',
    example: '5m',
  }),
  SESSION_RECHECK_GRACE: defaulted(duration('0s', '7d'), '1h', {
    doc: 'How long a session goes on beyond that while the provider can not be asked; then its person signs in again.',
    example: '15m',
  }),
  SESSION_PAGES: defaulted(oneOf('forget', 'keep'), 'forget', {
    doc: "Whether browsers may keep the application's pages for the back button: `forget` adds `no-store` to those of a session that the application gives no lifetime (`max-age`), so that nothing shows after its end; with `keep` the application's word stands alone.",
    example: 'keep',
  }),
} as const
