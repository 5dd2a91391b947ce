import { networkWords } from '../network-words.ts'

/**
 * Why a Redis server could not be used. `code` is Redis's own (`READONLY`, `WRONGPASS`), Node's
 * (`ECONNREFUSED`) or one of ours (`timeout`, `closed`, `odd_reply` and the like); the message is for the operator and holds nothing that a server said.
 */
export class RedisError extends Error {
  readonly code: string
  /** With `MOVED`: the node that has the key, `host:port`, the host empty for the one asked. */
  readonly target: string | undefined
  constructor(place: string, code: string, target?: string) {
    super(`Redis at ${place} can not be used: ${wordsOf(code)}`)
    this.name = 'RedisError'
    this.code = code
    this.target = target
  }
}

/** The codes of Redis's error replies that matter here, in the order in which they are looked for. */
const REPLIES =
  /\b(NOSCRIPT|READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|OOM|MISCONF|NOREPLICAS|BUSY|WRONGPASS|NOAUTH|NOPERM|WRONGTYPE)\b/

/**
 * The error of a client or the error reply of a server, without its text: a reply may repeat what
 * was sent. Redis 6.2 hides the code of a command in a script within the text.
 */
export function readRedisError(error: unknown, place: string): RedisError {
  if (error instanceof RedisError) return error
  const message = error instanceof Error ? error.message : ''
  const code = codeOf(error)
  if (code !== undefined) return new RedisError(place, code)
  const reply = REPLIES.exec(message)?.[1]
  if (reply !== undefined) {
    return new RedisError(place, reply, /^MOVED \d+ (\S+)/.exec(message)?.[1])
  }
  if (/DB index|SELECT is not allowed/i.test(message)) return new RedisError(place, 'no_database')
  if (/unknown (sub)?command/i.test(message)) return new RedisError(place, 'unknown_command')
  if (/^ERR AUTH/.test(message)) return new RedisError(place, 'no_password')
  if (/^ERR\b/.test(message)) return new RedisError(place, 'ERR')
  return new RedisError(place, /timeout/i.test(message) ? 'timeout' : 'closed')
}

/** Node's code of a failed connection; several addresses of one name fail together. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return error instanceof AggregateError ? codeOf(error.errors[0]) : undefined
}

/** Whether only a change of the configuration can help, so that it is no use to wait. */
export function isHopeless({ code }: RedisError): boolean {
  return /^(WRONGPASS|NOAUTH|NOPERM|WRONGTYPE|MOVED|ERR|unknown_command|no_database|no_master|no_password)$|CERT|ALTNAME|ISSUER|SIGNATURE|^ERR_|^EPROTO|^ENOENT|^EACCES/.test(
    code,
  )
}

/** Whether the server at the other end is not, or no longer, the one to talk to. */
export function isWrongServer({ code }: RedisError): boolean {
  return /^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|MOVED|NOAUTH)$/.test(code)
}

const WORDS: Readonly<Record<string, string>> = {
  READONLY: 'it is a replica, which takes no writes',
  LOADING: 'it is still loading its data',
  MASTERDOWN: 'it is a replica that has lost its master',
  CLUSTERDOWN: 'the cluster is down',
  TRYAGAIN: 'the cluster is moving the keys to another node',
  ASK: 'the cluster is moving the keys to another node',
  MOVED: 'it is a node of a cluster; is redis+cluster:// meant?',
  OOM: 'its memory is full (maxmemory)',
  MISCONF: 'it can not save its data and therefore takes no writes',
  NOREPLICAS: 'it has too few replicas and therefore takes no writes',
  BUSY: 'it is busy with a script',
  WRONGPASS: 'the user name or password is wrong',
  NOAUTH: 'it asks for a password',
  no_password: 'it has no password, but is given one',
  NOPERM: 'this user may not use the commands or keys that stepgate needs',
  WRONGTYPE: "its keys are another program's; ?prefix= chooses others",
  no_database: 'it has no database of this number',
  unknown_command: 'it lacks commands that stepgate needs; Redis 6.2 or Valkey is',
  no_master: 'the sentinels know no master of this name',
  not_master: 'the sentinels name a server that is no master yet',
  timeout: 'no answer came in time',
  closed: 'the connection broke off; does it speak TLS (rediss://) there?',
  odd_reply: 'it answers in a way that stepgate does not know',
  too_many: 'too many answers are outstanding',
}

function wordsOf(code: string): string {
  if (/^(ECONNRESET|EPIPE)$/.test(code)) return `${WORDS.closed} (${code})`
  if (/CERTIFICATE_REQUIRED/.test(code)) {
    return `it asks for a certificate (${code}), which STEPGATE_STORE_CERT_FILE can name`
  }
  const known = WORDS[code]
  if (known !== undefined) return `${known} (${code})`
  if (/^(ERR_SSL|EPROTO|ERR_OSSL)/.test(code)) {
    return `it does not speak TLS there (${code}); is redis:// meant?`
  }
  return networkWords(code).replace(
    /NODE_EXTRA_CA_CERTS can name/,
    'STEPGATE_STORE_CA_FILE can name',
  )
}
