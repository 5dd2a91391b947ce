import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Paths of PEM files. */
export type ServerCertificate = {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** A CA and a server's certificate for `names` (`DNS:localhost,IP:127.0.0.1`), new in `folder`. */
export async function createCertificate(folder: string, names: string): Promise<ServerCertificate> {
  const at = (name: string) => join(folder, name)
  await writeFile(
    at('server.ext'),
    `subjectAltName=${names}\nbasicConstraints=critical,CA:false\nextendedKeyUsage=serverAuth,clientAuth\n`,
  )
  await openssl(
    ['req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=Test CA'],
    ['-keyout', at('ca.key'), '-out', at('ca.pem')],
  )
  await openssl(
    ['req', ...newKey, '-subj', '/CN=test server'],
    ['-keyout', at('server.key'), '-out', at('server.csr')],
  )
  await openssl(
    ['x509', '-req', '-in', at('server.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key')],
    ['-CAcreateserial', '-days', '2', '-extfile', at('server.ext'), '-out', at('server.pem')],
  )
  return { ca: at('ca.pem'), cert: at('server.pem'), key: at('server.key') }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

async function openssl(...args: string[][]): Promise<void> {
  await run('openssl', args.flat())
}
