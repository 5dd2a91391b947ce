import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { type Balancer, startBalancer } from '../support/balancer.ts'
import { launchBrowser } from '../support/browser.ts'
import { type Cli, SHORT_TIMERS, startCli } from '../support/cli.ts'
import { type Client, createClient, type Page } from '../support/cookie-jar.ts'
import { submitForm } from '../support/form.ts'
import { freePort } from '../support/free-port.ts'
import { loadManyTimes } from '../support/many-loads.ts'
import { type Redis, startRedis } from '../support/redis.ts'
import { signInAtProvider } from '../support/sign-in.ts'
import { type Surroundings, startSurroundings } from '../support/surroundings.ts'
import { until } from '../support/until.ts'
import { heading, newVisitor, signIn as signInBy, typeCode } from '../support/visitor.ts'
import { closing, framesOf, handshake } from '../support/web-socket.ts'
import { ALICE } from '../support/world.ts'
import { rawClient } from '../upstream/sockets.ts'

let around: Surroundings
let redis: Redis
let balancer: Balancer
let ports: readonly number[]
before(async () => {
  around = await startSurroundings()
  redis = await startRedis({ password: true })
  ports = [await freePort(), await freePort(), await freePort()]
  balancer = await startBalancer(Number(around.url.port), ports)
})
after(async () => {
  await balancer.close()
  await around.close()
  await redis.stop()
})

/** Starts a replica; resolves when it lets people sign in. */
async function startReplica(t: TestContext, port: number): Promise<Cli> {
  const env = around.env({
    STEPGATE_LISTEN: `127.0.0.1:${port}`,
    STEPGATE_STORE: redis.url,
    STEPGATE_TRUSTED_PROXIES: '127.0.0.1',
  })
  const cli = startCli(t, ['start'], { env, nodeArgs: SHORT_TIMERS })
  await cli.until(/OpenID provider is known/)
  return cli
}

const at = (path: string, port?: number) =>
  new URL(path, port === undefined ? around.url : `http://127.0.0.1:${port}`)

/** Opens the application and signs in; answers the code page's address, which nobody has opened. */
async function signIn(browser: Client): Promise<Page> {
  const start = await browser.get(at('/whoami'))
  const page = await signInAtProvider(browser, start, 'alice')
  return browser.followAll(page, ({ pathname }) => pathname === '/_stepgate/otp')
}

test('three replicas serve as one, whichever gets the next request', {
  timeout: 120_000,
}, async (t) => {
  const replicas = await Promise.all(ports.map((port) => startReplica(t, port)))
  const [first, second, third] = replicas
  assert.ok(first && second && third)
  const browser = createClient()
  const reached = () => around.application.requests().length

  await t.test('a sign-in, a code and a form, while one is killed and comes back', async () => {
    const begun = await browser.get(at('/'))
    const before = balancer.answeredBy.length
    first.signal('SIGKILL')
    await first.ended
    const signedIn = await signInAtProvider(browser, begun, 'alice')
    const otp = await browser.followAll(signedIn)
    assert.match(otp.text(), /name="code"/)
    assert.equal(around.twilio.messages().length, 1)
    replicas[0] = await startReplica(t, Number(ports[0]))
    third.signal('SIGKILL')
    await third.ended
    const wrong = await submitForm(browser, otp, { code: '000000' })
    assert.match(wrong.text(), /name="code"/)
    replicas[2] = await startReplica(t, Number(ports[2]))

    const right = await submitForm(browser, wrong, { code: around.codeFor(ALICE) })
    assert.equal((await browser.followAll(right)).url.href, at('/').href)
    for (let times = 0; times < ports.length; times++) {
      const heard = (await browser.get(at('/whoami'))).json()
      assert.equal(heard.headers['x-stepgate-acr'], 'twilio_sms')
    }
    const answers = balancer.answeredBy.slice(before)
    assert.deepEqual(new Set(answers), new Set(ports))
    assert.ok(answers.every((port, index) => port !== answers[index + 1]))
    assert.equal(around.twilio.messages().length, 1)
    assert.ok(reached() >= ports.length)
  })

  await t.test(
    'signed out at one is signed out at all, and waits for no timer of more than a second',
    async () => {
      const kept = browser.copy()
      const acrAt = async (port: number) => {
        const { status } = await fetch(at('/_stepgate/session', port), {
          headers: { cookie: `stepgate=${kept.cookies(around.url).stepgate}` },
        })
        return status
      }
      for (const port of ports) assert.equal(await acrAt(port), 200)
      const cookie = `Cookie: stepgate=${kept.cookies(around.url).stepgate}`
      const hello = handshake('/board', [`Origin: ${around.url.origin}`, cookie])
      const sockets = ports.map((port) => rawClient(t, port, hello))
      for (const socket of sockets) await socket.until((text) => text.includes('101 Switching'))
      await browser.get(at('/_stepgate/sign-out'))
      for (const port of ports) await until(async () => (await acrAt(port)) === 401)
      for (const { ended } of sockets) {
        assert.equal(framesOf((await ended).text), closing(4401, 'Session ended'))
      }
    },
  )

  await t.test(
    '500 loads of the code page at once, over all of them, send one message',
    async () => {
      const sent = around.twilio.messages().length
      const { location } = await signIn(browser)
      assert.ok(location)
      assert.deepEqual(await loadManyTimes(browser, location), { 200: 500 })
      assert.equal(around.twilio.messages().length - sent, 1)
      const otp = await browser.get(location)
      const end = await submitForm(browser, otp, { code: around.codeFor(ALICE) })
      assert.equal((await browser.followAll(end)).status, 200)
    },
  )

  await t.test('a form that three of them have a hand in arrives once', async (t) => {
    const chromium = await launchBrowser()
    t.after(() => chromium.close())
    const { page, leave } = await newVisitor(chromium)
    const forms = () => around.application.requests().filter(({ method }) => method === 'POST')
    await page.goto(at('/').href)
    await signInBy(page, 'alice')
    await typeCode(page, around.codeFor(ALICE))
    await heading(page, 'Welcome, alice!')
    const note = 'über alle drei'
    await page.locator('#note').fill(note)
    // The browser has lost its session while she typed.
    await page.context().clearCookies({ name: 'stepgate' })
    const before = forms().length
    const answers = balancer.answeredBy.length
    await page.getByRole('button', { name: 'Send note' }).click()
    await typeCode(page, around.codeFor(ALICE))
    await page.waitForURL(at('/form').href)
    assert.equal(await page.locator('#received').textContent(), note)
    assert.equal(forms().length, before + 1)
    assert.deepEqual(new Set(balancer.answeredBy.slice(answers)), new Set(ports))
    await page.reload()
    await heading(page, 'This was sent already')
    assert.equal(forms().length, before + 1)
    await leave()
  })
})
