import type { Upstream } from './config.ts'
import { parseUpstreams } from './parse-upstreams.ts'
import { quote } from './problem.ts'
import type { Report, Settings, Warn } from './settings.ts'
import { isPrivateName } from './warn-of-risks.ts'

/** Where requests go on to; each bad line is a problem of its own. */
export function readUpstreams(
  { values }: Settings,
  report: Report,
  warn: Warn,
): readonly Upstream[] | undefined {
  const { UPSTREAM: text, PUBLIC_URL: publicUrl } = values
  if (text === undefined) return undefined
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
