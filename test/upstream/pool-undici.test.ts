import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { request, startFront } from './front.ts'
import { listen, rawClient } from './sockets.ts'

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'stepgate-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

/** A self-signed certificate for 127.0.0.1 and localhost. */
function makeCertificate(t: TestContext): { key: string; cert: string } {
  const folder = temporaryFolder(t)
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const args = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=x
    -addext subjectAltName=IP:127.0.0.1,DNS:localhost -keyout ${key} -out ${cert}`
  execFileSync('openssl', args.split(/\s+/), { stdio: 'ignore' })
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
}

test('over TLS the certificate is that of the configured address, whatever Host says', async (t) => {
  const { key, cert } = makeCertificate(t)
  const names: unknown[] = []
  let connections = 0
  const server = createTlsServer({ key, cert }, (incoming, response) => {
    names.push(incoming.headers.host, 'servername' in incoming.socket && incoming.socket.servername)
    response.end('ok')
  })
  server.on('secureConnection', () => connections++)
  const port = await listen(t, server)
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, cert])
  t.after(() => setDefaultCACertificates(before))
  const options = { connections: 1 }
  const byName = await startFront(t, new URL(`https://localhost:${port}`), options)
  const byAddress = await startFront(t, new URL(`https://127.0.0.1:${port}`), options)
  for (const [front, host] of [
    [byName, 'app.example.com'],
    [byName, 'other.example.com'],
    [byAddress, 'app.example.com'],
  ] as const) {
    const sent = request('GET /').replace('app.example.com', host)
    assert.match((await rawClient(t, front.port, sent).ended).text, /^HTTP\/1.1 200/)
  }
  assert.deepEqual(names, [
    ...['app.example.com', 'localhost'],
    ...['other.example.com', 'localhost'],
    ...['app.example.com', false],
  ])
  assert.equal(connections, 2)
})

test('a body in chunks goes over TLS by the same rules', async (t) => {
  const { key, cert } = makeCertificate(t)
  const server = createTlsServer({ key, cert }, async (incoming, response) => {
    let body = ''
    for await (const chunk of incoming) body += chunk
    response.end(`${body} ${incoming.headers.expect}`)
  })
  const origin = new URL(`https://localhost:${await listen(t, server)}`)
  const chunks = request('POST /', 'Transfer-Encoding: chunked', 'Expect: 100-continue')
  const sent = `${chunks}2\r\nhi\r\n0\r\n\r\n`
  const strange = await startFront(t, origin)
  assert.match((await rawClient(t, strange.port, sent).ended).text, /502 [\s\S]*unreachable$/)
  assert.equal((await strange.forwarder.check()).isWell, false)
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, cert])
  t.after(() => setDefaultCACertificates(before))
  const known = await startFront(t, origin)
  const { text } = await rawClient(t, known.port, sent).ended
  assert.match(text, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 [\s\S]*hi 100-continue/)
  assert.equal((await known.forwarder.check()).isWell, true)
})

test('a certificate that nothing vouches for makes the application unreachable', async (t) => {
  const server = createTlsServer(makeCertificate(t), (_, response) => response.end('ok'))
  const port = await listen(t, server)
  const front = await startFront(t, new URL(`https://localhost:${port}`))
  assert.match((await rawClient(t, front.port, request('GET /')).ended).text, /unreachable$/)
  const outcome = await front.outcome()
  assert.match(outcome.kind === 'unreachable' ? outcome.error.message : '', /self-signed/)
})

test('over a unix socket the application sees the host that the browser asked for', async (t) => {
  const path = join(temporaryFolder(t), 'app.sock')
  const server = createServer((incoming, response) => response.end(incoming.headers.host))
  await listen(t, server, path)
  const front = await startFront(t, { kind: 'unix', path })
  const { text } = await rawClient(t, front.port, request('GET /')).ended
  assert.match(text, /app.example.com/)
})

test('a unix socket that is not there makes the application unreachable', async (t) => {
  const front = await startFront(t, { kind: 'unix', path: join(temporaryFolder(t), 'none.sock') })
  assert.match((await rawClient(t, front.port, request('GET /')).ended).text, /unreachable$/)
})
