import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  acrAt,
  assertSays,
  MINUTE,
  openCodePage,
  pressSend,
  reload,
  signIn,
  typeCode,
} from '../support/code-page.ts'
import { type Client, createClient, type Page } from '../support/cookie-jar.ts'
import { type Redis, startRedis } from '../support/redis.ts'
import { signInAtProvider } from '../support/sign-in.ts'
import { until } from '../support/until.ts'
import { ALICE, startWorld, type World } from '../support/world.ts'

describe('a Redis that is lost in the middle', () => {
  let redis: Redis
  let world: World
  let through: Client
  before(async () => {
    redis = await startRedis({
      password: true,
      lines: ['appendonly yes', 'appendfsync always'],
    })
    world = await startWorld({ env: { STEPGATE_STORE: redis.url } })
    through = (await openCodePage(world, 'alice')).browser
    await typeCode(world, through, world.codeFor(ALICE))
  })
  after(async () => {
    await world.close()
    await redis.stop()
  })

  function assertTryAgain(page: Page): void {
    assert.equal(page.status, 503)
    assertSays(page, 'unavailable.store')
    assert.equal(page.headers.get('retry-after'), '5')
  }

  async function storeIs(state: 'ok' | 'unavailable'): Promise<boolean> {
    const ready = await fetch(new URL('/_stepgate/readyz', world.url))
    const { checks } = (await ready.json()) as { checks: { store: string } }
    assert.equal(ready.status, checks.store === 'ok' ? 200 : 503)
    return checks.store === state
  }

  for (const [what, lose, find] of [
    ['killed', () => redis.halt('SIGKILL'), () => redis.restart()],
    ['stopped', () => redis.pause(), () => redis.resume()],
  ] as const) {
    test(`${what}: codes and sign-ins wait, sessions go on, and then the code still counts`, async () => {
      world.turnClock(10 * MINUTE)
      const { browser } = await openCodePage(world, 'alice')
      const sent = world.messages().length
      const code = world.codeFor(ALICE)
      const newcomer = createClient()
      const start = await newcomer.get(new URL('/whoami', world.url))

      await lose()
      try {
        assertTryAgain(await typeCode(world, browser, code))
        assertTryAgain(await pressSend(world, browser))
        assertTryAgain(await reload(world, browser))
        assertTryAgain(await signInAtProvider(newcomer, start, 'bob'))
        assert.ok(await storeIs('unavailable'))
        assert.equal(await acrAt(world, through), 'twilio_sms')
        assert.equal((await browser.get(new URL('/basic', world.url))).status, 200)
        assert.notEqual(await acrAt(world, browser), 'twilio_sms')
        assert.equal((await fetch(new URL('/_stepgate/healthz', world.url))).status, 200)
      } finally {
        await find()
      }

      await until(() => storeIs('ok'))
      assert.equal((await typeCode(world, browser, code)).status, 303)
      assert.equal(await acrAt(world, browser), 'twilio_sms')
      assert.equal(world.messages().length, sent)
      const { page } = await signIn(world, 'bob')
      assert.ok(page.status < 400)
    })
  }
})
