import type { KeyObject } from 'node:crypto'
import type { CountryCode } from 'libphonenumber-js'
import type { RequiredAcr } from '../policy/acr.ts'
import type { Rule } from '../policy/rule.ts'
import type { ForwardingKind } from '../request/forwarding-headers.ts'

/** Where metrics are served; `chosen` by somebody, or by default. */
export type MetricsSettings = { readonly listen: ListenAddress; readonly chosen: boolean }

/** Everything that the environment says, except secrets; safe to print. Durations in ms, sizes in bytes. */
export type Config = {
  /** An origin: no path, no query. */
  readonly publicUrl: URL
  /** The first that matches is the longest; what none matches is nowhere. */
  readonly upstreams: readonly Upstream[]
  /** How https applications are spoken to; paths are of PEM files. */
  readonly upstreamTls?: UpstreamTls
  /** How long the application may take to begin its answer. */
  readonly upstreamTimeout: number
  readonly listen: ListenAddress
  /** Absent: off. */
  readonly metrics?: MetricsSettings
  /** Origins besides the public URL's whose pages may open WebSockets; `none`: clients without one. */
  readonly webSocketOrigins: readonly string[]
  /** Paths of PEM files; present when stepgate serves TLS itself. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
  /** Whether browsers may choose HTTP/2 where stepgate serves TLS itself. */
  readonly http2: boolean
  /** Whether each connection begins with a PROXY protocol header of a trusted proxy. */
  readonly proxyProtocol: boolean
  readonly limits: ClientLimits
  /** Of a form that waits until its person is through. */
  readonly resumeMaxBody: number
  readonly session: {
    readonly idle: number
    readonly lifetime: number
    /** How often the provider is asked whether all is well; Infinity: never. */
    readonly recheck: number
    /** How long sessions go on after that while it can't be asked. */
    readonly recheckGrace: number
  }
  /** Whether browsers are told not to keep the application's pages of a session. */
  readonly sessionPages: 'forget' | 'keep'
  readonly oidc: {
    readonly issuer: URL
    readonly clientId: string
    readonly scopes: readonly string[]
    readonly usernameClaim: string
    readonly groupsClaim: string
    /** Groups that matter, with `*`; absent: all. */
    readonly groups?: readonly string[]
    /** acr or amr values of the provider that already count as `twilio_sms`. */
    readonly trustAcr: readonly string[]
    /** What the authorization request asks for besides. */
    readonly request: AuthorizationSettings
  }
  /** Access tokens that rules with `bearer` take; absent when no rule does. */
  readonly bearer?: BearerSettings
  readonly defaultAcr: RequiredAcr
  readonly rules: readonly Rule[]
  readonly twilio: {
    readonly accountSid: string
    readonly apiKeySid?: string
    readonly from: SmsFrom
    /** Sends what Twilio refuses to send from the first. */
    readonly fallbackFrom?: SmsFrom
    /** Who calls, in E.164; absent: nobody is called. */
    readonly voiceFrom?: string
    readonly apiUrl?: URL
    /** Where Twilio reports deliveries; absent when it can't, or when nobody could check what comes. */
    readonly statusCallback?: URL
  }
  /** Countries that may be texted; the first reads numbers that are written without one. */
  readonly smsCountries: readonly [CountryCode, ...CountryCode[]]
  readonly smsLimits: SmsLimits
  /** Countries that may be called. */
  readonly voiceCountries: readonly [CountryCode, ...CountryCode[]]
  readonly voiceLimits: SendLimits
  readonly otp: { readonly length: number; readonly ttl: number; readonly attempts: number }
  readonly phoneSource: 'ldap' | 'claims'
  /** Present when `phoneSource` is `ldap`. */
  readonly ldap?: LdapConfig
  readonly store:
    | { readonly kind: 'sqlite'; readonly path: string }
    | { readonly kind: 'memory' }
    | RedisConfig
  /** Processes; `auto` is one a core. */
  readonly workers: number | 'auto'
  /** CIDRs whose forwarding headers are believed; `unix` for peers on a unix socket. */
  readonly trustedProxies: readonly string[]
  /** The forwarding headers that they write; those of the other kind are not read. */
  readonly proxyHeaders: ForwardingKind
  readonly headers: readonly HeaderTemplate[]
  /** Whether the application is sent `X-Stepgate-Assertion`. */
  readonly assertion: boolean
  readonly headersEncoding: 'utf-8' | 'percent'
  readonly encodedSlashes: 'reject' | 'allow'
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
    readonly access: boolean
  }
  readonly brand: {
    readonly name: string
    /** An https URL or a `data:` image, or the name of a file in `pagesDir`. */
    readonly logo?: string
    /** `#rrggbb` */
    readonly color?: string
    /** A sentence, an e-mail address, a phone number or a URL. */
    readonly supportContact?: string
  }
  readonly pagesDir?: string
}

/** The authorization request, as far as configuration says (OpenID Connect Core §3.1.2.1). */
export type AuthorizationSettings = {
  /** In the order in which they are liked. */
  readonly acrValues: readonly string[]
  readonly claims?: ClaimsRequest
  readonly prompt: readonly Prompt[]
  /** Language tags with spaces between, for people who have not chosen any. */
  readonly uiLocales?: string
  /** Which part of a session says whom to expect when a person signs in anew. */
  readonly loginHint: 'username' | 'email' | 'off'
  /** Any others. */
  readonly parameters: readonly Parameter[]
  /** `auto`: pushed to the provider (RFC 9126) if its metadata says that it has to be. */
  readonly par: 'auto' | 'on'
}

export type Prompt = 'login' | 'consent' | 'select_account'

/** OpenID Connect Core §5.5; `null` asks without more. */
export type ClaimsRequest = Readonly<
  Partial<Record<'id_token' | 'userinfo' | 'access_token', Readonly<Record<string, ClaimWanted>>>>
>

export type ClaimWanted = {
  readonly essential?: boolean
  readonly value?: unknown
  readonly values?: readonly unknown[]
} | null

/** A parameter of the authorization request. */
export type Parameter = { readonly name: string; readonly value: string }

/** How access tokens are checked. */
export type BearerSettings = {
  /** A token must be for one of these. */
  readonly audiences: readonly [string, ...string[]]
  /** How long the provider's answer about a token is believed (ms); absent: tokens are JWTs. */
  readonly introspection?: number
}

/** What clients may ask; Infinity where there is no limit. */
export type ClientLimits = {
  /** Names and values of a request's headers together. */
  readonly headerSize: number
  readonly headers: number
  /** Of a target. */
  readonly url: number
  /** Of one request's content. */
  readonly body: number
  readonly headerTimeout: number
  /** Without a byte, when one is the client's to send or to take. */
  readonly bodyIdle: number
  readonly keepAlive: number
  /** Of each process; of IPv6 a /64. */
  readonly connectionsPerAddress: number
}

/** At most so many messages in any one window; it begins with its first message. */
export type LimitWindow = { readonly limit: number; readonly windowMs: number }

/** What messages, or calls, are limited to. Windows are sorted by length. */
export type SendLimits = {
  readonly person: readonly LimitWindow[]
  readonly number: readonly LimitWindow[]
  /** Of a client; of IPv6 a /64. */
  readonly address: readonly LimitWindow[]
  /** Of a block of numbers; counts unknown ones. */
  readonly prefix: readonly LimitWindow[]
  /** Of all unknown numbers together; beyond it a prefix gets very few. */
  readonly unknown: readonly LimitWindow[]
  /** In a day, of the whole installation. */
  readonly budget: number
}

/** What messages are limited to, and when their fate is alarming. */
export type SmsLimits = SendLimits & {
  /** The share of codes typed in, 0 to 1, below which pumping is suspected. */
  readonly verifiedAlarm: number
}

/** Where requests for a path, and all that is below it, go on to. */
export type Upstream = {
  /** Lower case, without port; absent: every host. */
  readonly host?: string
  /** Decoded and case folded, without a slash at the end; `/` is everything. */
  readonly path: string
  readonly addresses: readonly [UpstreamAddress, ...UpstreamAddress[]]
}

export type UpstreamAddress =
  | { readonly kind: 'tcp'; readonly origin: URL }
  | { readonly kind: 'unix'; readonly path: string }

export type UpstreamTls = {
  /** Authority that its certificate must be of, instead of the system's. */
  readonly caFile?: string
  readonly client?: { readonly certFile: string; readonly keyFile: string }
  /** Asked for by SNI, and in its certificate; absent: the upstream's own host. */
  readonly serverName?: string
}

export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host?: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

/** A Redis or Valkey, without its passwords. */
export type RedisConfig = {
  readonly kind: 'redis'
  /** Nodes are the server itself, sentinels that know it by `masterName`, or nodes of a cluster. */
  readonly topology:
    | { readonly kind: 'single' }
    | { readonly kind: 'sentinel'; readonly masterName: string; readonly username?: string }
    | { readonly kind: 'cluster' }
  readonly nodes: readonly [RedisAddress, ...RedisAddress[]]
  /** Who reads and writes; absent: Redis's default user. */
  readonly username?: string
  readonly database: number
  /** What the names of all keys begin with, in braces: one hash slot of a cluster. */
  readonly prefix: string
  /** Present when the connection is TLS: paths of PEM files. */
  readonly tls?: {
    readonly caFile?: string
    readonly client?: { readonly certFile: string; readonly keyFile: string }
  }
}

export type RedisAddress = { readonly host: string; readonly port: number }

export type LdapConfig = {
  readonly url: URL
  readonly bindDn: string
  readonly baseDn: string
  readonly startTls: boolean
  readonly caFile?: string
  /** With `{username}`, `{sub}`, `{email}`. */
  readonly userFilter: string
  readonly phoneAttributes: readonly [string, ...string[]]
}

/**
 * A header that the application is told, with `{username}`, `{email}`, `{name}`, `{groups}`,
 * `{subject}`, `{acr}`, `{amr}`, `{auth_time}`, `{otp_time}`, `{secret}` in its value, or of
 * `{client_address}` alone. A value that begins with `Basic ` has its rest sent in base64 (RFC 7617).
 */
export type HeaderTemplate = { readonly name: string; readonly value: string }

/** Everything that must never be printed. */
export type Secrets = {
  /** Newest first; the newest seals, all unseal. */
  readonly sessionSecrets: readonly [string, ...string[]]
  readonly oidcCredential: OidcCredential
  /** Of the account, or of the API key when `twilio.apiKeySid` is set. */
  readonly twilioSecret: string
  /** Of the account, if it is set: what Twilio signs its callbacks with. */
  readonly twilioToken?: string
  readonly ldapBindPassword?: string
  /** What `{secret}` stands for in header templates. */
  readonly headersSecret?: string
  /** Of the Redis store. */
  readonly store: StoreSecrets
}

/** stepgate's client secret at the provider, or the key of `private_key_jwt`. */
export type OidcCredential = string | ClientKey

/** A private key that signs client assertions (RFC 7523). */
export type ClientKey = {
  readonly key: KeyObject
  /** How it may sign; the first that the provider takes is used. */
  readonly algs: readonly [string, ...string[]]
  readonly kid?: string
}

/** Whom a text comes from. */
export type SmsFrom =
  /** E.164, a short code or an alphanumeric sender: whatever Twilio takes as `from`. */
  | { readonly kind: 'number'; readonly number: string }
  | { readonly kind: 'service'; readonly sid: string }

/** The passwords of a Redis store. */
export type StoreSecrets = { readonly password?: string; readonly sentinelPassword?: string }
