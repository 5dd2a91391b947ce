import type { Log } from '../log.ts'
import { type CertificatePair, describeCertificate, problemOfPair } from './certificate.ts'
import { watchFiles } from './watch-files.ts'

/** Where a pair comes from, as PEM files. */
export type PairFiles = { readonly certFile: string; readonly keyFile: string }

/**
 * Calls `use` with each new pair that the files hold. A pair that is no good is told to the log, and
 * the one in use stays. Answers what ends it.
 */
export function followCertificate(
  { certFile, keyFile }: PairFiles,
  current: CertificatePair,
  options: { readonly every: number; readonly log: Log },
  use: (pair: CertificatePair) => void,
): () => void {
  const { every, log } = options
  let used = current
  const keep = (problem: string) =>
    log.error('The new TLS certificate is unusable; the one in use stays', { problem })

  return watchFiles([certFile, keyFile], [current.cert, current.key], every, (contents) => {
    if (contents.kind === 'unreadable') return keep(contents.problem)
    const [cert = '', key = ''] = contents.texts
    if (cert === used.cert && key === used.key) return
    const pair = { cert, key }
    const problem = problemOfPair(pair)
    if (problem !== undefined) return keep(problem)
    use(pair)
    used = pair
    const { names, validUntil } = describeCertificate(cert)
    log.info('The TLS certificate was replaced', { names, valid_until: validUntil.toISOString() })
  })
}
