import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { runCli, startCli } from '../support/cli.ts'
import { freePorts } from '../support/free-ports.ts'

const GREETING = /\n {2}The application, behind stepgate {3}(\S+)\n[\s\S]*Ctrl-C ends it all\.\n/

test('one process is the whole demo, on the four ports from STEPGATE_DEMO_PORT on', async (t) => {
  const first = await freePorts(4)
  const cli = startCli(t, ['demo'], { env: { STEPGATE_DEMO_PORT: String(first) } })
  await cli.until(GREETING)
  const [stepgate, provider, application, phone] = [0, 1, 2, 3].map(
    (offset) => `http://127.0.0.1:${first + offset}`,
  ) as [string, string, string, string]

  const ready = await fetch(`${stepgate}/_stepgate/readyz`)
  assert.equal(ready.status, 200, 'who reads the greeting can go on at once')
  const metadata = await fetch(`${provider}/.well-known/openid-configuration`)
  assert.equal(((await metadata.json()) as { issuer: string }).issuer, provider)
  const seen = await fetch(`${application}/whoami`)
  assert.equal(((await seen.json()) as { method: string }).method, 'GET')
  assert.deepEqual(await (await fetch(`${phone}/messages`)).json(), [])

  cli.signal('SIGINT')
  assert.equal(await cli.ended, 0)
  for (let offset = 0; offset < 4; offset++) await bind(first + offset)
})

test('the greeting is the last of the start, and a visit adds no line for each request', async (t) => {
  const first = await freePorts(4)
  const cli = startCli(t, ['demo'], { env: { STEPGATE_DEMO_PORT: String(first) } })
  await cli.until(GREETING)
  assert.equal((await fetch(`http://127.0.0.1:${first}/public`)).status, 200)
  cli.signal('SIGINT')
  await cli.ended
  const after = cli.stdout().split('Ctrl-C ends it all.\n\n')[1]?.trimEnd().split('\n') ?? []
  assert.deepEqual(
    after.map((line) => JSON.parse(line).msg),
    ['stepgate is stopping: requests in flight end, new ones are refused', 'stepgate has stopped'],
  )
})

test('a port that is taken is named, and nothing stays behind', async (t) => {
  const first = await freePorts(4)
  const taken = await bind(first + 2, t)
  const env = { STEPGATE_DEMO_PORT: String(first) }
  const { code, stderr } = await runCli(t, ['demo'], { env })
  assert.equal(code, 1)
  assert.equal(
    stderr,
    `stepgate: port ${first + 2} of 127.0.0.1 is taken (EADDRINUSE): another program listens there; STEPGATE_DEMO_PORT chooses another\n`,
  )
  assert.equal(taken.listening, true)
  for (const offset of [0, 1, 3]) await bind(first + offset)
})

test('it has no workers, and says so', async (t) => {
  const env = { STEPGATE_WORKERS: '2', STEPGATE_STORE: 'sqlite:./never-made.db' }
  const { code, stderr } = await runCli(t, ['demo'], { env })
  assert.equal(code, 1)
  assert.match(stderr, /^stepgate: the demo runs in one process: leave STEPGATE_WORKERS out/)
})

test('a first port that is none is refused in plain words', async (t) => {
  const { code, stderr } = await runCli(t, ['demo'], { env: { STEPGATE_DEMO_PORT: '70000' } })
  assert.equal(code, 1)
  assert.match(stderr, /^stepgate: STEPGATE_DEMO_PORT must be a port from 1 to 65532/)
})

/** Takes a port, until the test ends or at once for a moment only; rejects when it is not free. */
async function bind(port: number, t?: { after(end: () => void): void }) {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve)
  })
  if (t === undefined) await new Promise((resolve) => server.close(resolve))
  else t.after(() => server.close())
  return server
}
