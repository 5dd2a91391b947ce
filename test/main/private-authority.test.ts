import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCli } from '../support/cli.ts'
import { createCertificate } from '../support/slapd-certificate.ts'
import { startSurroundings } from '../support/surroundings.ts'

test('a provider and an application of a private authority are trusted with NODE_EXTRA_CA_CERTS', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'stepgate-authority-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const around = await startSurroundings()
  t.after(() => around.close())
  const { ca, cert, key } = await createCertificate(folder, 'IP:127.0.0.1')
  const tls = { cert: readFileSync(cert), key: readFileSync(key) }
  // Provider and application at once: the first knows its metadata and no code.
  const server = createServer(tls, ({ url, headers }, response) => {
    const issuer = `https://${headers.host}`
    const metadata = {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
    }
    response.setHeader('Content-Type', 'application/json')
    if (url === '/token') response.statusCode = 400
    response.end(JSON.stringify(url === '/token' ? { error: 'invalid_grant' } : metadata))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const changes = { STEPGATE_OIDC_ISSUER: origin, STEPGATE_UPSTREAM: origin }
  const check = (authority: string) =>
    runCli(t, ['check'], { env: around.env({ ...changes, NODE_EXTRA_CA_CERTS: authority }) })

  const strange = await check('')
  assert.equal(strange.code, 1)
  const named = /^PROBLEM {2}(.+?): .*not trusted; NODE_EXTRA_CA_CERTS can name a file/gm
  assert.deepEqual(
    [...strange.stdout.matchAll(named)].map(([, part]) => part),
    ['OpenID provider', 'Application'],
  )
  const known = await check(ca)
  assert.equal(known.code, 0, known.stdout)
})
