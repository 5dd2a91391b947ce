import type { Upstream } from './config.ts'
import { NO_UPSTREAM, parseUpstreams } from './parse-upstreams.ts'
import { quote } from './problem.ts'
import type { Report, Settings, Warn } from './settings.ts'
import { isPrivateName } from './warn-of-risks.ts'

/** Where requests go on to, nowhere for `none`; each bad line is a problem of its own. */
export function readUpstreams(
  { given, values }: Settings,
  report: Report,
  warn: Warn,
): readonly Upstream[] | undefined {
  const { UPSTREAM: text, PUBLIC_URL: publicUrl } = values
  if (text === undefined) return undefined
  if (text.trim() === NO_UPSTREAM) {
    if (given.has('TRUSTED_PROXIES')) return []
    report(
      'UPSTREAM',
      'is none, but STEPGATE_TRUSTED_PROXIES names no proxy that could ask /_stepgate/auth instead',
    )
    return undefined
  }
  const { upstreams, problems } = parseUpstreams(text, publicUrl?.hostname ?? '')
  const isOneLine = !/[\r\n;]/.test(text.trim())
  for (const { line, source, problem } of problems) {
    const begin = isOneLine ? `is ${quote(source)};` : `line ${line}, ${quote(source)}:`
    report('UPSTREAM', `${begin} ${problem}`)
  }
  if (problems.length > 0) return undefined
  if (upstreams.length === 0) {
    report('UPSTREAM', 'names no address')
    return undefined
  }
  if (!upstreams.some(({ host, path }) => host === undefined && path === '/')) {
    warn('STEPGATE_UPSTREAM has no address for everything: what no line covers is answered 404')
  }
  if (upstreams.some(({ addresses }) => addresses.some(isInTheClear))) {
    warn(
      "STEPGATE_UPSTREAM is http:// to a public name: people's identities travel there in the clear",
    )
  }
  return upstreams
}

function isInTheClear(address: Upstream['addresses'][0]): boolean {
  return (
    address.kind === 'tcp' &&
    address.origin.protocol === 'http:' &&
    !isPrivateName(address.origin.hostname)
  )
}
