import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { errorCode } from '../error-code.ts'

/** A certificate with its chain and its private key, in PEM. */
export type CertificatePair = { readonly cert: string; readonly key: string }

/** What TLS is served with. */
export function tlsOptions({ cert, key }: CertificatePair): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.2' }
}

/** Says what is wrong with a pair, or nothing if TLS can be spoken with it; never shows the key. */
export function problemOfPair(pair: CertificatePair): string | undefined {
  const certificate = attempt(() => new X509Certificate(pair.cert))
  if (certificate.kind === 'failed') return `the certificate can't be read (${certificate.code})`
  const key = attempt(() => createPrivateKey(pair.key))
  if (key.kind === 'failed') return `the key can't be read (${key.code})`
  if (!certificate.value.checkPrivateKey(key.value)) return 'the key is not that of the certificate'
  const context = attempt(() => createSecureContext(tlsOptions(pair)))
  return context.kind === 'failed' ? `TLS does not accept them (${context.code})` : undefined
}

/** What an operator wants to know of a certificate. */
export function describeCertificate(cert: string): {
  readonly names: string
  readonly validFrom: Date
  readonly validUntil: Date
  /** Whether it is for a URL's hostname. */
  readonly isFor: (hostname: string) => boolean
} {
  const certificate = new X509Certificate(cert)
  const { subjectAltName, subject, validFromDate, validToDate } = certificate
  const names = subjectAltName ?? subject ?? ''
  return {
    names: names.replace(/DNS:|IP Address:/g, ''),
    validFrom: validFromDate,
    validUntil: validToDate,
    isFor(hostname) {
      const address = hostname.replace(/^\[|\]$/g, '')
      return isIP(address) > 0
        ? certificate.checkIP(address) !== undefined
        : certificate.checkHost(hostname) !== undefined
    },
  }
}

type Attempt<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly code: string }

function attempt<T>(make: () => T): Attempt<T> {
  try {
    return { kind: 'done', value: make() }
  } catch (error) {
    return { kind: 'failed', code: errorCode(error) ?? 'unknown error' }
  }
}
