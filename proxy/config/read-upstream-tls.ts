import { problemOfPem } from './check-pem.ts'
import type { UpstreamAddress, UpstreamTls } from './config.ts'
import type { Files } from './files.ts'
import type { Report, Settings } from './settings.ts'
import { fullName } from './variables.ts'

const NAMES = [
  'UPSTREAM_CA_FILE',
  'UPSTREAM_CERT_FILE',
  'UPSTREAM_KEY_FILE',
  'UPSTREAM_SERVER_NAME',
] as const

/** How TLS to the `addresses` differs from the usual; undefined if it does not. */
export function readUpstreamTls(
  { given, values }: Settings,
  addresses: readonly UpstreamAddress[] | undefined,
  files: Files,
  report: Report,
): UpstreamTls | undefined {
  const set = NAMES.filter((name) => given.has(name))
  if (set.length === 0) return undefined
  if (addresses && !addresses.some(isHttps)) {
    for (const name of set.filter((one) => values[one] !== undefined)) {
      report(name, 'is set, but nothing in STEPGATE_UPSTREAM is https://, so there is no TLS')
    }
    return undefined
  }
  for (const [name, other] of [
    ['UPSTREAM_CERT_FILE', 'UPSTREAM_KEY_FILE'],
    ['UPSTREAM_KEY_FILE', 'UPSTREAM_CERT_FILE'],
  ] as const) {
    if (given.has(other) && !given.has(name)) {
      report(name, `is not set, but ${fullName(other)} is; a client's certificate needs both`)
    }
  }
  const check = (name: Exclude<(typeof NAMES)[number], 'UPSTREAM_SERVER_NAME'>, isKey = false) => {
    const path = values[name]
    const holds = isKey ? /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/ : /-----BEGIN CERTIFICATE-----/
    const problem =
      path === undefined
        ? undefined
        : problemOfPem(path, files, holds, isKey ? 'key' : 'certificate')
    if (problem) report(name, problem)
  }
  check('UPSTREAM_CA_FILE')
  check('UPSTREAM_CERT_FILE')
  check('UPSTREAM_KEY_FILE', true)
  const { UPSTREAM_CA_FILE: caFile, UPSTREAM_SERVER_NAME: serverName } = values
  const { UPSTREAM_CERT_FILE: certFile, UPSTREAM_KEY_FILE: keyFile } = values
  return {
    ...(caFile !== undefined && { caFile }),
    ...(certFile !== undefined && keyFile !== undefined && { client: { certFile, keyFile } }),
    ...(serverName !== undefined && { serverName }),
  }
}

function isHttps(address: UpstreamAddress): boolean {
  return address.kind === 'tcp' && address.origin.protocol === 'https:'
}
