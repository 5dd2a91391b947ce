import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { demoTwilio } from '../../demo/demo-environment.ts'
import { declareSecret } from '../support/canaries.ts'
import { runCli, startCli } from '../support/cli.ts'
import { startRedis } from '../support/redis.ts'
import { type Surroundings, startSurroundings } from '../support/surroundings.ts'

let around: Surroundings
before(async () => {
  around = await startSurroundings()
})
after(() => around.close())

const LISTENING = /"address":"([^"]+)"/

test('a configuration with problems ends with 78 and all of them, and without a secret', async (t) => {
  const short = 'canary-short-secret-44e1'
  const token = 'canary token with spaces 90ab'
  for (const secret of [short, token]) declareSecret('secret', secret)
  const env = around.env({
    STEPGATE_PUBLIC_URL: 'http://app.example.com',
    STEPGATE_SESSION_SECRET: short,
    STEPGATE_TWILIO_TOKEN: token,
    STEPGATE_TWILIO_SID: undefined,
    STEPGATE_RULE: 'public /',
    STEPGATE_RULES: 'publik /',
  })
  const commands = ['start', 'check', 'config', 'healthcheck']
  const ends = await Promise.all(commands.map((command) => runCli(t, [command], { env })))
  for (const { code, stdout, stderr } of ends) {
    assert.equal(code, 78)
    assert.equal(stdout, '')
    for (const problem of [
      /^ {2}STEPGATE_PUBLIC_URL /m,
      /^ {2}STEPGATE_SESSION_SECRET .*32/m,
      /^ {2}STEPGATE_TWILIO_TOKEN /m,
      /^ {2}STEPGATE_TWILIO_SID /m,
      /^ {2}STEPGATE_RULE is unknown; the nearest known one is STEPGATE_RULES/m,
      /^ {2}STEPGATE_RULES .*publik/m,
    ]) {
      assert.match(stderr, problem)
    }
    assert.match(stderr, /6 problems found/)
    for (const secret of [short, token]) assert.doesNotMatch(stderr, new RegExp(secret))
  }
})

test('start says what it does, warns, and is silent about secrets', async (t) => {
  const env = around.env()
  const cli = startCli(t, ['start'], { env })
  await cli.until(/OpenID provider is known/)
  const messages = cli
    .stdout()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).msg)
  assert.deepEqual(messages, [
    'Twilio SMS. Initialization',
    'Twilio SMS. Initialized successfully',
    'stepgate is listening',
    'OpenID provider is known',
  ])
  assert.match(cli.stderr(), /^stepgate: warning: STEPGATE_STORE is memory: .*\n$/)
  for (const name of ['SESSION_SECRET', 'OIDC_CLIENT_SECRET', 'TWILIO_TOKEN']) {
    const secret = env[`STEPGATE_${name}`]
    assert.ok(secret !== undefined && !`${cli.stdout()}${cli.stderr()}`.includes(secret))
  }
  cli.signal('SIGTERM')
  assert.equal(await cli.ended, 0)
  assert.match(cli.stdout(), /"msg":"stepgate has stopped"}\n$/)
})

test('it starts without its provider, says so, and becomes ready when the provider does', async (t) => {
  around.provider.pause()
  t.after(() => around.provider.resume())
  const cli = startCli(t, ['start'], { env: around.env() })
  await cli.until(/OpenID provider can not be discovered, trying again/)
  await cli.until(LISTENING)
  const unready = await fetch(new URL('/_stepgate/readyz', around.url))
  assert.equal(unready.status, 503)
  assert.equal((await fetch(new URL('/_stepgate/healthz', around.url))).status, 200)
  around.provider.resume()
  await cli.until(/OpenID provider is known/)
  assert.equal((await fetch(new URL('/_stepgate/readyz', around.url))).status, 200)
})

test('SIGTERM lets a request in flight end, and takes no new one', async (t) => {
  let pending: ServerResponse | undefined
  const application = createServer((_, response) => {
    pending = response
    application.emit('asked')
  })
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    application.closeAllConnections()
    application.close()
  })
  const { port } = application.address() as AddressInfo
  const env = around.env({
    STEPGATE_UPSTREAM: `http://127.0.0.1:${port}`,
    STEPGATE_RULES: 'public /**',
  })
  const cli = startCli(t, ['start'], { env })
  await cli.until(LISTENING)
  const asked = once(application, 'asked')
  const answer = fetch(new URL('/report', around.url))
  await asked
  cli.signal('SIGTERM')
  await cli.until(/stepgate is stopping/)
  await assert.rejects(fetch(new URL('/another', around.url)))
  pending?.end('the whole report')
  assert.equal(await (await answer).text(), 'the whole report')
  assert.equal(await cli.ended, 0)
})

test('an idle connection that is kept alive does not keep it from ending', async (t) => {
  const cli = startCli(t, ['start'], { env: around.env() })
  await cli.until(LISTENING)
  const socket = connect(Number(around.url.port), '127.0.0.1')
  t.after(() => socket.destroy())
  socket.write(`GET /_stepgate/healthz HTTP/1.1\r\nHost: ${around.url.host}\r\n\r\n`)
  await once(socket, 'data')
  cli.signal('SIGTERM')
  assert.equal(await cli.ended, 0)
})

test('an address that is taken is named, with what chooses another', async (t) => {
  const env = around.env({ STEPGATE_LISTEN: around.phoneUrl.host })
  const { code, stderr } = await runCli(t, ['start'], { env })
  assert.equal(code, 1)
  const { port } = around.phoneUrl
  assert.match(stderr, new RegExp(`^stepgate: port ${port} of 127.0.0.1 is taken`, 'm'))
  assert.match(stderr, /STEPGATE_LISTEN chooses another\n$/)
})

test('metrics are served at an address of their own, until the end', async (t) => {
  const env = around.env({ STEPGATE_METRICS_LISTEN: '127.0.0.1:0' })
  const cli = startCli(t, ['start'], { env })
  const [, address] = await cli.until(/"address":"([^"]+)","msg":"Metrics are served"/)
  await cli.until(/"msg":"stepgate is listening"/)
  const metrics = await fetch(`http://${address}/metrics`)
  assert.equal(metrics.status, 200)
  assert.match(await metrics.text(), /^stepgate_processes 1$/m)
  assert.equal((await fetch(new URL('/metrics', around.url), { redirect: 'manual' })).status, 401)
  cli.signal('SIGTERM')
  assert.equal(await cli.ended, 0)
  await assert.rejects(fetch(`http://${address}/metrics`))
})

test('an address for metrics that is taken is named, and nobody is served', async (t) => {
  const env = around.env({ STEPGATE_METRICS_LISTEN: around.phoneUrl.host })
  const { code, stdout, stderr } = await runCli(t, ['start'], { env })
  assert.equal(code, 1)
  assert.match(
    stderr,
    /^stepgate: port \d+ of 127.0.0.1 is taken .*STEPGATE_METRICS_LISTEN chooses/m,
  )
  assert.doesNotMatch(stdout, /is listening/)
})

test('a store that can not be used is named', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'stepgate-start-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'foreign.db'), 'this is no database, whatever its name says')
  const env = around.env({ STEPGATE_STORE: `sqlite:${folder}/foreign.db` })
  const { code, stderr } = await runCli(t, ['start'], { env })
  assert.equal(code, 1)
  assert.match(
    stderr,
    /^stepgate: The store's file .*foreign\.db can not be used.*STEPGATE_STORE\n$/,
  )
})

test('a Redis that will never be the store is named, and not waited for', async (t) => {
  const redis = await startRedis({ password: true })
  t.after(() => redis.stop())
  const env = around.env({ STEPGATE_STORE: `redis://:wrong@127.0.0.1:${redis.port}` })
  const { code, stderr } = await runCli(t, ['start'], { env })
  assert.equal(code, 1)
  assert.match(
    stderr,
    /^stepgate: Redis at .* can not be used: .*password is wrong \(WRONGPASS\); look at STEPGATE_STORE\n$/,
  )
})

test('an error that nobody caught ends it, and what hangs on the error is not printed', async (t) => {
  const canary = 'canary-in-an-error-1d77'
  declareSecret('value in an error', canary)
  const code = `
    const failing = Object.assign(new TypeError('${canary}'), { code: 'E_X', auth: '${canary}' })
    const timer = setInterval(() => {
      if (process.listenerCount('uncaughtException') === 0) return
      clearInterval(timer)
      Promise.reject(failing)
    }, 10)`
  const folder = mkdtempSync(join(tmpdir(), 'stepgate-failing-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'failing.mjs')
  writeFileSync(file, code)
  const nodeArgs = ['--import', pathToFileURL(file).href]
  const cli = startCli(t, ['start'], { env: around.env(), nodeArgs })
  await cli.until(/stepgate stops: an unexpected error/)
  assert.equal(await cli.ended, 1)
  const last = JSON.parse(cli.stdout().trimEnd().split('\n').at(-1) ?? '')
  assert.equal(last.level, 'error')
  assert.equal(last.code, 'E_X')
  assert.match(last.at, /^at /)
  assert.ok(!`${cli.stdout()}${cli.stderr()}`.includes(canary))
})

test('healthcheck says by its exit code whether that stepgate is alive', async (t) => {
  const env = around.env()
  const cli = startCli(t, ['start'], { env })
  await cli.until(LISTENING)
  assert.equal((await runCli(t, ['healthcheck'], { env })).code, 0)
  cli.signal('SIGTERM')
  await cli.ended
  assert.equal((await runCli(t, ['healthcheck'], { env })).code, 1)
})

test('healthcheck, which runs every few seconds, loads nothing but what reads the configuration', async (t) => {
  const hook = `import { registerHooks } from 'node:module'
    registerHooks({ load(url, context, next) { console.log(url); return next(url, context) } })`
  const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`]
  const { stdout } = await runCli(t, ['healthcheck'], { env: around.env(), nodeArgs })
  const packages = [...stdout.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)/g)].map(
    ([, name]) => name,
  )
  assert.deepEqual([...new Set(packages)].sort(), ['ipaddr.js', 'libphonenumber-js', 'zod'])
})

test('healthcheck finds a stepgate on a socket, and by its configured name alone', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'stepgate-socket-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const socket = join(folder, 'stepgate.sock')
  const env = around.env({
    STEPGATE_LISTEN: `unix:${socket}`,
    STEPGATE_PUBLIC_URL: 'https://app.example.com',
  })
  const cli = startCli(t, ['start'], { env })
  await cli.until(LISTENING)
  assert.equal((await runCli(t, ['healthcheck'], { env })).code, 0)
  cli.signal('SIGTERM')
  assert.equal(await cli.ended, 0)
  assert.equal(existsSync(socket), false)
})

test('config prints all that counts, defaults too, with secrets masked', async (t) => {
  const { code, stdout } = await runCli(t, ['config'], { env: around.env() })
  assert.equal(code, 0)
  assert.match(stdout, /^STEPGATE_OTP_TTL=5m$/m)
  assert.match(stdout, /^STEPGATE_TWILIO_TOKEN=\*{8}$/m)
  assert.match(stdout, new RegExp(`^STEPGATE_TWILIO_SID=${demoTwilio.accountSid}$`, 'm'))
  assert.ok(!stdout.includes(demoTwilio.authToken))
})

test('what is no command gets the usage and 64', async (t) => {
  const wrong = [[], ['begin'], ['start', '--port=80']]
  for (const { code, stdout, stderr } of await Promise.all(wrong.map((args) => runCli(t, args)))) {
    assert.equal(code, 64)
    assert.equal(stdout, '')
    assert.match(stderr, /^stepgate start {2}/m)
  }
  for (const args of [['help'], ['--help']]) {
    const { code, stdout } = await runCli(t, args)
    assert.equal(code, 0)
    assert.match(stdout, /^stepgate start {2}/)
  }
})
