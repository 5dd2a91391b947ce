import type { Config, ListenAddress } from './config.ts'
import { isLoopbackHost } from './loopback.ts'
import type { Report, Settings } from './settings.ts'

/** Where metrics are served; checks that visitors don't come in there. */
export function readMetrics(
  { given, values: { LISTEN, METRICS_LISTEN: listen } }: Settings,
  report: Report,
): Pick<Config, 'metrics'> {
  if (listen === undefined || listen === 'off') return {}
  const chosen = given.has('METRICS_LISTEN')
  if (LISTEN !== undefined && overlap(LISTEN, listen)) {
    if (!chosen) return {}
    report(
      'METRICS_LISTEN',
      'is where visitors come in (STEPGATE_LISTEN); it needs another address',
    )
  }
  return { metrics: { listen, chosen } }
}

/** Whether both can't be listened at, or one name leads to either. Port 0 is never the same twice. */
function overlap(one: ListenAddress, other: ListenAddress): boolean {
  if (one.kind === 'unix' || other.kind === 'unix') {
    return one.kind === 'unix' && other.kind === 'unix' && one.path === other.path
  }
  if (one.port !== other.port || one.port === 0) return false
  const [host, otherHost] = [hostOf(one.host), hostOf(other.host)]
  if (host === ANY || otherHost === ANY || host === otherHost) return true
  const byName = host === 'localhost' || otherHost === 'localhost'
  return byName && isLoopbackHost(host) && isLoopbackHost(otherHost)
}

const ANY = 'any'

/** As in a URL. */
function hostOf(host: string | undefined): string {
  if (host === undefined || host === '0.0.0.0' || host === '::') return ANY
  return host.includes(':') ? `[${host}]` : host.toLowerCase()
}
