import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
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

/** Starts two workers; resolves with them when both listen. */
async function start(t: TestContext, changes: Readonly<Record<string, string>> = {}) {
  const cli = startCli(t, ['start'], { env: env(changes) })
  await cli.until(/"msg":"stepgate is listening"/)
  const said = cli.stdout().matchAll(/"pid":(\d+),.*"msg":"worker is listening"/g)
  return { cli, pids: [...said].map(([, pid]) => Number(pid)) }
}

test('what can not start at all ends with one complaint', { timeout: 120_000 }, async (t) => {
  const foreign = join(folder, 'foreign.db')
  writeFileSync(foreign, 'this is no database, whatever its name says')
  const [store, address] = await Promise.all(
    [{ STEPGATE_STORE: `sqlite:${foreign}` }, { STEPGATE_LISTEN: around.phoneUrl.host }].map(
      (changes) => runCli(t, ['start'], { env: env(changes) }),
    ),
  )
  assert.deepEqual([store?.code, address?.code], [1, 1])
  assert.match(
    store?.stderr ?? '',
    /^stepgate: The store's file .*can not be used.*STEPGATE_STORE\n$/,
  )
  assert.match(
    address?.stderr ?? '',
    new RegExp(`^stepgate: port ${around.phoneUrl.port} of 127.0.0.1 is taken .*another\\n$`),
  )
})

test('workers end with a supervisor that is killed, and new ones take over their socket, with TLS', {
  timeout: 120_000,
}, async (t) => {
  const { ca, cert, key } = await createCertificate(folder, 'DNS:app.example.test')
  const path = join(folder, 'stepgate.sock')
  const changes = {
    STEPGATE_PUBLIC_URL: 'https://app.example.test',
    STEPGATE_LISTEN: `unix:${path}`,
    STEPGATE_TLS_CERT_FILE: cert,
    STEPGATE_TLS_KEY_FILE: key,
  }
  const killed = await start(t, changes)
  assert.equal(killed.pids.length, 2)
  killed.cli.signal('SIGKILL')
  await until(async () => !killed.pids.some(runs))
  assert.ok(existsSync(path))

  const { cli } = await start(t, changes)
  const dispatcher = new Agent({ connect: { socketPath: path, ca: readFileSync(ca, 'utf8') } })
  const answer = await request('https://app.example.test/_stepgate/healthz', { dispatcher })
  assert.equal(answer.statusCode, 200)
  await answer.body.dump()
  await dispatcher.close()
  cli.signal('SIGINT')
  assert.equal(await cli.ended, 0)
  assert.equal(existsSync(path), false)
})

test('nobody starts any more once the end has begun, though the first says late that it listens', {
  timeout: 120_000,
}, async (t) => {
  const hook = join(folder, 'late.mjs')
  writeFileSync(
    hook,
    `import cluster from 'node:cluster'
    if (cluster.isWorker) {
      process.stdout.write('a worker begins\\n')
      const send = process.send.bind(process)
      process.send = (message, ...rest) => message.kind === 'listening'
        ? process.once('SIGTERM', () => send(message))
        : send(message, ...rest)
    }`,
  )
  const nodeArgs = ['--import', pathToFileURL(hook).href]
  const cli = startCli(t, ['start'], { env: env({}), nodeArgs })
  await cli.until(/"msg":"worker is listening"/)
  cli.signal('SIGTERM')
  assert.equal(await cli.ended, 0)
  assert.equal(cli.stdout().split('a worker begins').length - 1, 1)
  assert.ok(!cli.stdout().includes('"msg":"stepgate is listening"'))
})

test('a worker that is stuck leaves requests to the others, and a second signal ends it', {
  timeout: 120_000,
}, async (t) => {
  let stuck = 0
  // Before the hook of the start, which waits until nobody holds the output open.
  t.after(() => stuck > 0 && runs(stuck) && process.kill(stuck, 'SIGKILL'))
  const { cli, pids } = await start(t)
  const [first = 0, other = 0] = pids
  stuck = first
  process.kill(stuck, 'SIGSTOP')
  for (let times = 0; times < 5; times++) {
    const headers = { connection: 'close' }
    const answer = await fetch(new URL('/_stepgate/healthz', around.url), { headers })
    assert.equal(answer.status, 200)
  }
  cli.signal('SIGTERM')
  await until(async () => !runs(other))
  assert.ok(runs(stuck))
  let code: number | string | undefined
  cli.ended.then((ended) => {
    code = ended
  })
  await until(async () => {
    cli.signal('SIGTERM')
    return code !== undefined
  })
  assert.equal(code, 1)
  await until(async () => !runs(stuck))
})

/** Whether the process is there; one that has ended and is not yet collected is not. */
function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
