import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, linkSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Agent, request } from 'undici'
import { runCli, startCli } from '../support/cli.ts'
import { createCertificate } from '../support/slapd-certificate.ts'
import { type Surroundings, startSurroundings } from '../support/surroundings.ts'
import { until } from '../support/until.ts'

let around: Surroundings
let folder: string
before(async () => {
  around = await startSurroundings()
  folder = mkdtempSync(join(tmpdir(), 'stepgate-workers-'))
})
after(async () => {
  await around.close()
  rmSync(folder, { recursive: true })
})

const env = (changes: Readonly<Record<string, string>>) =>
  around.env({
    STEPGATE_WORKERS: '2',
    STEPGATE_STORE: `sqlite:${join(folder, 'stepgate.db')}`,
    ...changes,
  })

test('what can not start at all ends with one complaint', async (t) => {
  const foreign = join(folder, 'foreign.db')
  writeFileSync(foreign, 'this is no database, whatever its name says')
  const store = await runCli(t, ['start'], { env: env({ STEPGATE_STORE: `sqlite:${foreign}` }) })
  assert.equal(store.code, 1)
  assert.match(store.stderr, /^stepgate: The store's file .*can not be used.*STEPGATE_STORE\n$/)

  const taken = env({ STEPGATE_LISTEN: around.phoneUrl.host })
  const address = await runCli(t, ['start'], { env: taken })
  assert.equal(address.code, 1)
  assert.match(
    address.stderr,
    new RegExp(`^stepgate: port ${around.phoneUrl.port} of 127.0.0.1 is taken .*another\\n$`),
  )
})

test('workers share a socket with TLS, take over one that was left, and a second signal ends all', async (t) => {
  const { ca, cert, key } = await createCertificate(folder, 'DNS:app.example.test')
  const path = join(folder, 'stepgate.sock')
  await leaveSocket(path)
  const cli = startCli(t, ['start'], {
    env: env({
      STEPGATE_PUBLIC_URL: 'https://app.example.test',
      STEPGATE_LISTEN: `unix:${path}`,
      STEPGATE_TLS_CERT_FILE: cert,
      STEPGATE_TLS_KEY_FILE: key,
    }),
  })
  await cli.until(/"msg":"stepgate is listening"/)
  const pids = [...cli.stdout().matchAll(/"pid":(\d+),"address"/g)].map(([, pid]) => Number(pid))
  assert.equal(pids.length, 2)

  const isAlive = async () => {
    const connect = { socketPath: path, ca: readFileSync(ca, 'utf8') }
    const dispatcher = new Agent({ connect })
    const { statusCode, body } = await request('https://app.example.test/_stepgate/healthz', {
      dispatcher,
    })
    await body.dump()
    await dispatcher.close()
    return statusCode
  }
  const [first = 0, second = 0] = pids
  // One that can't take a connection leaves it to the other, and can't end by itself.
  process.kill(first, 'SIGSTOP')
  t.after(() => runs(first) && process.kill(first, 'SIGKILL'))
  for (let times = 0; times < 5; times++) assert.equal(await isAlive(), 200)

  cli.signal('SIGTERM')
  await until(async () => !runs(second))
  assert.ok(runs(first))
  const ended = { code: undefined as number | string | undefined }
  cli.ended.then((code) => Object.assign(ended, { code }))
  await until(async () => {
    cli.signal('SIGTERM')
    return ended.code !== undefined
  })
  assert.equal(ended.code, 1)
  await until(async () => !runs(first))
})

test('a stop takes the socket away, and workers end with a supervisor that is killed', async (t) => {
  const path = join(folder, 'gone.sock')
  const changes = { STEPGATE_LISTEN: `unix:${path}` }
  const killed = startCli(t, ['start'], { env: env(changes) })
  await killed.until(/"msg":"stepgate is listening"/)
  const pids = [...killed.stdout().matchAll(/"pid":(\d+),"address"/g)].map(([, pid]) => Number(pid))
  killed.signal('SIGKILL')
  await until(async () => pids.every((pid) => !runs(pid)))
  assert.ok(existsSync(path))

  const cli = startCli(t, ['start'], { env: env(changes) })
  await cli.until(/"msg":"stepgate is listening"/)
  cli.signal('SIGINT')
  assert.equal(await cli.ended, 0)
  assert.equal(existsSync(path), false)
})

/** A socket's file with nobody behind it. */
async function leaveSocket(path: string): Promise<void> {
  const server = createServer()
  server.listen(`${path}.first`)
  await once(server, 'listening')
  linkSync(`${path}.first`, path)
  server.close()
  await once(server, 'close')
}

/** Whether the process is there; one that has ended and is not yet collected is not. */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
