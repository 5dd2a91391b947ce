import type { Config, ListenAddress, Secrets, SendLimits, Upstream } from './config.ts'
import { formatDuration } from './duration.ts'
import { headersAsChanges } from './parse-headers.ts'
import { formatLimit } from './parse-limit.ts'
import { NO_UPSTREAM, writePlace } from './parse-upstreams.ts'
import { writeAddress } from './parse-url.ts'
import { formatSize } from './size.ts'
import type { Variable } from './variable.ts'
import { fullName, VARIABLE_NAMES, VARIABLES, type VariableName } from './variables.ts'
import { writeStore } from './write-store.ts'

/** What stands for a secret, whatever its length. */
export const MASK = '********'

/** What a secret's writer says when it is set, instead of its value. */
const IS_SET = 'is set'

type Writer = (config: Config, secrets: Secrets) => string | undefined

/**
 * The effective configuration as `STEPGATE_NAME=value` lines, defaults included, with secrets
 * masked. What is not set and has no default is left out.
 */
export function describeConfig(config: Config, secrets: Secrets): string {
  return VARIABLE_NAMES.flatMap((name) => {
    const value = WRITERS[name](config, secrets)
    if (value === undefined) return []
    // biome-ignore lint/suspicious/noControlCharactersInRegex: one line each, whatever is in it
    const line = value.replace(/[\u0000-\u001f\u007f]/g, ' ')
    const { secret, masksItself }: Variable = VARIABLES[name]
    return [`${fullName(name)}=${secret && !masksItself ? MASK : line}\n`]
  }).join('')
}

/** A writer for each variable, so that none can be forgotten. */
const WRITERS: Readonly<Record<VariableName, Writer>> = {
  PUBLIC_URL: ({ publicUrl }) => publicUrl.origin,
  UPSTREAM: ({ upstreams }) => upstreams.map(writeUpstream).join('; ') || NO_UPSTREAM,
  UPSTREAM_TIMEOUT: ({ upstreamTimeout }) => formatDuration(upstreamTimeout),
  UPSTREAM_CA_FILE: ({ upstreamTls }) => upstreamTls?.caFile,
  UPSTREAM_CERT_FILE: ({ upstreamTls }) => upstreamTls?.client?.certFile,
  UPSTREAM_KEY_FILE: ({ upstreamTls }) => upstreamTls?.client?.keyFile,
  UPSTREAM_SERVER_NAME: ({ upstreamTls }) => upstreamTls?.serverName,
  LISTEN: ({ listen }) => writeListen(listen),
  WEBSOCKET_ORIGINS: ({ webSocketOrigins }) => webSocketOrigins.join(' ') || undefined,
  TLS_CERT_FILE: ({ tls }) => tls?.certFile,
  TLS_KEY_FILE: ({ tls }) => tls?.keyFile,
  // Without TLS it would be said to do something.
  HTTP2: ({ tls, http2 }) => (tls === undefined ? undefined : writeFlag(http2)),
  PROXY_PROTOCOL: ({ proxyProtocol }) => writeFlag(proxyProtocol),
  MAX_HEADER_SIZE: ({ limits }) => formatSize(limits.headerSize),
  MAX_HEADERS: ({ limits }) => String(limits.headers),
  MAX_URL: ({ limits }) => formatSize(limits.url),
  MAX_BODY: ({ limits }) => orNone(limits.body, formatSize),
  RESUME_MAX_BODY: ({ resumeMaxBody }) => formatSize(resumeMaxBody),
  HEADER_TIMEOUT: ({ limits }) => formatDuration(limits.headerTimeout),
  BODY_IDLE_TIMEOUT: ({ limits }) => formatDuration(limits.bodyIdle),
  KEEP_ALIVE_TIMEOUT: ({ limits }) => formatDuration(limits.keepAlive),
  CONNECTIONS_PER_ADDRESS: ({ limits }) => orNone(limits.connectionsPerAddress, String),
  SESSION_SECRET: () => IS_SET,
  SESSION_IDLE: ({ session }) => formatDuration(session.idle),
  SESSION_LIFETIME: ({ session }) => formatDuration(session.lifetime),
  SESSION_RECHECK: ({ session }) =>
    session.recheck === Number.POSITIVE_INFINITY ? 'off' : formatDuration(session.recheck),
  // Where nobody asks, it would be said to do something.
  SESSION_RECHECK_GRACE: ({ session }) =>
    session.recheck === Number.POSITIVE_INFINITY ? undefined : formatDuration(session.recheckGrace),
  SESSION_PAGES: ({ sessionPages }) => sessionPages,
  OIDC_ISSUER: ({ oidc }) => writeUrl(oidc.issuer),
  OIDC_CLIENT_ID: ({ oidc }) => oidc.clientId,
  OIDC_CLIENT_SECRET: (_, { oidcCredential }) =>
    typeof oidcCredential === 'string' ? IS_SET : undefined,
  OIDC_CLIENT_KEY: (_, secrets) => clientKey(secrets) && IS_SET,
  OIDC_CLIENT_KEY_ID: (_, secrets) => clientKey(secrets)?.kid,
  // Where there are several, the provider's metadata chooses.
  OIDC_CLIENT_KEY_ALG: (_, secrets) => {
    const [alg, ...others] = clientKey(secrets)?.algs ?? []
    return others.length === 0 ? alg : undefined
  },
  OIDC_PAR: ({ oidc }) => oidc.request.par,
  OIDC_SCOPES: ({ oidc }) => oidc.scopes.join(' '),
  OIDC_USERNAME_CLAIM: ({ oidc }) => oidc.usernameClaim,
  OIDC_GROUPS_CLAIM: ({ oidc }) => oidc.groupsClaim,
  OIDC_GROUPS: ({ oidc }) => oidc.groups?.join('; '),
  OIDC_TRUST_ACR: ({ oidc }) => oidc.trustAcr.join(' ') || undefined,
  OIDC_ACR_VALUES: ({ oidc }) => oidc.request.acrValues.join(' ') || undefined,
  OIDC_CLAIMS: ({ oidc }) => oidc.request.claims && JSON.stringify(oidc.request.claims),
  OIDC_PROMPT: ({ oidc }) => oidc.request.prompt.join(' ') || undefined,
  OIDC_UI_LOCALES: ({ oidc }) => oidc.request.uiLocales,
  OIDC_LOGIN_HINT: ({ oidc }) => oidc.request.loginHint,
  OIDC_PARAMETERS: ({ oidc }) =>
    oidc.request.parameters.map(({ name, value }) => `${name}=${value}`).join('; ') || undefined,
  BEARER_AUDIENCE: ({ bearer }) => bearer?.audiences.join(' '),
  // Without a rule that takes tokens it would be said to do something.
  BEARER_INTROSPECTION: ({ bearer }) =>
    bearer && (bearer.introspection === undefined ? 'off' : formatDuration(bearer.introspection)),
  DEFAULT_ACR: ({ defaultAcr }) => defaultAcr,
  // A statement with several patterns is several rules of one source.
  RULES: ({ rules }) => [...new Set(rules.map(({ source }) => source))].join('; ') || undefined,
  TWILIO_SID: ({ twilio }) => twilio.accountSid,
  TWILIO_TOKEN: (_, { twilioToken }) => twilioToken && IS_SET,
  TWILIO_FROM_NUMBER: ({ twilio: { from } }) => (from.kind === 'number' ? from.number : undefined),
  TWILIO_MESSAGING_SERVICE_SID: ({ twilio: { from } }) =>
    from.kind === 'service' ? from.sid : undefined,
  TWILIO_FALLBACK_FROM: ({ twilio: { fallbackFrom: from } }) =>
    from?.kind === 'service' ? from.sid : from?.number,
  TWILIO_VOICE_FROM: ({ twilio }) => twilio.voiceFrom ?? 'off',
  TWILIO_API_KEY_SID: ({ twilio }) => twilio.apiKeySid,
  TWILIO_API_KEY_SECRET: ({ twilio }) => (twilio.apiKeySid === undefined ? undefined : IS_SET),
  TWILIO_API_URL: ({ twilio }) => twilio.apiUrl && writeUrl(twilio.apiUrl),
  SMS_COUNTRIES: ({ smsCountries }) => smsCountries.join(','),
  SMS_LIMIT_PERSON: ({ smsLimits }) => formatLimit(smsLimits.person),
  SMS_LIMIT_NUMBER: ({ smsLimits }) => formatLimit(smsLimits.number),
  SMS_LIMIT_ADDRESS: ({ smsLimits }) => formatLimit(smsLimits.address),
  SMS_LIMIT_PREFIX: ({ smsLimits }) => formatLimit(smsLimits.prefix),
  SMS_LIMIT_UNKNOWN: ({ smsLimits }) => formatLimit(smsLimits.unknown),
  SMS_BUDGET: ({ smsLimits }) => String(smsLimits.budget),
  SMS_VERIFIED_ALARM: ({ smsLimits }) => `${Math.round(smsLimits.verifiedAlarm * 100)}%`,
  // Without a caller these would be said to do nothing.
  VOICE_COUNTRIES: ({ twilio, voiceCountries }) =>
    twilio.voiceFrom === undefined ? undefined : voiceCountries.join(','),
  VOICE_LIMIT_PERSON: ofCalls(({ person }) => formatLimit(person)),
  VOICE_LIMIT_NUMBER: ofCalls(({ number }) => formatLimit(number)),
  VOICE_LIMIT_ADDRESS: ofCalls(({ address }) => formatLimit(address)),
  VOICE_LIMIT_PREFIX: ofCalls(({ prefix }) => formatLimit(prefix)),
  VOICE_LIMIT_UNKNOWN: ofCalls(({ unknown }) => formatLimit(unknown)),
  VOICE_BUDGET: ofCalls(({ budget }) => String(budget)),
  OTP_LENGTH: ({ otp }) => String(otp.length),
  OTP_TTL: ({ otp }) => formatDuration(otp.ttl),
  OTP_ATTEMPTS: ({ otp }) => String(otp.attempts),
  PHONE_SOURCE: ({ phoneSource }) => phoneSource,
  LDAP_URL: ({ ldap }) => ldap && writeUrl(ldap.url),
  LDAP_BIND_DN: ({ ldap }) => ldap?.bindDn,
  LDAP_BIND_PASSWORD: (_, { ldapBindPassword }) => ldapBindPassword && IS_SET,
  LDAP_BASE_DN: ({ ldap }) => ldap?.baseDn,
  LDAP_STARTTLS: ({ ldap }) => ldap && String(ldap.startTls),
  LDAP_CA_FILE: ({ ldap }) => ldap?.caFile,
  LDAP_USER_FILTER: ({ ldap }) => ldap?.userFilter,
  LDAP_PHONE_ATTRIBUTE: ({ ldap }) => ldap?.phoneAttributes.join(','),
  STORE: ({ store }, { store: secrets }) => writeStore(store, secrets, MASK),
  STORE_CA_FILE: ({ store }) => redisTls(store)?.caFile,
  STORE_CERT_FILE: ({ store }) => redisTls(store)?.client?.certFile,
  STORE_KEY_FILE: ({ store }) => redisTls(store)?.client?.keyFile,
  WORKERS: ({ workers }) => String(workers),
  TRUSTED_PROXIES: ({ trustedProxies }) => trustedProxies.join(',') || undefined,
  PROXY_HEADERS: ({ proxyHeaders }) => proxyHeaders,
  HEADERS: ({ headers }) =>
    headersAsChanges(headers)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; '),
  HEADERS_SECRET: (_, { headersSecret }) => headersSecret && IS_SET,
  ASSERTION: ({ assertion }) => writeFlag(assertion),
  HEADERS_ENCODING: ({ headersEncoding }) => headersEncoding,
  ENCODED_SLASHES: ({ encodedSlashes }) => encodedSlashes,
  METRICS_LISTEN: ({ metrics }) => (metrics === undefined ? 'off' : writeListen(metrics.listen)),
  LOG_LEVEL: ({ log }) => log.level,
  ACCESS_LOG: ({ log }) => writeFlag(log.access),
  SUPPORT_CONTACT: ({ brand }) => brand.supportContact,
  BRAND_NAME: ({ brand }) => brand.name,
  BRAND_LOGO: ({ brand }) => brand.logo,
  BRAND_COLOR: ({ brand }) => brand.color,
  PAGES_DIR: ({ pagesDir }) => pagesDir,
  DEMO_PORT: () => undefined,
}

function clientKey({ oidcCredential }: Secrets) {
  return typeof oidcCredential === 'string' ? undefined : oidcCredential
}

function ofCalls(write: (limits: SendLimits) => string) {
  return ({ twilio, voiceLimits }: Config) =>
    twilio.voiceFrom === undefined ? undefined : write(voiceLimits)
}

function writeFlag(on: boolean): string {
  return on ? 'on' : 'off'
}

function orNone(limit: number, write: (limit: number) => string): string {
  return limit === Number.POSITIVE_INFINITY ? 'none' : write(limit)
}

function redisTls(store: Config['store']) {
  return store.kind === 'redis' ? store.tls : undefined
}

/** Without the slash that the URL parser puts after a bare host. */
function writeUrl(url: URL): string {
  return url.pathname === '/' ? url.href.replace(/\/$/, '') : url.href
}

function writeUpstream(upstream: Upstream): string {
  const addresses = upstream.addresses.map(writeAddress).join(', ')
  const place = writePlace(upstream)
  return place === '/' ? addresses : `${place} → ${addresses}`
}

function writeListen(listen: ListenAddress): string {
  if (listen.kind === 'unix') return `unix:${listen.path}`
  const host = listen.host?.includes(':') ? `[${listen.host}]` : (listen.host ?? '')
  return `${host}:${listen.port}`
}
