import { ResultCodeError } from 'ldapts'
import { errorCode } from '../error-code.ts'
import type { LookupProblem } from './phone-directory.ts'

/** Why the directory could not say; `detail` is a sentence for the operator, without personal data. */
export class LdapProblemError extends Error {
  override name = 'LdapProblemError'
  readonly code = 'ERR_LDAP'
  readonly reason: LookupProblem
  readonly detail: string

  constructor(reason: LookupProblem, detail: string, cause?: unknown) {
    super(detail, { cause })
    this.reason = reason
    this.detail = detail
  }
}

/** What was being done when it failed: the same result code means different things. */
export type LdapPhase = 'connect' | 'start-tls' | 'bind' | 'search'

/** An error of ldapts, TLS or the network as the problem that it stands for. */
export function problemOf(error: unknown, phase: LdapPhase): LdapProblemError {
  if (error instanceof LdapProblemError) return error
  const [reason, detail] =
    error instanceof ResultCodeError
      ? resultProblem(error.code, phase)
      : (['connection', networkDetail(errorCode(error))] as const)
  return new LdapProblemError(reason, detail, error)
}

/** The LDAP result code (`49`) or Node's error code (`ECONNREFUSED`) behind a problem, for logs. */
export function codeOfProblem({ cause }: LdapProblemError): string | undefined {
  return cause instanceof ResultCodeError ? String(cause.code) : errorCode(cause)
}

// Server's own messages are left out: they quote names and attribute values.
function resultProblem(code: number, phase: LdapPhase): readonly [LookupProblem, string] {
  const said = `LDAP result ${code}`
  if (code === 10) return ['referral', referralDetail]
  if (code === 3) return ['timeout', `The directory gave the search up as too long (${said}).`]
  if (phase === 'start-tls') {
    return ['connection', `The directory refuses StartTLS (${said}): use ldaps:// instead.`]
  }
  if (code === 8 || code === 13) {
    return ['refused', `The directory wants TLS (${said}): use ldaps:// or STEPGATE_LDAP_STARTTLS.`]
  }
  if (code === 51 || code === 52) return ['refused', `The directory is busy or stopping (${said}).`]
  if (phase === 'bind') {
    return [
      'credentials',
      `The directory refuses the service account (${said}): check STEPGATE_LDAP_BIND_DN and STEPGATE_LDAP_BIND_PASSWORD.`,
    ]
  }
  if (code === 32) {
    return [
      'refused',
      `STEPGATE_LDAP_BASE_DN is not there, or the service account may not see it (${said}).`,
    ]
  }
  if (code === 50) return ['refused', `The service account may not search here (${said}).`]
  return ['refused', `The directory refuses the search (${said}).`]
}

/** For search results that point to other servers; those are never followed. */
export const referralDetail =
  'The directory refers to another server: choose a STEPGATE_LDAP_BASE_DN that it holds itself, or with Active Directory a global catalog (port 3268 or 3269).'

function networkDetail(code: string | undefined): string {
  const said = code === undefined ? '' : ` (${code})`
  if (code === 'ECONNREFUSED') {
    return `Nothing listens there${said}: is the directory running, and STEPGATE_LDAP_URL right?`
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `The host name in STEPGATE_LDAP_URL does not resolve${said}.`
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `The directory's certificate is for another host than in STEPGATE_LDAP_URL${said}.`
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return `The directory's certificate is not valid today${said}.`
  }
  if (/CERT|SIGNATURE|ISSUER/.test(code ?? '')) {
    return `The directory's certificate is not trusted${said}: set STEPGATE_LDAP_CA_FILE to its CA.`
  }
  if (/^(?:ERR_SSL|EPROTO|ERR_OSSL)/.test(code ?? '')) {
    return `The TLS handshake failed${said}: is this a TLS port, and is StartTLS meant instead?`
  }
  return `The connection to the directory broke off${said}: is it stopping, or is ldap:// used for a TLS port?`
}
