import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { createClient } from './cookie-jar.ts'
import { type CookieStore, createCookieStore } from './cookie-store.ts'

describe('the cookies of the test browser', () => {
  let now: number
  let store: CookieStore
  beforeEach(() => {
    now = 1_700_000_000_000
    store = createCookieStore(() => now)
  })

  const sent = (url: string) =>
    store.matching(new URL(url)).map(({ name, value }) => `${name}=${value}`)
  const set = (url: string, header: string) => store.set(new URL(url), header)

  it('ignore ports and keep to their host', () => {
    set('http://127.0.0.1:8080/', 'a=1')
    assert.deepEqual(sent('http://127.0.0.1:9999/x'), ['a=1'])
    assert.deepEqual(sent('http://localhost:8080/'), [])
  })

  it('go to subdomains only with Domain, and never to or from a stranger', () => {
    set('https://app.example.test/', 'own=1')
    set('https://evil.example.test/', 'tossed=1; Domain=example.test')
    assert.equal(set('https://evil.example.test/', 'x=1; Domain=app.example.test'), false)
    assert.equal(set('https://evil.example.test/', 'x=1; Domain=test'), false)
    assert.deepEqual(sent('https://app.example.test/'), ['own=1', 'tossed=1'])
    assert.deepEqual(sent('https://sub.app.example.test/'), ['tossed=1'])
    assert.deepEqual(sent('https://badexample.test/'), [])
  })

  it('keep to their path, and the longer path goes first', () => {
    set('https://a.test/', 'root=1; Path=/')
    set('https://a.test/', 'deep=1; Path=/x')
    assert.deepEqual(sent('https://a.test/x/y'), ['deep=1', 'root=1'])
    assert.deepEqual(sent('https://a.test/xy'), ['root=1'])
    set('https://a.test/dir/page', 'default=1')
    assert.deepEqual(sent('https://a.test/dir/other'), ['default=1', 'root=1'])
  })

  it('need https or loopback for Secure', () => {
    assert.equal(set('http://a.test/', 's=1; Secure'), false)
    assert.equal(set('http://127.0.0.1:1/', 's=1; Secure'), true)
    assert.equal(set('https://a.test/', 's=1; Secure'), true)
    assert.deepEqual(sent('http://a.test/'), [])
    assert.equal(set('http://a.test/', 's=2'), false)
  })

  it('are held to their prefix', () => {
    const url = 'https://a.test/'
    assert.equal(set(url, '__Host-a=1; Path=/'), false)
    assert.equal(set(url, '__Host-a=1; Secure'), false)
    assert.equal(set(url, '__Host-a=1; Secure; Path=/x'), false)
    assert.equal(set(url, '__host-a=1; Secure; Path=/; Domain=a.test'), false)
    assert.equal(set(url, '__Host-a=1; Secure; Path=/'), true)
    assert.equal(set(url, '__Secure-a=1'), false)
  })

  it('end when they say so', () => {
    set('https://a.test/', 'a=1; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT')
    now += 9_999
    assert.deepEqual(sent('https://a.test/'), ['a=1'])
    now += 1
    assert.deepEqual(sent('https://a.test/'), [])
    set('https://a.test/', 'b=1')
    set('https://a.test/', 'b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT')
    assert.deepEqual(sent('https://a.test/'), [])
  })

  it('stay at home across sites as SameSite says', () => {
    const url = new URL('https://a.test/')
    for (const header of ['lax=1', 'strict=1; SameSite=Strict', 'none=1; SameSite=None; Secure']) {
      store.set(url, header)
    }
    assert.equal(store.set(url, 'n=1; SameSite=None'), false)
    const names = (safeMethod: boolean) =>
      store.matching(url, { crossSite: true, safeMethod }).map(({ name }) => name)
    assert.deepEqual(names(true), ['lax', 'none'])
    assert.deepEqual(names(false), ['none'])
  })

  it('are dropped when they are larger than 4096 bytes', () => {
    assert.equal(set('https://a.test/', `a=${'x'.repeat(4095)}`), true)
    assert.equal(set('https://a.test/', `b=${'x'.repeat(4096)}`), false)
  })
})

describe('the test browser', () => {
  const seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] =
    []
  const server = createServer(answer)
  let origin: string

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    origin = `http://a.test:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server.close()
    server.closeAllConnections()
  })

  async function answer(request: IncomingMessage, response: ServerResponse) {
    let body = ''
    for await (const chunk of request) body += chunk
    seen.push({
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body,
    })
    const { searchParams } = new URL(request.url ?? '', origin)
    const to = searchParams.get('to')
    const cookies = searchParams.getAll('cookie')
    if (cookies.length > 0) response.setHeader('set-cookie', cookies)
    if (to) response.setHeader('location', to)
    response.writeHead(Number(searchParams.get('status') ?? (to ? 302 : 200))).end('{"ok":true}')
  }
  const last = () => seen.at(-1) ?? assert.fail('nothing was asked')

  it('keeps and sends cookies, and notes those that it refused', async () => {
    const client = createClient()
    await client.get(`${origin}/?cookie=a%3D1&cookie=b%3D2%3B%20Secure`)
    const page = await client.get(`${origin}/`)
    assert.equal(last().headers.cookie, 'a=1')
    assert.deepEqual(client.cookies(origin), { a: '1' })
    assert.deepEqual(client.refusedCookies(), ['b=2; Secure'])
    assert.deepEqual(page.json(), { ok: true })
    const twin = client.copy()
    client.clearCookies()
    assert.deepEqual([client.cookies(origin), twin.cookies(origin)], [{}, { a: '1' }])
    await client.close()
    await twin.close()
  })

  it('looks like a navigation, and lets a test replace and leave out headers', async () => {
    const client = createClient({ language: 'de' })
    await client.get(origin)
    assert.equal(last().headers['sec-fetch-mode'], 'navigate')
    assert.equal(last().headers['sec-fetch-site'], 'none')
    assert.equal(last().headers['accept-language'], 'de')
    await client.get(origin, {
      headers: { Accept: 'application/json', 'Sec-Fetch-Mode': undefined },
    })
    assert.equal(last().headers.accept, 'application/json')
    assert.equal(last().headers['sec-fetch-mode'], undefined)
    await client.close()
  })

  it('follows one redirect at a time, and says honestly from which site', async () => {
    const client = createClient()
    const typed = await client.get(`${origin}/?to=/next`)
    assert.equal(typed.location?.href, `${origin}/next`)
    await client.follow(typed)
    assert.equal(last().headers['sec-fetch-site'], 'none')
    const evil = origin.replace('a.test', 'evil.test')
    const linked = await client.get(`${evil}/?to=${origin}/x`, { from: evil })
    await client.follow(linked)
    assert.equal(last().headers['sec-fetch-site'], 'cross-site')
    const port = await client.get(`${origin}/`, { from: 'http://a.test:1' })
    assert.equal(port.request.site, 'same-site')
    await assert.rejects(async () => client.follow(port), /no redirect/)
    await client.close()
  })

  it('posts forms with their origin, turns into GET after 302 and repeats after 307', async () => {
    const client = createClient()
    const posted = await client.post(`${origin}/?to=/next`, { note: 'a b' })
    assert.deepEqual([last().headers.origin, last().body], [origin, 'note=a+b'])
    await client.follow(posted)
    assert.deepEqual([last().method, last().body, last().headers.origin], ['GET', '', undefined])
    await client.follow(await client.post(`${origin}/?to=/next&status=307`, { note: 'x' }))
    assert.deepEqual([last().method, last().body], ['POST', 'note=x'])
    await client.post(origin, {}, { from: 'http://evil.test' })
    assert.equal(last().headers.origin, 'http://evil.test')
    assert.equal(last().headers['sec-fetch-site'], 'cross-site')
    await client.close()
  })

  it('follows to the end, or until told to stop, and not for ever', async () => {
    const client = createClient()
    const start = await client.get(`${origin}/?to=/%3Fto%3D/end`)
    assert.equal((await client.followAll(start)).url.pathname, '/end')
    const stopped = await client.followAll(start, ({ pathname }) => pathname === '/end')
    assert.equal(stopped.location?.pathname, '/end')
    const path = '/?to=/loop'
    server.removeAllListeners('request').on('request', (_request, response) => {
      response.writeHead(302, { location: path }).end()
    })
    await assert.rejects(client.followAll(start), /Too many redirects/)
    server.removeAllListeners('request').on('request', answer)
    await client.close()
  })

  it('reaches nothing beyond this machine', async () => {
    const client = createClient()
    await assert.rejects(client.get('http://example.com/'), /not on this machine/)
    await client.close()
  })
})
