import { problemOfPem } from './check-pem.ts'
import type { Config, RedisConfig, StoreSecrets } from './config.ts'
import type { Files } from './files.ts'
import type { Report, Settings } from './settings.ts'
import { fullName } from './variables.ts'

const TLS_FILES = ['STORE_CA_FILE', 'STORE_CERT_FILE', 'STORE_KEY_FILE'] as const

/** The store, its passwords apart, and the certificates of its connection. */
export function readStore(
  { given, values }: Settings,
  files: Files,
  report: Report,
): { store: Config['store']; storeSecrets: StoreSecrets } | undefined {
  if (!values.STORE) return undefined
  const { store, secrets: storeSecrets } = values.STORE
  if (store.kind === 'memory' && values.WORKERS !== undefined && values.WORKERS !== 1) {
    report(
      'WORKERS',
      `is ${values.WORKERS}, but STEPGATE_STORE is memory:, which each process has for itself: a code that one has sent no other would know, and limits and ended sessions would hold in one alone; take sqlite: or redis://`,
    )
  }
  if (store.kind !== 'redis' || store.tls === undefined) {
    for (const name of TLS_FILES) {
      if (given.has(name))
        report(name, 'is set, but STEPGATE_STORE is not rediss://, so has no TLS')
    }
    return { store, storeSecrets }
  }
  return { store: { ...store, tls: readTls({ given, values }, files, report) }, storeSecrets }
}

function readTls(
  { given, values }: Settings,
  files: Files,
  report: Report,
): NonNullable<RedisConfig['tls']> {
  const { STORE_CA_FILE: caFile, STORE_CERT_FILE: certFile, STORE_KEY_FILE: keyFile } = values
  for (const [name, other] of [
    ['STORE_CERT_FILE', 'STORE_KEY_FILE'],
    ['STORE_KEY_FILE', 'STORE_CERT_FILE'],
  ] as const) {
    if (given.has(other) && !given.has(name)) {
      report(name, `is not set, but ${fullName(other)} is; a client's certificate needs both`)
    }
  }
  const check = (name: (typeof TLS_FILES)[number], holds: RegExp, what: string) => {
    const path = values[name]
    const problem = path === undefined ? undefined : problemOfPem(path, files, holds, what)
    if (problem) report(name, problem)
  }
  check('STORE_CA_FILE', /-----BEGIN CERTIFICATE-----/, 'certificate')
  check('STORE_CERT_FILE', /-----BEGIN CERTIFICATE-----/, 'certificate')
  check('STORE_KEY_FILE', /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/, 'key')
  return {
    ...(caFile !== undefined && { caFile }),
    ...(certFile !== undefined && keyFile !== undefined && { client: { certFile, keyFile } }),
  }
}
