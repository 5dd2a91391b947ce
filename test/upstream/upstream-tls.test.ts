import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { UpstreamTls } from '../../proxy/config/config.ts'
import { createPool } from '../../proxy/upstream/pool-undici.ts'
import { createCertificate } from '../support/slapd-certificate.ts'
import { request, startFront } from './front.ts'
import { listen, rawClient } from './sockets.ts'

async function make(t: TestContext, names: string) {
  const folder = await mkdtemp(join(tmpdir(), 'stepgate-upstream-'))
  t.after(() => rm(folder, { recursive: true }))
  return createCertificate(folder, names)
}

/** An application with a certificate for `inner.example` that wants one of its visitor, if asked to. */
async function serve(t: TestContext, options: { visitorCa?: string } = {}) {
  const own = await make(t, 'DNS:inner.example')
  const names: unknown[] = []
  const server = createServer(
    {
      cert: await readFile(own.cert),
      key: await readFile(own.key),
      ...(options.visitorCa !== undefined && {
        requestCert: true,
        rejectUnauthorized: true,
        ca: await readFile(options.visitorCa),
      }),
    },
    (incoming, response) => {
      names.push('servername' in incoming.socket && incoming.socket.servername)
      response.end('ok')
    },
  )
  const port = await listen(t, server)
  return { origin: new URL(`https://127.0.0.1:${port}`), own, names }
}

async function statusOf(t: TestContext, origin: URL, tls: UpstreamTls): Promise<string> {
  const front = await startFront(t, origin, { tls })
  const { text } = await rawClient(t, front.port, request('GET /')).ended
  return /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? ''
}

test('the configured name is asked for and must be in the certificate, of the configured authority', async (t) => {
  const { origin, own, names } = await serve(t)
  const right = { caFile: own.ca, serverName: 'inner.example' }
  assert.equal(await statusOf(t, origin, right), '200')
  assert.deepEqual(names, ['inner.example'])
  const other = await make(t, 'DNS:inner.example')
  for (const wrong of [
    { caFile: own.ca },
    { caFile: own.ca, serverName: 'other.example' },
    { serverName: 'inner.example' },
    { ...right, caFile: other.ca },
  ]) {
    assert.equal(await statusOf(t, origin, wrong), '502', JSON.stringify(wrong))
  }
  assert.equal(names.length, 1)
})

test('an application that wants a certificate gets the configured one', async (t) => {
  const visitor = await make(t, 'DNS:stepgate.example')
  const stranger = await make(t, 'DNS:stepgate.example')
  const { origin, own } = await serve(t, { visitorCa: visitor.ca })
  const right = { caFile: own.ca, serverName: 'inner.example' }
  const shown = ({ cert, key }: typeof visitor) => ({ client: { certFile: cert, keyFile: key } })
  assert.equal(await statusOf(t, origin, { ...right, ...shown(visitor) }), '200')
  assert.equal(await statusOf(t, origin, { ...right, ...shown(stranger) }), '502')
  assert.equal(await statusOf(t, origin, right), '502')
})

test('a certificate and a key that do not belong together are told at the start', async (t) => {
  const [one, two] = [await make(t, 'DNS:a'), await make(t, 'DNS:b')]
  const client = { certFile: one.cert, keyFile: two.key }
  const times = { connectTimeout: 1000, headersTimeout: 1000, bodyTimeout: 0 }
  const address = { kind: 'tcp', origin: new URL('https://127.0.0.1') } as const
  assert.throws(() => createPool(address, { ...times, tls: { client } }), {
    name: 'StartError',
    message: /^STEPGATE_UPSTREAM_CERT_FILE and STEPGATE_UPSTREAM_KEY_FILE .*not that of/,
  })
})
