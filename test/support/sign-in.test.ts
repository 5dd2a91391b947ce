import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { demoPeople } from '../../demo/people.ts'
import { type DemoProvider, startProvider } from '../../demo/provider.ts'
import { type Client, createClient } from './cookie-jar.ts'
import { createRelyingParty, type RelyingParty, testClient } from './relying-party.ts'
import { cancelAtProvider, signInAtProvider, signOutAtProvider } from './sign-in.ts'

describe('signing in for tests', () => {
  const callbacks: URL[] = []
  const party = createServer((request, response) => {
    const url = new URL(request.url ?? '', `http://${request.headers.host}`)
    if (url.pathname === '/start') {
      response.writeHead(302, { location: url.searchParams.get('to') ?? '' }).end()
      return
    }
    callbacks.push(url)
    response.writeHead(url.pathname === '/callback' ? 303 : 200, { location: '/home' }).end('here')
  })
  let origin: string
  let provider: DemoProvider
  let relyingParty: RelyingParty
  let client: Client

  before(async () => {
    await new Promise<void>((resolve) => party.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(party.address() as AddressInfo).port}`
    provider = await startProvider({ port: 0, clients: [], people: demoPeople })
    provider.putClient({
      ...testClient,
      redirect_uris: [`${origin}/callback`],
      post_logout_redirect_uris: [`${origin}/signed-out`],
    })
    relyingParty = await createRelyingParty(provider.issuer)
  })
  after(async () => {
    await provider.close()
    party.close()
    party.closeAllConnections()
  })
  beforeEach(() => {
    client = createClient()
  })
  afterEach(() => client.close())

  const begin = async (parameters = {}) =>
    (await relyingParty.begin({ redirect_uri: `${origin}/callback`, ...parameters })).url

  it("answers what the client's callback answered, from a redirect, an address or silently", async () => {
    const redirect = await client.get(
      `${origin}/start?${new URLSearchParams({ to: `${await begin()}` })}`,
    )
    for (const start of [redirect, await begin({ prompt: 'login' }), await begin()]) {
      const answer = await signInAtProvider(client, start, 'alice')
      assert.deepEqual([answer.status, answer.location?.pathname], [303, '/home'])
      assert.deepEqual(answer.url, callbacks.at(-1))
      assert.ok(answer.url.searchParams.has('code'))
    }
  })

  it('says so when the provider does not let the person through', async () => {
    await assert.rejects(
      signInAtProvider(client, await begin(), 'alice', 'wrong'),
      /ended at 401.*Wrong username or password/s,
    )
  })

  it("cancels, and answers what the client's callback answered", async () => {
    const answer = await cancelAtProvider(client, await begin())
    assert.equal(answer.url.searchParams.get('error'), 'access_denied')
  })

  it('signs out and comes back to the client', async () => {
    await signInAtProvider(client, await begin(), 'alice')
    const url = new URL('/sign-out', provider.issuer)
    url.searchParams.set('client_id', testClient.client_id)
    url.searchParams.set('post_logout_redirect_uri', `${origin}/signed-out`)
    const answer = await signOutAtProvider(client, url)
    assert.equal(answer.url.pathname, '/signed-out')
    assert.equal(
      (await client.get(await begin({ prompt: 'none' }))).location?.searchParams.get('error'),
      'login_required',
    )
  })
})
