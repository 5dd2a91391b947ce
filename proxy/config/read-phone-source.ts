import { problemOfPem } from './check-pem.ts'
import type { Config, LdapConfig } from './config.ts'
import type { Files } from './files.ts'
import { isLoopbackHost } from './loopback.ts'
import type { Report, Settings, Warn } from './settings.ts'
import { fullName, VARIABLE_NAMES } from './variables.ts'

/** What says that numbers come from the directory; the other settings have defaults. */
const CONNECTION = ['LDAP_URL', 'LDAP_BIND_DN', 'LDAP_BIND_PASSWORD', 'LDAP_BASE_DN'] as const

type PhoneSource = Pick<Config, 'phoneSource' | 'ldap'> & { readonly ldapBindPassword?: string }

/** Where numbers come from; every LDAP setting is needed when it is the directory. */
export function readPhoneSource(
  settings: Settings,
  files: Files,
  report: Report,
  warn: Warn,
): PhoneSource | undefined {
  const { given, values } = settings
  const ldapNames = VARIABLE_NAMES.filter((name) => name.startsWith('LDAP_') && given.has(name))
  const connection = CONNECTION.find((name) => given.has(name))
  const chosen = values.PHONE_SOURCE
  if ((chosen ?? (connection ? 'ldap' : 'claims')) === 'claims') {
    if (ldapNames.length > 0) {
      warn(
        `${ldapNames.map(fullName).join(', ')}: not used, as numbers come from the provider's claims`,
      )
    }
    if (values.OIDC_SCOPES && !values.OIDC_SCOPES.includes('phone')) {
      warn(
        'STEPGATE_PHONE_SOURCE is claims, but STEPGATE_OIDC_SCOPES has no phone: unless the provider sends phone_number anyway, nobody has a number',
      )
    }
    return { phoneSource: 'claims' }
  }
  const why = chosen ? 'STEPGATE_PHONE_SOURCE is ldap' : `${fullName(connection ?? 'LDAP_URL')} is`
  const ldap = readLdap(settings, files, report, warn, why)
  const ldapBindPassword = values.LDAP_BIND_PASSWORD
  return ldap && ldapBindPassword !== undefined
    ? { phoneSource: 'ldap', ldap, ldapBindPassword }
    : undefined
}

function readLdap(
  { given, values }: Settings,
  files: Files,
  report: Report,
  warn: Warn,
  why: string,
): LdapConfig | undefined {
  for (const name of ['LDAP_URL', 'LDAP_BIND_DN', 'LDAP_BASE_DN'] as const) {
    if (!given.has(name)) report(name, `is not set, but ${why}`)
  }
  if (!given.has('LDAP_BIND_PASSWORD')) {
    report(
      'LDAP_BIND_PASSWORD',
      `is not set or empty, but ${why}; a bind without a password would be anonymous`,
    )
  }
  checkTls({ given, values }, files, report, warn)
  const { LDAP_URL: url, LDAP_BIND_DN: bindDn, LDAP_BASE_DN: baseDn } = values
  const { LDAP_STARTTLS: startTls, LDAP_CA_FILE: caFile } = values
  const { LDAP_USER_FILTER: userFilter, LDAP_PHONE_ATTRIBUTE: phoneAttributes } = values
  if (!url || bindDn === undefined || baseDn === undefined) return undefined
  if (startTls === undefined || userFilter === undefined || !phoneAttributes) return undefined
  const ca = caFile === undefined ? {} : { caFile }
  return { url, bindDn, baseDn, startTls, userFilter, phoneAttributes, ...ca }
}

function checkTls({ values }: Settings, files: Files, report: Report, warn: Warn): void {
  const { LDAP_URL: url, LDAP_STARTTLS: startTls, LDAP_CA_FILE: caFile } = values
  const plain = url?.protocol === 'ldap:' && startTls === false
  if (url?.protocol === 'ldaps:' && startTls) {
    report('LDAP_STARTTLS', 'is true, but STEPGATE_LDAP_URL is ldaps://, which is TLS already')
  }
  if (plain && caFile !== undefined) {
    report('LDAP_CA_FILE', 'is set, but ldap:// without STEPGATE_LDAP_STARTTLS=true has no TLS')
  }
  if (plain && !isLoopbackHost(url.hostname)) {
    warn(
      'STEPGATE_LDAP_URL is ldap:// without STEPGATE_LDAP_STARTTLS: the password and numbers travel in the clear, and anybody on the way can change them',
    )
  }
  if (caFile !== undefined) {
    const problem = problemOfPem(caFile, files, /-----BEGIN CERTIFICATE-----/, 'certificate')
    if (problem) report('LDAP_CA_FILE', problem)
  }
}
