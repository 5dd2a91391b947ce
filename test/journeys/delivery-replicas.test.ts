import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startCli } from '../support/cli.ts'
import { createClient } from '../support/cookie-jar.ts'
import { openEvents } from '../support/delivery.ts'
import { freePort } from '../support/free-port.ts'
import { startRedis } from '../support/redis.ts'
import { signInAtProvider } from '../support/sign-in.ts'
import { startSurroundings } from '../support/surroundings.ts'

const STORES: Readonly<Record<string, (t: TestContext) => Promise<string>>> = {
  async redis(t) {
    const redis = await startRedis({ password: true })
    t.after(() => redis.stop())
    return redis.url
  },
  async sqlite(t) {
    const folder = await mkdtemp(join(tmpdir(), 'stepgate-delivery-'))
    t.after(() => rm(folder, { recursive: true }))
    return `sqlite:${join(folder, 'stepgate.db')}`
  },
}

for (const [kind, open] of Object.entries(STORES)) {
  test(`a report that comes to one process reaches the page at another, over ${kind}`, {
    timeout: 120_000,
  }, async (t) => {
    const around = await startSurroundings()
    t.after(() => around.close())
    const store = await open(t)
    const other = new URL(`http://127.0.0.1:${await freePort()}`)
    for (const { host } of [around.url, other]) {
      const env = around.env({ STEPGATE_LISTEN: host, STEPGATE_STORE: store })
      const cli = startCli(t, ['start'], { env })
      await cli.until(/OpenID provider is known/)
    }
    const browser = createClient()
    const start = await browser.get(new URL('/whoami', around.url))
    await browser.followAll(await signInAtProvider(browser, start, 'alice'))
    const events = await openEvents({ url: other }, browser)
    assert.equal(events.answer.status, 200)
    assert.equal((await events.next())?.kind, 'sending')
    // Twilio knows the public address alone.
    assert.equal(new URL(around.twilio.sent()[0]?.statusCallback ?? '').host, around.url.host)
    assert.equal(await around.twilio.report({ status: 'sent' }), 204)
    assert.equal((await events.next())?.kind, 'sent')
    assert.equal(await around.twilio.report({ status: 'undelivered', errorCode: 30003 }), 204)
    const last = await events.next()
    assert.deepEqual([last?.kind, last?.final], ['failed', true])
    assert.equal(await events.next(), undefined)
  })
}
