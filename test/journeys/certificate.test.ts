import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { createServer } from '../../proxy/listener/create-server.ts'
import { createLog } from '../../proxy/log.ts'
import { loadedOk, loadWith } from '../config/valid-env.ts'
import { rawRequest } from '../support/raw-exchange.ts'
import { createCertificate } from '../support/slapd-certificate.ts'
import { until } from '../support/until.ts'
import { listen } from '../upstream/sockets.ts'

const { limits } = loadedOk(loadWith({})).config

async function make(t: TestContext, name: string) {
  const folder = await mkdtemp(join(tmpdir(), 'stepgate-cert-'))
  t.after(() => rm(folder, { recursive: true }))
  return createCertificate(folder, `DNS:${name}`)
}

async function serve(t: TestContext, http2: boolean) {
  const first = await make(t, 'first.example')
  const tls = { certFile: first.cert, keyFile: first.key }
  const lines: Record<string, unknown>[] = []
  const write = (line: string) => void lines.push(JSON.parse(line))
  const log = createLog({ level: 'info', access: false }, { write })
  const held: ServerResponse[] = []
  const { server, close } = createServer(
    { tls, http2, limits },
    log,
    (request, response) => {
      if (request.url === '/held') held.push(response)
      else response.end('yes')
    },
    { lookEvery: 10 },
  )
  t.after(close)
  const port = await listen(t, server)
  const dial = async () => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    t.after(() => socket.destroy())
    await once(
      socket.on('error', () => {}),
      'secureConnect',
    )
    return socket
  }
  const shown = async () => {
    const socket = await dial()
    const { subjectaltname } = socket.getPeerCertificate()
    const protocol = socket.getProtocol()
    socket.destroy()
    assert.match(String(protocol), /^TLSv1\.[23]$/)
    return subjectaltname
  }
  const errors = () => lines.filter(({ level }) => level === 'error')
  return { ...tls, lines, errors, held, port, dial, shown, close }
}

const ask = (socket: TLSSocket, path: string) =>
  socket.write(rawRequest(`GET ${path} HTTP/1.1`, ['Host: a']))

for (const http2 of [true, false]) {
  test(`a new pair is shown to new connections, and those that are open go on (HTTP/2 ${http2})`, async (t) => {
    const { certFile, keyFile, held, lines, dial, shown } = await serve(t, http2)
    const second = await make(t, 'second.example')
    assert.equal(await shown(), 'DNS:first.example')
    const busy = await dial()
    ask(busy, '/held')
    await until(async () => held.length === 1)

    await copyFile(second.cert, certFile)
    await copyFile(second.key, keyFile)
    await until(async () => (await shown()) === 'DNS:second.example')
    const told = lines.find(({ msg, message }) => /replaced/.test(String(msg ?? message)))
    assert.equal(told?.names, 'second.example')

    held[0]?.end('whole')
    let text = ''
    busy.setEncoding('latin1').on('data', (piece) => {
      text += piece
    })
    await until(async () => text.includes('whole'))
    ask(busy, '/again')
    await until(async () => text.includes('yes'))
  })
}

test('a pair that is no good is told once, and the old one stays; the next good one is taken', async (t) => {
  const { certFile, keyFile, errors, shown } = await serve(t, true)
  const second = await make(t, 'second.example')
  const problems = () => errors().map(({ problem }) => String(problem))
  const told = (what: RegExp) => until(async () => problems().some((text) => what.test(text)))

  await copyFile(second.cert, certFile)
  await told(/the key is not that of the certificate/)
  for (let count = 0; count < 5; count++) assert.equal(await shown(), 'DNS:first.example')
  assert.equal(problems().filter((text) => text.includes('is not that of')).length, 1)

  await writeFile(certFile, (await readFile(second.cert, 'utf8')).slice(0, 200))
  await told(/the certificate can't be read/)
  await rm(keyFile)
  await told(/ENOENT/)
  assert.equal(await shown(), 'DNS:first.example')

  await copyFile(second.cert, certFile)
  await copyFile(second.key, keyFile)
  await until(async () => (await shown()) === 'DNS:second.example')
  assert.equal(problems().filter((problem) => problem.includes('PRIVATE')).length, 0)
})

test('a pair that is no good at the start is an error that names the variables', async (t) => {
  const [first, second] = [await make(t, 'first.example'), await make(t, 'second.example')]
  const log = createLog({ level: 'silent', access: false })
  const tls = { certFile: first.cert, keyFile: second.key }
  assert.throws(() => createServer({ tls, http2: true, limits }, log, () => {}), {
    name: 'StartError',
    message:
      'STEPGATE_TLS_CERT_FILE and STEPGATE_TLS_KEY_FILE are unusable: the key is not that of the certificate',
  })
})
