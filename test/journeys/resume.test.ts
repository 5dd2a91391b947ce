import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { type Client, createClient, type Page } from '../support/cookie-jar.ts'
import { submitForm } from '../support/form.ts'
import { signInAtProvider } from '../support/sign-in.ts'
import { ALICE, startWorld, type World } from '../support/world.ts'
import { at, reached, signIn, signInWithCode } from './steps.ts'

const HOUR = 60 * 60_000
const RULES =
  'public /public; basic /basic /challenge; twilio_sms /whoami max_age=30m; deny /denied; twilio_sms /**'
const MULTIPART = 'multipart/form-data; boundary=----stepgate'

describe('a form that runs into sign-in or a code', () => {
  let world: World
  before(async () => {
    world = await startWorld({ env: { STEPGATE_RULES: RULES, STEPGATE_RESUME_MAX_BODY: '64KB' } })
  })
  after(() => world.close())

  type Sent = { path?: string; type?: string; headers?: Record<string, string | undefined> }
  const post = (browser: Client, body: string | Uint8Array, sent: Sent = {}) =>
    browser.post(at(world, sent.path ?? '/form?to=office&a=%20b'), body, {
      headers: {
        'content-type': sent.type ?? 'application/x-www-form-urlencoded',
        referer: at(world, '/').href,
        ...sent.headers,
      },
    })
  /** Through the provider, and the code page where it comes, up to the page that sends itself. */
  async function getThrough(browser: Client, page: Page, person = 'alice'): Promise<Page> {
    let current = page
    if (current.location?.origin === world.provider.issuer.origin) {
      current = await signInAtProvider(browser, current, person)
    }
    current = await browser.followAll(current)
    if (!/name="code"/.test(current.text())) return current
    return browser.followAll(await submitForm(browser, current, { code: world.codeFor(ALICE) }))
  }
  const isSendOn = ({ fields }: { fields: object }) => 'stepgate-resume' in fields
  const sendOn = (browser: Client, page: Page) => submitForm(browser, page, {}, isSendOn)
  const last = () => {
    const seen = world.application.requests().at(-1)
    assert.ok(seen)
    return seen
  }

  const FORMS: Record<string, { type: string; body: Buffer; headers?: Record<string, string> }> = {
    urlencoded: {
      type: 'application/x-www-form-urlencoded',
      body: Buffer.from('note=what+I+typed&note=twice&%E9=%'),
    },
    'multipart with a file': {
      type: MULTIPART,
      body: Buffer.concat([
        Buffer.from(
          '------stepgate\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n',
        ),
        randomBytes(40_000),
        Buffer.from('\r\n------stepgate--\r\n'),
      ]),
    },
    JSON: { type: 'application/json; charset=utf-8', body: Buffer.from('{"note":"ü"}') },
    'plain text, compressed': {
      type: 'text/plain',
      body: randomBytes(500),
      headers: { 'content-encoding': 'gzip' },
    },
    empty: { type: 'application/x-www-form-urlencoded', body: Buffer.alloc(0) },
  }
  for (const [name, { type, body, headers = {} }] of Object.entries(FORMS)) {
    test(`${name}: goes on with method, target, content type and bytes once its person is through`, async () => {
      world.turnClock(HOUR)
      const browser = createClient()
      const before = reached(world)
      const page = await getThrough(browser, await post(browser, body, { type, headers }))
      assert.equal(reached(world), before)
      const result = await sendOn(browser, page)
      assert.equal(result.status, 200)
      assert.equal(result.url.href, at(world, '/form?to=office&a=%20b').href)
      assert.equal(reached(world), before + 1)
      const seen = last()
      assert.deepEqual([seen.method, seen.url], ['POST', '/form?to=office&a=%20b'])
      assert.deepEqual(seen.bytes, body)
      assert.equal(seen.headers['content-type'], type)
      assert.equal(seen.headers['content-length'], `${body.length}`)
      assert.equal(seen.headers['content-encoding'], headers['content-encoding'])
      assert.deepEqual(
        [seen.headers.referer, seen.headers.origin],
        [at(world, '/').href, world.url.origin],
      )
      assert.equal(seen.headers['x-forwarded-user'], 'alice')
      assert.equal(seen.headers['x-stepgate-acr'], 'twilio_sms')
      assert.doesNotMatch(`${seen.headers.cookie}`, /stepgate/)

      const again = await post(browser, `stepgate-resume=${'x'.repeat(43)}`)
      assert.equal(again.status, 410)
      assert.equal(reached(world), before + 1)
    })
  }

  test('it is sent on once, however often and in how many tabs at once', async () => {
    world.turnClock(HOUR)
    const browser = createClient()
    const page = await getThrough(browser, await post(browser, 'note=once'))
    const before = reached(world)
    const all = await Promise.all(Array.from({ length: 8 }, () => sendOn(browser, page)))
    assert.deepEqual(all.map(({ status }) => status).toSorted(), [200, ...Array(7).fill(409)])
    const late = await sendOn(browser, page)
    assert.equal(late.status, 409)
    assert.match(late.text(), /sent once already/)
    const reloaded = await browser.get(page.url)
    assert.deepEqual([reloaded.status, /sent once already/.test(reloaded.text())], [409, true])
    assert.equal(reached(world), before + 1)
  })

  test('a session that has expired while somebody typed: she goes on, without the code where it is fresh', async () => {
    const browser = createClient()
    await signInWithCode(world, browser)
    world.turnClock(2 * HOUR)
    const kept = await post(browser, 'note=of+alice')
    const line = world.logs('form.kept').at(-1)
    const { subject } = world.logs('otp.verified').at(-1) ?? {}
    assert.deepEqual([line?.bytes, line?.subject], [13, subject])
    const before = reached(world)
    const page = await getThrough(browser, kept)
    assert.equal((await sendOn(browser, page)).status, 200)
    assert.equal(last().body, 'note=of+alice')
    assert.equal(reached(world), before + 1)
    assert.equal(world.logs('form.sent_on').at(-1)?.subject, subject)
  })

  test('whoever else signs in on that browser does not send it, and it is deleted', async () => {
    const browser = createClient()
    await signInWithCode(world, browser)
    world.turnClock(2 * HOUR)
    const kept = await post(browser, 'note=of+alice')
    const before = reached(world)
    const sharer = ownCookiesOf(browser)
    const page = await sharer.followAll(await signInAtProvider(sharer, kept, 'bob'))
    assert.equal(page.status, 403)
    assert.match(page.text(), /belongs to another account/)
    assert.doesNotMatch(page.text(), /alice/)
    const mine = await getThrough(browser, await browser.get(page.url))
    assert.deepEqual([mine.status, reached(world)], [410, before])
  })

  test('what was typed without a session is of whoever gets through with it first', async () => {
    world.turnClock(HOUR)
    const browser = createClient()
    const page = await getThrough(browser, await post(browser, 'note=x', { path: '/basic' }))
    const before = reached(world)
    const sharer = ownCookiesOf(browser, ({ name }) => name.includes('resume'))
    await signIn(world, sharer, { username: 'bob' })
    assert.equal((await sendOn(sharer, page)).status, 403)
    assert.equal(reached(world), before + 1)
  })

  test('another browser that knows its address learns nothing of it', async () => {
    world.turnClock(HOUR)
    const browser = createClient()
    const page = await getThrough(browser, await post(browser, 'note=x', { path: '/basic' }))
    const other = createClient()
    await signIn(world, other, { username: 'bob' })
    const before = reached(world)
    for (const answer of [await other.get(page.url), await sendOn(other, page)]) {
      assert.equal(answer.status, 410)
      assert.match(answer.text(), /no longer kept here/)
    }
    assert.equal((await sendOn(browser, page)).url.pathname, '/basic')
    assert.deepEqual([last().body, reached(world)], ['note=x', before + 1])
  })

  test('another site can neither plant one nor send one on', async () => {
    world.turnClock(HOUR)
    const browser = createClient()
    const stores = world.logs('form.kept').length
    const elsewhere = {
      'another site': { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' },
      'a sibling host': { origin: world.url.origin, 'sec-fetch-site': 'same-site' },
      'an old browser': { origin: 'https://evil.test', 'sec-fetch-site': undefined },
      'one that says nothing': { origin: undefined, 'sec-fetch-site': undefined },
      'a page without an origin': { origin: 'null', 'sec-fetch-site': undefined },
    }
    for (const [name, headers] of Object.entries(elsewhere)) {
      const answer = await post(browser, 'note=planted', { headers })
      assert.equal(answer.status, 403, name)
      assert.match(answer.text(), /Another site wanted to send a form here. It was not sent/, name)
      assert.match(answer.text(), /href="\/_stepgate\/sign-in\?return_to=/)
    }
    assert.equal(world.logs('form.kept').length, stores)
    assert.deepEqual(
      world
        .logs('request.denied')
        .slice(-5)
        .map(({ reason }) => reason),
      Array(5).fill('form_cross_site'),
    )

    const page = await getThrough(browser, await post(browser, 'note=mine'))
    const before = reached(world)
    const marker = `stepgate-resume=${page.url.searchParams.get('id')}`
    for (const [name, headers] of Object.entries(elsewhere)) {
      assert.equal((await post(browser, marker, { headers })).status, 403, name)
    }
    assert.equal(reached(world), before)
    assert.equal((await sendOn(browser, page)).status, 200)
  })

  test('it is judged again as what it is, by the session of now', async () => {
    const browser = createClient()
    await signInWithCode(world, browser)
    world.turnClock(31 * 60_000)
    const path = '/whoami?x=1'
    const page = await getThrough(browser, await post(browser, 'note=fresh', { path }))
    const before = reached(world)
    // A marker is worth nothing elsewhere, and nothing where more is asked.
    const marker = `stepgate-resume=${page.url.searchParams.get('id')}`
    assert.equal((await post(browser, marker, { path: '/denied' })).status, 403)
    assert.equal((await post(browser, marker, { path: '/basic' })).status, 410)
    world.turnClock(31 * 60_000)
    const stale = await sendOn(browser, page)
    assert.equal(reached(world), before)
    assert.equal(stale.location?.pathname, '/_stepgate/otp')
    const fresh = await getThrough(browser, stale)
    assert.equal(fresh.url.href, page.url.href)
    const result = await sendOn(browser, fresh)
    assert.deepEqual([result.status, result.json().body], [200, 'note=fresh'])
    assert.equal(reached(world), before + 1)
  })

  test('a tab each: every one sends its own', async () => {
    world.turnClock(HOUR)
    const browser = createClient()
    await signInWithCode(world, browser)
    world.turnClock(2 * HOUR)
    const notes = ['first', 'second', 'third']
    const starts = await Promise.all(notes.map((note) => post(browser, `note=${note}`)))
    const pages: Page[] = []
    for (const start of starts) pages.push(await getThrough(browser, start))
    for (const [index, page] of pages.entries()) {
      assert.match((await sendOn(browser, page)).text(), new RegExp(`>${notes[index]}<`))
    }
  })

  test('a form of the application as long as ours goes to it untouched', async () => {
    const browser = createClient()
    await signInWithCode(world, browser)
    const body = `a=${'b'.repeat(57)}`
    const answer = await post(browser, body)
    assert.deepEqual([answer.status, last().body], [200, body])
  })

  test('too large, too late and too many: a page says that it was not sent, and how to go on', async () => {
    world.turnClock(HOUR)
    const browser = createClient()
    await signIn(world, browser)
    const before = reached(world)
    const large = await post(browser, Buffer.alloc(64 * 1024 + 1))
    assert.equal(large.status, 413)
    assert.match(large.text(), /was not sent: .*at most 64KB/)
    assert.match(large.text(), /href="\/_stepgate\/otp\?return_to=%2F" target="_blank"/)
    assert.match(large.text(), /href="\/" data-back/)

    const kept = await post(browser, Buffer.alloc(64 * 1024, 'a'))
    assert.equal(kept.status, 303)
    world.turnClock(61 * 60_000)
    const late = await getThrough(browser, await browser.follow(kept))
    assert.deepEqual([late.status, /no longer kept here/.test(late.text())], [410, true])

    const { subject } = world.logs('form.kept').at(-1) ?? {}
    assert.equal(subject, world.logs('sign_in.succeeded').at(-1)?.subject)
    world.turnClock(2 * HOUR)
    const statuses: number[] = []
    for (let times = 0; times < 21; times++) statuses.push((await post(browser, 'a=b')).status)
    assert.deepEqual(statuses, [...Array(20).fill(303), 429])
    world.turnClock(61 * 60_000)
    assert.equal((await post(browser, 'a=b')).status, 303)
    assert.equal(reached(world), before)
  })

  test('a program is told what it needs, as ever, and nothing is kept', async () => {
    const kept = world.logs('form.kept').length
    const answer = await post(createClient(), '{}', { headers: { 'sec-fetch-mode': 'cors' } })
    assert.deepEqual([answer.status, answer.json().error], [401, 'sign_in_required'])
    assert.equal(world.logs('form.kept').length, kept)
  })
})

/** A browser that has some of another's cookies, of stepgate's alone. */
function ownCookiesOf(
  browser: Client,
  wanted = ({ name }: { name: string }) => /stepgate/.test(name),
) {
  const all = browser.copy()
  const cookies = all.cookieList('http://127.0.0.1/').filter(wanted)
  return createClient({ cookies })
}
