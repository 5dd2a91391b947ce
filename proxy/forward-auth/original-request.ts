import type { Config } from '../config/config.ts'
import type { Exchange } from '../exchange.ts'
import type { RuleRequest } from '../policy/rule.ts'
import { checkMessage } from '../request/check-message.ts'
import { parseAuthority } from '../request/host.ts'
import { isOwnTarget } from '../request/own-path.ts'
import { valuesOf } from '../request/raw-headers.ts'
import { parseTarget, type Target } from '../request/target.ts'
import { AUTH_PATH } from './auth-path.ts'

/** The request that a proxy asks about, as the application will see it. */
export type OriginalRequest = {
  readonly method: string
  readonly target: Target
  readonly hosts: RuleRequest['hosts']
}

/**
 * Why it is not known which request is meant, or why it must not pass, whoever sends it. With
 * `isClients` it is the client's doing: the proxy has said what was asked for.
 */
export type OriginalProblem = { readonly reason: string; readonly isClients: boolean }

/** What one of the proxy's headers, or the path behind ours, says that was asked for. */
type Statement = { readonly target: string; readonly host?: string | undefined }

const METHODS = ['x-forwarded-method', 'x-original-method']
const STATEMENTS = ['x-forwarded-uri', 'x-forwarded-host', 'x-original-uri', 'x-original-url']

/**
 * Reads `X-Forwarded-Method`, `-Uri` and `-Host` (Traefik, Caddy), `X-Original-Method` with
 * `X-Original-URI` or `X-Original-URL` (nginx), or method and path as they are, behind our own path
 * (Envoy). All that is said has to agree; nothing is made up for what is missing.
 */
export function readOriginal(
  { incoming, target, hosts }: Pick<Exchange, 'incoming' | 'target' | 'hosts'>,
  config: Pick<Config, 'publicUrl' | 'encodedSlashes' | 'limits'>,
): { kind: 'ok'; original: OriginalRequest } | ({ kind: 'refused' } & OriginalProblem) {
  const { rawHeaders, method: ownMethod = '' } = incoming
  const isBehind = target.raw.startsWith(`${AUTH_PATH}/`)
  const said = new Map<string, string>()
  for (const name of [...METHODS, ...STATEMENTS]) {
    const [value, ...more] = valuesOf(rawHeaders, name)
    if (more.length > 0) return unclear('repeated-header')
    if (value !== undefined) said.set(name, value)
  }

  const methods = new Set(METHODS.flatMap((name) => said.get(name) ?? []))
  if (isBehind) methods.add(ownMethod)
  const [method, otherMethod] = methods
  if (method === undefined) return unclear('missing-method')

  const statements = readStatements(said, isBehind ? target.raw.slice(AUTH_PATH.length) : undefined)
  if (statements === undefined) return unclear('malformed-header')
  const [asked, otherTarget] = new Set(statements.map((statement) => statement.target))
  if (asked === undefined) return unclear('missing-target')

  const told = hostsTold(said.get('x-forwarded-host'), statements)
  if (told === undefined) return unclear('malformed-host')
  if (otherMethod ?? otherTarget ?? told[1]) return unclear('contradictory-headers')

  const message = checkMessage(method, '1.1', [])
  if (message.kind === 'rejected') return byClient(message.reason)
  if (asked.length > config.limits.url) return byClient('url-length')
  const parsed = parseTarget(asked, config)
  if (parsed.kind === 'rejected') return byClient(parsed.reason)
  if (isOwnTarget(parsed.target)) return byClient('own-path')
  const judged = hostsJudged(told[0], statements, hosts, config.publicUrl)
  return { kind: 'ok', original: { method, target: parsed.target, hosts: judged } }
}

/** Undefined when one of them says nothing that could be read. */
function readStatements(
  said: ReadonlyMap<string, string>,
  behind: string | undefined,
): readonly Statement[] | undefined {
  const statements: Statement[] = []
  const forwarded = said.get('x-forwarded-uri')
  if (forwarded !== undefined) {
    statements.push({ target: forwarded, host: said.get('x-forwarded-host') })
  }
  const uri = said.get('x-original-uri')
  if (uri !== undefined) statements.push({ target: uri })
  const url = said.get('x-original-url')
  if (url !== undefined) {
    const match = /^https?:\/\/([^/?#]+)(\/.*)$/is.exec(url)
    if (match === null) return undefined
    statements.push({ target: match[2] as string, host: match[1] })
  }
  if (behind !== undefined) statements.push({ target: behind })
  return statements
}

/** The hosts that headers name, each once; undefined when one of them is no host. */
function hostsTold(
  forwardedHost: string | undefined,
  statements: readonly Statement[],
): readonly string[] | undefined {
  const named = [forwardedHost, ...statements.map(({ host }) => host)]
  const hosts = named.flatMap((authority) =>
    authority === undefined ? [] : [parseAuthority(authority)],
  )
  return hosts.includes(undefined) ? undefined : [...new Set(hosts as string[])]
}

/**
 * The `Host` of the question is that of the request, or else only how the proxy calls stepgate. It is
 * left out where the proxy's one statement names the host beside it, as Traefik's does; a client might
 * have written a host that comes along with any other. The public URL's own is never left out.
 */
function hostsJudged(
  told: string | undefined,
  statements: readonly Statement[],
  [ownHost, ...others]: Exchange['hosts'],
  publicUrl: URL,
): RuleRequest['hosts'] {
  if (told === undefined) return [ownHost, ...others]
  const isWhole = statements.length === 1 && statements[0]?.host !== undefined
  const leftOut = isWhole && ownHost !== parseAuthority(publicUrl.host) ? ownHost : undefined
  const rest = [ownHost, ...others].filter((host) => host !== told && host !== leftOut)
  return [told, ...rest]
}

function unclear(reason: string): { kind: 'refused' } & OriginalProblem {
  return { kind: 'refused', reason, isClients: false }
}

function byClient(reason: string): { kind: 'refused' } & OriginalProblem {
  return { kind: 'refused', reason, isClients: true }
}
