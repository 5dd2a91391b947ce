import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { formatProblems } from '../../proxy/config/format-problems.ts'
import { loadConfig } from '../../proxy/config/load-config.ts'
import { createLog } from '../../proxy/log.ts'
import { type Stepgate, startStepgate } from '../../proxy/start.ts'
import { axeFindings } from '../support/axe.ts'
import { launchBrowser } from '../support/browser.ts'
import { keepLog } from '../support/canaries.ts'
import { startConnectionBalancer } from '../support/connection-balancer.ts'
import { freePort } from '../support/free-port.ts'
import { pressBack } from '../support/press-back.ts'
import { startRedis } from '../support/redis.ts'
import { startSurroundings } from '../support/surroundings.ts'
import { heading, newVisitor, signIn, type Visitor } from '../support/visitor.ts'
import { providerKnown, startWorld } from '../support/world.ts'

/** One address, and a provider that tells of the end of its sessions. */
type Place = { readonly url: URL; readonly issuer: URL; close(): Promise<void> }

const RULES = 'public /public /payroll.css; basic /**'

async function oneOverSqlite(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'stepgate-ends-'))
  const env = { STEPGATE_STORE: `sqlite:${join(folder, 'store.db')}`, STEPGATE_RULES: RULES }
  const world = await startWorld({ env, backChannel: 'sid' })
  return {
    url: world.url,
    issuer: world.provider.issuer,
    async close() {
      await world.close()
      rmSync(folder, { recursive: true })
    },
  }
}

async function threeOverRedis(): Promise<Place> {
  const around = await startSurroundings({ backChannel: 'sid' })
  const redis = await startRedis()
  const ports = [await freePort(), await freePort(), await freePort()]
  const replicas: Stepgate[] = await Promise.all(
    ports.map((port) => {
      const env = around.env({
        STEPGATE_LISTEN: `127.0.0.1:${port}`,
        STEPGATE_STORE: redis.url,
        STEPGATE_RULES: RULES,
      })
      const loaded = loadConfig(env)
      if (loaded.kind === 'invalid') throw new Error(formatProblems(loaded.problems))
      const log = createLog(loaded.config.log, { write: keepLog })
      return startStepgate(loaded.config, loaded.secrets, { log })
    }),
  )
  for (const port of ports) await providerKnown(new URL(`http://127.0.0.1:${port}`))
  const balancer = await startConnectionBalancer(Number(around.url.port), ports)
  return {
    url: around.url,
    issuer: around.provider.issuer,
    async close() {
      await balancer.close()
      await Promise.all(replicas.map((replica) => replica.close()))
      await Promise.all([around.close(), redis.stop()])
    },
  }
}

for (const [name, start] of [
  ['one process over SQLite', oneOverSqlite],
  ['three replicas over Redis', threeOverRedis],
] as const) {
  describe(`the end of a session, by ${name}`, () => {
    let browser: Browser
    let place: Place
    const visitors: Visitor[] = []
    before(async () => {
      place = await start()
      browser = await launchBrowser()
    })
    afterEach(async () => {
      for (const visitor of visitors.splice(0)) await visitor.leave()
    })
    after(async () => {
      await browser?.close()
      await place?.close()
    })

    const at = (path: string) => new URL(path, place.url).href

    async function arrive(): Promise<Visitor> {
      const visitor = await newVisitor(browser)
      visitors.push(visitor)
      await visitor.page.goto(at('/basic'))
      await signIn(visitor.page, 'alice')
      await heading(visitor.page, 'Telephone list')
      return visitor
    }

    /** Opens WebSockets and streams, some for each replica; `over` when all have ended. */
    async function openAll(page: Page): Promise<{ over(): Promise<string[]> }> {
      await page.evaluate(async () => {
        const opened: Promise<unknown>[] = []
        const ended: Promise<string>[] = []
        for (let times = 0; times < 3; times++) {
          const socket = new WebSocket('/board')
          opened.push(new Promise((resolve) => socket.addEventListener('open', resolve)))
          ended.push(
            new Promise((resolve) =>
              socket.addEventListener('close', ({ code }) => resolve(`socket ${code}`)),
            ),
          )
        }
        for (const path of ['/events?interval=100', '/events?interval=60000']) {
          const { body } = await fetch(path)
          const drained = new Response(body).text().then(
            () => 'stream came to its end',
            () => 'stream cut',
          )
          ended.push(drained)
        }
        await Promise.all(opened)
        Object.assign(globalThis, { ended })
      })
      return {
        over: () =>
          page.evaluate(() => {
            const { ended } = globalThis as unknown as { ended: Promise<string>[] }
            return Promise.all(ended)
          }),
      }
    }

    const ALL_OVER = [...Array(3).fill('socket 4401'), 'stream cut', 'stream cut']

    /** Who goes away and comes back sees nothing, though nobody has told the browser of the end. */
    async function assertNothingBehind(page: Page): Promise<void> {
      await page.goto('about:blank')
      const texts = await pressBack(page, (text) => text.includes('Password'))
      for (const text of texts) assert.doesNotMatch(text, /Telephone list/)
    }

    test('by a sign-out at the provider ends everything in every tab, and the back button shows nothing', async () => {
      const alice = await arrive()
      const bystander = await arrive()
      const mine = await openAll(alice.page)
      const tab = await alice.openTab()
      await tab.goto(new URL('/sign-out', place.issuer).href)
      await tab.locator('button[name=logout]').click()
      assert.deepEqual(await mine.over(), ALL_OVER)
      await assertNothingBehind(alice.page)

      // It is not the end of another session of hers, which goes on without a new sign-in.
      await bystander.page.context().clearCookies({ name: /^example-corp/ })
      await bystander.page.reload()
      await heading(bystander.page, 'Telephone list')
    })

    test('by a sign-out everywhere ends it on the other device', async () => {
      const [here, elsewhere] = [await arrive(), await arrive()]
      const theirs = await openAll(elsewhere.page)
      const { page } = here
      await page.getByRole('link', { name: 'On all devices' }).click()
      await page.getByRole('link', { name: 'Stay signed in' }).click()
      await heading(page, 'Telephone list')
      await page.getByRole('link', { name: 'On all devices' }).click()
      await heading(page, 'Sign out?')
      assert.deepEqual(await axeFindings(page), [])
      await page.getByLabel('Also on all my other devices').check()
      await page.getByRole('button', { name: 'Sign out' }).click()
      await heading(page, 'You are signed out')
      await page.getByText('all your other devices, too').waitFor()
      assert.deepEqual(await axeFindings(page), [])
      assert.deepEqual(await theirs.over(), ALL_OVER)
      // The provider would let her in again without asking.
      await elsewhere.page.context().clearCookies({ name: /^example-corp/ })
      await assertNothingBehind(elsewhere.page)
      await signIn(elsewhere.page, 'alice')
      await heading(elsewhere.page, 'Telephone list')
    })

    test('by a sign-out in one tab ends what the others have open', async () => {
      const alice = await arrive()
      const mine = await openAll(alice.page)
      const tab = await alice.openTab()
      await tab.goto(at('/basic'))
      await tab.getByRole('link', { name: 'Sign out' }).click()
      await heading(tab, 'You are signed out')
      assert.deepEqual(await mine.over(), ALL_OVER)
      await assertNothingBehind(alice.page)
    })
  })
}
