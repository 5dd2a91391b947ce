import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { after, before, type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Agent, request } from 'undici'
import { declareSecret } from '../support/canaries.ts'
import { type Cli, SHORT_TIMERS, startCli } from '../support/cli.ts'
import { type Client, createClient, type Page } from '../support/cookie-jar.ts'
import { submitForm } from '../support/form.ts'
import { loadManyTimes } from '../support/many-loads.ts'
import { signInAtProvider } from '../support/sign-in.ts'
import { type Surroundings, startSurroundings } from '../support/surroundings.ts'
import { until } from '../support/until.ts'
import { closing, framesOf, handshake, switchingFor } from '../support/web-socket.ts'
import { ALICE } from '../support/world.ts'
import { type RawClient, rawClient } from '../upstream/sockets.ts'

const CANARY = 'canary-in-an-error-of-a-worker-93c1'
const LISTENING = '"msg":"worker is listening"'

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

/** An application that says which acr it hears, and holds what is asked of /hold. */
async function startHolding(t: TestContext) {
  const held: ServerResponse[] = []
  const sockets: Duplex[] = []
  const server = createServer((incoming, response) => {
    if (incoming.url === '/hold') held.push(response)
    else response.end(String(incoming.headers['x-stepgate-acr']))
  })
  server.on('upgrade', ({ rawHeaders }, socket) => {
    const key = rawHeaders[rawHeaders.indexOf('Sec-WebSocket-Key') + 1] ?? ''
    socket.on('error', () => {}).write(switchingFor(`Sec-WebSocket-Key: ${key}\r\n`))
    sockets.push(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.closeAllConnections()
    server.close()
  })
  return { held, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

type Line = Readonly<Record<string, unknown>>

function linesOf(cli: Cli): readonly Line[] {
  const whole = cli.stdout().slice(0, cli.stdout().lastIndexOf('\n') + 1)
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

const linesWith = (cli: Cli, msg: string) => linesOf(cli).filter((line) => line.msg === msg)

/** The process ids of the workers that serve now. */
function serving(cli: Cli): readonly number[] {
  const ended = linesWith(cli, 'A worker has ended and is replaced').map(({ pid }) => pid)
  const pids = linesWith(cli, 'worker is listening').map(({ pid }) => Number(pid))
  return pids.filter((pid) => !ended.includes(pid))
}

/** Ends one worker by this signal; resolves when its end is known, and another not yet there. */
async function lose(cli: Cli, signal: NodeJS.Signals): Promise<number> {
  const [lost = 0] = serving(cli)
  process.kill(lost, signal)
  await until(async () => !serving(cli).includes(lost))
  return lost
}

/** As many requests at once, each over a connection of its own: the status and worker of each. */
async function askAll(cli: Cli, browser: Client, path: string) {
  const url = new URL(path, around.url)
  const cookie = Object.entries(browser.cookies(url)).map(([name, value]) => `${name}=${value}`)
  const answers = Array.from({ length: 30 }, async () => {
    const dispatcher = new Agent()
    const { statusCode, headers, body } = await request(url, {
      dispatcher,
      headers: { cookie: cookie.join('; ') },
    })
    await body.dump()
    await dispatcher.close()
    return { status: statusCode, id: headers['x-request-id'] }
  })
  const asked = await Promise.all(answers)
  await until(async () =>
    asked.every(({ id }) => linesOf(cli).some(({ request_id }) => request_id === id)),
  )
  const lines = new Map(linesOf(cli).map((line) => [line.request_id, line.worker]))
  return asked.map(({ status, id }) => ({ status, worker: lines.get(id) }))
}

test('three workers serve as one', { timeout: 120_000 }, async (t) => {
  const { held, origin } = await startHolding(t)
  declareSecret('value in an error', CANARY)
  const hook = join(folder, 'failing.mjs')
  writeFileSync(
    hook,
    `import cluster from 'node:cluster'
    if (cluster.isWorker) process.on('SIGUSR2', () => Promise.reject(new TypeError('${CANARY}')))`,
  )
  const env = around.env({
    STEPGATE_WORKERS: '3',
    STEPGATE_STORE: `sqlite:${join(folder, 'stepgate.db')}`,
    STEPGATE_UPSTREAM: origin,
    STEPGATE_RULES: 'public /hold; basic /basic',
    STEPGATE_ACCESS_LOG: 'on',
  })
  const nodeArgs = [...SHORT_TIMERS, '--import', pathToFileURL(hook).href]
  const cli = startCli(t, ['start'], { env, nodeArgs })
  await cli.until(/"msg":"stepgate is listening"/)
  const browser = createClient()
  const open = (path: string) => browser.get(new URL(path, around.url))
  let page: Page

  await t.test('and say once that they listen, when all do; their lines bear a number', () => {
    const messages = linesOf(cli).map(({ msg }) => msg)
    assert.equal(messages.filter((msg) => msg === 'stepgate is listening').length, 1)
    const before = messages.slice(0, messages.indexOf('stepgate is listening'))
    assert.equal(before.filter((msg) => msg === 'worker is listening').length, 3)
    const workers = linesWith(cli, 'worker is listening').map(({ worker }) => worker)
    assert.deepEqual(workers.toSorted(), [1, 2, 3])
    for (const line of linesOf(cli)) {
      assert.equal('worker' in line, line.msg !== 'stepgate is listening', JSON.stringify(line))
    }
    const [said] = linesWith(cli, 'stepgate is listening')
    assert.deepEqual([said?.address, said?.workers], [around.url.host, 3])
  })

  await t.test('500 loads of the code page at once send one message', async () => {
    await until(async () => (await fetch(new URL('/_stepgate/readyz', around.url))).ok)
    await until(async () => linesWith(cli, 'OpenID provider is known').length === 3)
    page = await signInAtProvider(browser, await open('/'), 'alice')
    const otp = new URL('/_stepgate/otp?return_to=/', around.url)
    page = await browser.followAll(page, ({ pathname }) => pathname === otp.pathname)
    assert.deepEqual(await loadManyTimes(browser, otp), { 200: 500 })
    assert.equal(around.twilio.messages().length, 1)
    page = await browser.get(otp)
  })

  await t.test('a kill -9 of one costs nothing but the requests on it', async () => {
    const answers = Array.from({ length: 12 }, () =>
      fetch(new URL('/hold', around.url)).then(
        ({ status }) => status,
        () => 'broken off',
      ),
    )
    await until(async () => held.length === 12)
    const lost = await lose(cli, 'SIGKILL')
    const ended = linesWith(cli, 'A worker has ended and is replaced')
    assert.deepEqual(
      ended.map(({ pid, signal, wait_ms }) => [pid, signal, wait_ms]),
      [[lost, 'SIGKILL', 0]],
    )
    for (const response of held.splice(0)) response.end()
    const ends = await Promise.all(answers)
    assert.ok(ends.every((end) => end === 200 || end === 'broken off'))

    page = await submitForm(browser, page, { code: around.codeFor(ALICE) })
    assert.equal((await browser.followAll(page)).text(), 'twilio_sms')
    await until(async () => serving(cli).length === 3)
  })

  await t.test('an error that nobody caught ends one alone, and is not printed', async () => {
    const lost = await lose(cli, 'SIGUSR2')
    const [line] = linesWith(cli, 'worker stops: an unexpected error')
    assert.equal(line?.pid, lost)
    assert.equal((await open('/')).text(), 'twilio_sms')
    await until(async () => serving(cli).length === 3)
    assert.ok(!`${cli.stdout()}${cli.stderr()}`.includes(CANARY))
  })

  await t.test(
    'who signs out at one is signed out at all, with his WebSockets, and waits for no timer of more than a second',
    async () => {
      const kept = browser.copy()
      await until(async () => {
        const answers = await askAll(cli, kept, '/_stepgate/session')
        assert.ok(answers.every(({ status }) => status === 200))
        return new Set(answers.map(({ worker }) => worker)).size === 3
      })
      const cookie = `Cookie: stepgate=${kept.cookies(around.url).stepgate}`
      const hello = handshake('/basic', [`Origin: ${around.url.origin}`, cookie])
      const clients: RawClient[] = []
      const at = (test: (line: Line) => boolean) =>
        new Set(
          linesOf(cli)
            .filter(test)
            .map(({ worker }) => worker),
        )
      await until(async () => {
        const client = rawClient(t, Number(around.url.port), hello)
        await client.until((text) => text.includes('101 Switching'))
        clients.push(client)
        return at(({ status }) => status === 101).size === 3
      })
      await open('/_stepgate/sign-out')
      for (const { ended } of clients) {
        assert.equal(framesOf((await ended).text), closing(4401, 'Session ended'))
      }
      await until(async () => at(({ event }) => event === 'websocket.closed').size === 3)
      const refusing = new Set()
      await until(async () => {
        for (const { status, worker } of await askAll(cli, kept, '/_stepgate/session')) {
          if (status === 401) refusing.add(worker)
          else assert.ok(!refusing.has(worker), 'a session that had ended came back')
        }
        return refusing.size === 3
      })
    },
  )

  await t.test('SIGTERM lets the requests of all end', async () => {
    const answers = Array.from({ length: 12 }, () => fetch(new URL('/hold', around.url)))
    await until(async () => held.length === 12)
    cli.signal('SIGTERM')
    await until(async () => cli.stdout().split('worker is stopping').length === 4)
    await until(() =>
      fetch(around.url).then(
        () => false,
        () => true,
      ),
    )
    for (const response of held) response.end('the whole report')
    const ends = await Promise.all(answers)
    const texts = await Promise.all(ends.map((answer) => answer.text()))
    assert.deepEqual([...new Set(texts)], ['the whole report'])
    assert.equal(await cli.ended, 0)
    assert.equal(linesOf(cli).at(-1)?.msg, 'stepgate has stopped')
    assert.equal(linesWith(cli, 'worker has stopped').length, 3)
    assert.equal(cli.stdout().split(LISTENING).length, 6)
  })
})
