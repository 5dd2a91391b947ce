import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Config } from '../proxy/config/config.ts'
import { isHealthy } from '../proxy/healthcheck.ts'
import { loadedOk, loadWith } from './config/valid-env.ts'
import { createCertificate } from './support/slapd-certificate.ts'

const { config } = loadedOk(loadWith({ STEPGATE_PUBLIC_URL: 'https://app.example.com' }))

async function listen(t: TestContext, server: Server): Promise<Config> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { ...config, listen: { kind: 'tcp', host: '127.0.0.1', port } }
}

const answers =
  (status: number): RequestListener =>
  ({ url, headers }, response) => {
    const known = url === '/_stepgate/healthz' && headers.host === 'app.example.com'
    response.writeHead(known ? status : 421).end('…')
  }

test('a stepgate is well that says so under its own name, and no other is', async (t) => {
  assert.equal(await isHealthy(await listen(t, createServer(answers(200)))), true)
  assert.equal(await isHealthy(await listen(t, createServer(answers(503)))), false)
  assert.equal(
    await isHealthy(
      await listen(
        t,
        createServer(({ socket }) => socket.end()),
      ),
    ),
    false,
  )
})

test('one that listens everywhere is asked on the loopback interface', async (t) => {
  const loopback = await listen(t, createServer(answers(200)))
  if (loopback.listen.kind !== 'tcp') assert.fail()
  const { port } = loopback.listen
  assert.equal(await isHealthy({ ...config, listen: { kind: 'tcp', host: '0.0.0.0', port } }), true)
  assert.equal(await isHealthy({ ...config, listen: { kind: 'tcp', port } }), true)
})

test('its certificate need not be for the loopback interface, nor one that anybody knows', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'stepgate-health-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const { cert, key } = await createCertificate(folder, 'DNS:app.example.com')
  const tls = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  const served = await listen(t, createTlsServer(tls, answers(200)))
  const named = { certFile: cert, keyFile: key }
  assert.equal(await isHealthy({ ...served, tls: named }), true)
  assert.equal(await isHealthy(served), false)
})
