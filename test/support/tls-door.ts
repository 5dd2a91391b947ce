import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CountingUpstream, startCountingUpstream } from './counting-upstream.ts'
import { type Door, type DoorOptions, openDoor } from './door.ts'
import { createCertificate, type ServerCertificate } from './slapd-certificate.ts'

/** A front door that serves TLS itself, before an application. */
export type TlsDoor = {
  readonly door: Door
  readonly upstream: CountingUpstream
  readonly certificate: ServerCertificate
}

/** Opens one for `app.example.com`, where `/public/**` needs nothing and the rest a sign-in. */
export async function openTlsDoor(
  t: { after(end: () => unknown): void },
  options: DoorOptions = {},
  answer?: Parameters<typeof startCountingUpstream>[0],
): Promise<TlsDoor> {
  const folder = await mkdtemp(join(tmpdir(), 'stepgate-tls-'))
  t.after(() => rm(folder, { recursive: true }))
  const certificate = await createCertificate(folder, 'DNS:app.example.com')
  const upstream = await startCountingUpstream(answer)
  t.after(() => upstream.close())
  const door = await openDoor({
    ...options,
    tls: { certFile: certificate.cert, keyFile: certificate.key },
    env: {
      STEPGATE_UPSTREAM: upstream.origin.origin,
      STEPGATE_DEFAULT_ACR: 'basic',
      STEPGATE_RULES: 'public /public/**; deny POST /read-only',
      ...options.env,
    },
  })
  let closed: Promise<void> | undefined
  // Some tests close it themselves.
  const close = () => {
    closed ??= door.close()
    return closed
  }
  t.after(close)
  return { door: { ...door, close }, upstream, certificate }
}
