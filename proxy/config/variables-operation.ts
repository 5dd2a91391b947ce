import * as z from 'zod'
import { DEFAULT_HEADERS, PLACEHOLDERS, parseHeaders } from './parse-headers.ts'
import { parseListenOrOff } from './parse-listen.ts'
import { parseNetworks } from './parse-networks.ts'
import { parseStore } from './parse-store.ts'
import { parseWorkers } from './parse-workers.ts'
import { parsedBy } from './parsed.ts'
import { flag, line, matching, oneOf, secretText, wholeNumber } from './schemas.ts'
import { defaulted, optional } from './variable.ts'

/** The store, the proxies around, what the application is told, logs and looks. */
export const OPERATION = {
  STORE: defaulted(parsedBy(parseStore), 'sqlite:./data/stepgate.db', {
    doc: 'Where codes, counters and ended sessions are kept: `sqlite:PATH` for one machine, a Redis or Valkey for several (`redis://user:password@host:6379/0`, `redis+sentinel://user:password@host:26379,host:26379/mymaster/0`, `redis+cluster://user:password@host:6379,host:6379`, with TLS `rediss…`; `?prefix=` for several installations in one), or `memory:`, which forgets all at a restart.',
    example: 'sqlite:/var/lib/stepgate/stepgate.db',
    secret: true,
    masksItself: true,
  }),
  STORE_CA_FILE: optional(z.string(), {
    doc: "PEM file with the certificate authority of the Redis server's certificate.",
    defaultNote: "Node's own list",
    example: '/etc/ssl/certs/company-ca.pem',
  }),
  STORE_CERT_FILE: optional(z.string(), {
    doc: 'PEM file with the certificate that stepgate shows to a Redis that asks for one; with `STEPGATE_STORE_KEY_FILE`.',
    example: '/run/secrets/redis-client.crt',
  }),
  STORE_KEY_FILE: optional(z.string(), {
    doc: 'PEM file with the private key of that certificate, without a passphrase.',
    example: '/run/secrets/redis-client.key',
  }),
  WORKERS: defaulted(parsedBy(parseWorkers), '1', {
    doc: 'Processes that serve, with one more that starts them and replaces what dies; `auto` is one a core. More than one need a store that they can share.',
    example: 'auto',
  }),
  TRUSTED_PROXIES: optional(parsedBy(parseNetworks), {
    doc: 'Addresses or CIDRs of proxies in front whose forwarding headers are believed; `unix` for a proxy that connects to stepgate’s unix socket.',
    defaultNote: 'none',
    example: '10.0.0.0/8,fd00::/8',
  }),
  PROXY_HEADERS: defaulted(oneOf('x-forwarded', 'forwarded'), 'x-forwarded', {
    doc: 'What those proxies write: `x-forwarded` (`X-Forwarded-For`, `-Proto` and `-Host`) or `forwarded` (RFC 7239). The other kind is ignored, as it may be the client’s own.',
    example: 'forwarded',
  }),
  HEADERS: optional(parsedBy(parseHeaders), {
    doc: `What the application is told, as changes of the default headers, \`Name={template}\` separated by \`;\` or line breaks: a new name adds, the name of a default replaces, nothing after \`=\` removes. Placeholders: ${PLACEHOLDERS.map((name) => `\`${name}\``).join(' ')}; \`{client_address}\` stands alone and is sent without a session, too.`,
    defaultNote: DEFAULT_HEADERS.map(({ name, value }) => `\`${name}=${value}\``).join(' '),
    example: "'REMOTE_USER={username}; X-Forwarded-Email='",
    unquoted: true,
  }),
  HEADERS_SECRET: optional(secretText, {
    doc: 'What `{secret}` stands for in `STEPGATE_HEADERS`.',
    example: 'a-secret-that-the-application-knows',
    secret: true,
  }),
  ASSERTION: defaulted(flag, 'off', {
    doc: 'Whether the application is also sent `X-Stepgate-Assertion`, [a signed JWT](docs/assertion.md) of who is asking.',
    example: 'on',
  }),
  HEADERS_ENCODING: defaulted(oneOf('utf-8', 'percent'), 'utf-8', {
    doc: 'How characters beyond ASCII are sent in those headers: `utf-8` bytes or `percent`-encoded.',
    example: 'utf-8',
  }),
  ENCODED_SLASHES: defaulted(oneOf('reject', 'allow'), 'reject', {
    doc: 'Whether a path may hold `%2F`; with `allow` a rule must match both readings.',
    example: 'reject',
  }),
  METRICS_LISTEN: defaulted(parsedBy(parseListenOrOff), '127.0.0.1:9464', {
    doc: 'Where [metrics](docs/metrics.md) for Prometheus are served, at `/metrics`: an address as for `STEPGATE_LISTEN`, but another one, or `off`. They name no person; still, only your monitoring should reach them.',
    example: '127.0.0.1:9464',
  }),
  LOG_LEVEL: defaulted(oneOf('debug', 'info', 'warn', 'error', 'silent'), 'info', {
    doc: '`debug`, `info`, `warn`, `error` or `silent`.',
    example: 'info',
  }),
  ACCESS_LOG: defaulted(flag, 'on', {
    doc: 'Whether each request is logged, `on` or `off`.',
    example: 'on',
  }),
  SUPPORT_CONTACT: optional(line(200), {
    doc: 'Shown where people need help: a sentence, an e-mail address, a phone number or a URL.',
    example: 'helpdesk@example.com',
  }),
  BRAND_NAME: optional(line(40), {
    doc: 'Name on the pages and in the SMS.',
    defaultNote: "the public URL's host",
    example: '"Example Corp"',
  }),
  BRAND_LOGO: optional(
    matching(
      /^(https:\/\/[^\s"'<>;,]+|data:image\/[\w.+-]+[;,]\S+|[\w-][\w.-]*)$/,
      'it must be an https URL, a data:image/… URL or the name of a file in STEPGATE_PAGES_DIR',
    ),
    {
      doc: 'Logo on the pages: an https URL, a `data:image/…` URL or the name of a file in `STEPGATE_PAGES_DIR`.',
      example: 'logo.svg',
    },
  ),
  BRAND_COLOR: optional(matching(/^#[0-9a-f]{6}$/i, 'it must be # and six hexadecimal digits'), {
    doc: 'Colour of buttons and links, as `#rrggbb`.',
    example: "'#0b5fff'",
  }),
  PAGES_DIR: optional(z.string(), {
    doc: 'Folder whose files replace pages or assets of the same name.',
    example: '/etc/stepgate/pages',
  }),
  DEMO_PORT: defaulted(wholeNumber(1, 65_532), '8080', {
    doc: 'For the demo only: its first port; the three after it are used too.',
    example: '9080',
  }),
} as const
