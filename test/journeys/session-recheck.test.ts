import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type Client, createClient, type Page } from '../support/cookie-jar.ts'
import { rawRequest } from '../support/raw-exchange.ts'
import { type Redis, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { framesOf, handshake } from '../support/web-socket.ts'
import { startWorld, type World } from '../support/world.ts'
import { rawClient } from '../upstream/sockets.ts'
import { acrOf, SESSION, signIn } from './steps.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const RULES = 'basic /board groups=hr; basic /events groups=hr; basic /**'
const XHR = { headers: { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' } }
const OLD_SECRET = 'canary-older-session-secret-b61f0e2d-58a3'
const NEW_SECRET = 'canary-newer-session-secret-09cd7e44-1fb2'

/** Three replicas over one Redis; the first is the world's own. */
describe('a session that is rechecked', { timeout: 60_000 }, () => {
  let redis: Redis
  let world: World
  let addresses: readonly URL[]
  let browser: Client
  before(async () => {
    redis = await startRedis()
    world = await startWorld({
      env: {
        STEPGATE_STORE: redis.url,
        STEPGATE_RULES: RULES,
        STEPGATE_SESSION_SECRET: OLD_SECRET,
        STEPGATE_SESSION_IDLE: '2h',
      },
    })
    addresses = [world.url, await world.replica(), await world.replica()]
  })
  after(async () => {
    await world.close()
    await redis.stop()
  })
  beforeEach(async () => {
    world.provider.resume()
    world.provider.setDisabled('alice', false)
    world.provider.setClaims('alice', {})
    browser = createClient()
    await signIn(world, browser, { path: '/whoami' })
  })

  const use = (n: number, who = browser, path = '/whoami', options = {}): Promise<Page> =>
    who.get(new URL(path, addresses[n % 3]), options)
  const groupsAt = async (n: number, who = browser) =>
    (await use(n, who)).json().headers['x-forwarded-groups']
  const ownCookies = (who: Client) =>
    Object.keys(who.cookies(world.url)).filter((name) => name.startsWith(SESSION))
  const ended = () => world.logs('session.ended').map(({ reason }) => reason)
  const refreshes = () => world.provider.requestCount('/token')

  it('has its new groups at every replica, by one question, also by an old cookie', async () => {
    const asked = refreshes()
    const old = browser.copy()
    world.provider.setClaims('alice', { groups: ['auditors'] })
    assert.equal(await groupsAt(1, old), 'hr,staff')
    world.turnClock(5 * MINUTE)
    assert.equal((await use(0)).status, 200)
    await until(async () => (await groupsAt(0)) === 'auditors')
    world.turnClock(30 * SECOND)
    const seen = await Promise.all(Array.from({ length: 60 }, (_, n) => groupsAt(n, old)))
    assert.deepEqual([...new Set(seen)], ['auditors'])
    assert.equal((await use(1, browser, '/board')).status, 403)
    assert.equal(refreshes(), asked + 1)
  })

  it('goes on for 60 requests at once over all replicas, and asks the provider once', async () => {
    for (let round = 1; round <= 2; round++) {
      const asked = refreshes()
      world.turnClock(6 * MINUTE)
      const pages = await Promise.all(Array.from({ length: 60 }, (_, n) => use(n)))
      assert.deepEqual([...new Set(pages.map(({ status }) => status))], [200])
      assert.equal(refreshes(), asked + 1)
    }
  })

  it('of an account that is disabled ends after five and a half minutes, everywhere', async () => {
    const before = ended().length
    const idle = browser.copy()
    world.provider.setDisabled('alice', true)
    assert.equal((await use(0)).status, 200)
    world.turnClock(5.5 * MINUTE)
    assert.equal((await use(2, idle)).location?.origin, world.provider.issuer.origin)
    assert.equal((await use(2, idle, '/whoami', XHR)).status, 401)
    for (let n = 0; n < 3; n++) {
      await until(async () => (await use(n)).status === 302)
      assert.equal(await acrOf(world, browser), undefined)
    }
    assert.deepEqual(ended().slice(before), ['refused'])
  })

  it('of an idle person is rechecked before the first request, however late', async () => {
    world.provider.setDisabled('alice', true)
    world.turnClock(100 * MINUTE)
    assert.equal((await use(1)).status, 302)
    world.provider.setDisabled('alice', false)
    await signIn(world, browser, { path: '/whoami' })
    world.provider.setClaims('alice', { groups: ['back'] })
    world.turnClock(100 * MINUTE)
    assert.equal(await groupsAt(2), 'back')
  })

  it('goes on for the grace while the provider is down, and is whole when it comes back', async () => {
    const before = ended().length
    world.provider.pause()
    world.turnClock(6 * MINUTE)
    for (let n = 0; n < 6; n++) assert.equal((await use(n)).status, 200)
    world.turnClock(20 * MINUTE)
    assert.equal((await use(0)).status, 200)
    world.provider.resume()
    world.turnClock(MINUTE)
    let looks = 0
    await until(async () => {
      // A question that was on its way may still fail, and then it is left alone for a while.
      if (++looks % 10 === 0) world.turnClock(MINUTE / 2 + 1)
      assert.equal((await use(0)).status, 200)
      return world.logs().some(({ msg }) => /rechecked again/.test(`${msg}`))
    })
    world.turnClock(20 * MINUTE)
    assert.equal((await use(0)).status, 200)

    world.provider.pause()
    world.turnClock(70 * MINUTE)
    assert.equal((await use(1)).status, 302)
    assert.deepEqual(ended().slice(before), [])
  })

  it('is not lost with an answer of the provider, whose next word would be a refusal', async () => {
    const before = ended().length
    world.provider.pause('lose')
    world.turnClock(6 * MINUTE)
    assert.equal((await use(0)).status, 200)
    world.provider.resume()
    world.turnClock(MINUTE)
    for (let n = 0; n < 6; n++) assert.equal((await use(n)).status, 200)
    assert.deepEqual(ended().slice(before), [])
    world.turnClock(59 * MINUTE)
    for (let n = 0; n < 3; n++) assert.equal((await use(n)).status, 302)
  })

  it('takes its WebSockets and streams with it: without a request, and when its groups no longer do', async () => {
    const cookieOf = (who: Client) => `Cookie: stepgate=${who.cookies(world.url)[SESSION]}`
    const open = async (t: Parameters<typeof rawClient>[0], n: number, who: Client) => {
      const hello = handshake('/board', [`Origin: ${world.url.origin}`, cookieOf(who)])
      const client = rawClient(t, Number(addresses[n]?.port), hello)
      await client.until((text) => text.includes('101 Switching'))
      return client
    }
    const openStream = async (t: Parameters<typeof rawClient>[0], n: number, who: Client) => {
      const lines = ['Host: app.example.com', cookieOf(who)]
      const request = rawRequest('GET /events?interval=600000 HTTP/1.1', lines)
      const client = rawClient(t, Number(addresses[n]?.port), request)
      await client.until((text) => text.includes('text/event-stream'))
      return client
    }
    const closers: (() => void)[] = []
    const t = { after: (close: () => void) => void closers.push(close) } as never
    const reasonsOf = (event: string, skip = 0) =>
      world
        .logs(event)
        .map(({ reason }) => reason)
        .slice(skip)
    const before = reasonsOf('websocket.closed').length
    const cutBefore = reasonsOf('request.cut').length
    const reasons = () => [
      reasonsOf('websocket.closed', before),
      reasonsOf('request.cut', cutBefore),
    ]
    const sockets = [await open(t, 0, browser), await open(t, 1, browser)]
    const streams = [await openStream(t, 0, browser), await openStream(t, 2, browser)]
    world.provider.setClaims('alice', { groups: ['staff'] })
    world.turnClock(5 * MINUTE)
    for (const { ended } of sockets) {
      assert.match(framesOf((await ended).text), /Session ended/)
    }
    for (const { ended } of streams) await ended
    assert.deepEqual(reasons(), [
      ['not_allowed', 'not_allowed'],
      ['not_allowed', 'not_allowed'],
    ])
    assert.equal((await use(0)).status, 200)

    world.provider.setClaims('alice', {})
    const other = createClient()
    await signIn(world, other, { path: '/whoami' })
    const again = [await open(t, 0, other), await open(t, 2, other)]
    const stream = await openStream(t, 1, other)
    world.provider.setDisabled('alice', true)
    world.turnClock(5 * MINUTE)
    for (const { ended } of again) assert.match(framesOf((await ended).text), /Session ended/)
    await stream.ended
    assert.deepEqual(
      reasons().map((all) => all.slice(2)),
      [['revoked', 'revoked'], ['revoked']],
    )
    for (const close of closers) close()
  })

  it('of somebody in 300 groups has one cookie, and goes on when the secret is rotated', async () => {
    const groups = Array.from({ length: 300 }, (_, n) => `team-${n}`)
    world.provider.setClaims('alice', { groups })
    const member = createClient()
    await signIn(world, member, { path: '/whoami' })
    assert.deepEqual(ownCookies(member), [SESSION])
    for (let n = 0; n < 3; n++) assert.equal(await groupsAt(n, member), groups.join())
    world.turnClock(30 * MINUTE)
    assert.equal(await groupsAt(2, member), groups.join())

    const secrets = `${NEW_SECRET},${OLD_SECRET}`
    const rotated = await world.replica({ STEPGATE_SESSION_SECRET: secrets })
    const before = member.cookies(world.url)[SESSION]
    for (const now of [groups, ['all', ...groups]]) {
      world.provider.setClaims('alice', { groups: now })
      const asked = refreshes()
      world.turnClock(10 * MINUTE)
      const page = await member.get(new URL('/whoami', rotated))
      assert.equal(page.json().headers['x-forwarded-groups'], now.join())
      assert.equal(refreshes(), asked + 1)
    }
    assert.notEqual(member.cookies(world.url)[SESSION], before)
    assert.deepEqual(ownCookies(member), [SESSION])
  })

  it('lets requests go on while the provider is silent', async () => {
    world.provider.pause('hang')
    world.turnClock(5 * MINUTE)
    for (let n = 0; n < 3; n++) assert.equal((await use(n)).status, 200)
    world.provider.resume()
  })
})

describe('somebody in 2,000 groups', { timeout: 60_000 }, () => {
  const groups = Array.from({ length: 2_000 }, (_, n) => `cn=team ${n},ou=groups,dc=example,dc=com`)

  async function signedIn(env: Readonly<Record<string, string>>) {
    const world = await startWorld({ env })
    world.provider.setClaims('alice', { groups: [...groups, 'hr'] })
    const browser = createClient()
    const page = await signIn(world, browser, { path: '/whoami' })
    const status = async (path: string, url = world.url) =>
      (await browser.get(new URL(path, url))).status
    const warned = () => world.logs().some(({ msg }) => /STEPGATE_OIDC_GROUPS/.test(`${msg}`))
    return { world, page, status, warned }
  }

  it('is let in by any of them, and not where the store has lost them', async () => {
    const { world, status, warned } = await signedIn({
      STEPGATE_RULES: 'basic /payroll groups=other; basic /board groups=hr; basic /**',
      STEPGATE_HEADERS: 'X-Forwarded-Groups=',
    })
    try {
      assert.equal(await status('/board'), 200)
      assert.equal(await status('/payroll'), 403)
      assert.equal(warned(), true)
      const another = await world.replica()
      assert.equal(await status('/whoami', another), 302)
    } finally {
      await world.close()
    }
  })

  it('is told to the application with those that matter', async () => {
    const { world, page, warned } = await signedIn({
      STEPGATE_RULES: 'basic /**',
      STEPGATE_OIDC_GROUPS: 'hr; *team 7,*',
    })
    try {
      const { headers } = page.json()
      const [team = ''] = groups.slice(7, 8)
      assert.equal(headers['x-forwarded-groups'], `${team.replaceAll(',', '%2C')},hr`)
      assert.equal(warned(), false)
    } finally {
      await world.close()
    }
  })
})

it('a provider that gives no refresh token is named in the log, and sessions live on', async () => {
  const world = await startWorld()
  try {
    world.provider.setRefreshTokens(false)
    const browser = createClient()
    await signIn(world, browser)
    world.provider.setDisabled('alice', true)
    world.turnClock(55 * MINUTE)
    assert.equal((await browser.get(new URL('/basic', world.url))).status, 200)
    const lines = world.logs().filter(({ msg }) => /gave no refresh token/.test(`${msg}`))
    assert.equal(lines.length, 1)
  } finally {
    await world.close()
  }
})
