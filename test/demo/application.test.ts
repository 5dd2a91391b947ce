import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { type DemoApplication, startApplication } from '../../demo/application.ts'
import { type Client, createClient } from '../support/cookie-jar.ts'
import { submitForm } from '../support/form.ts'

describe("the demo's application", () => {
  let application: DemoApplication
  let client: Client

  before(async () => {
    application = await startApplication({ port: 0 })
  })
  after(() => application.close())
  beforeEach(() => {
    client = createClient()
  })
  afterEach(() => client.close())

  const at = (path: string) => new URL(path, application.url)
  const lastRequest = () => application.requests().at(-1) ?? assert.fail('no request')

  it('shows who it was told the visitor is, escaped, and that it knows nobody', async () => {
    const stranger = await client.get(at('/'))
    assert.match(stranger.text(), /Nobody told this server who you are/)
    const name = Buffer.from('Zoë <b>').toString('latin1')
    const told = await client.get(at('/'), {
      headers: { 'X-Forwarded-User': name, 'X-Stepgate-Auth-Time': '1700000000' },
    })
    assert.match(told.text(), /Welcome, Zoë &lt;b&gt;!/)
    assert.match(told.text(), /2023-11-14 22:13:20 UTC/)
    assert.match(told.text(), /href="\/_stepgate\/sign-out"/)
  })

  it('keeps a cookie of its own', async () => {
    await client.get(at('/'))
    assert.match((await client.get(at('/'))).text(), /opened this page 2 times/)
  })

  it('shows what was posted, and only as text', async () => {
    const note = 'Grüße & <script>alert(1)</script>'
    const answer = await submitForm(client, await client.get(at('/')), { note })
    assert.match(answer.text(), /<pre id="received">Grüße &amp; &lt;script&gt;/)
    assert.equal(new URLSearchParams(lastRequest().body).get('note'), note)
  })

  it('answers its pages to GET and HEAD, and 404 to what it does not know', async () => {
    for (const path of ['/', '/payroll', '/admin', '/basic', '/public', '/board', '/payroll.css']) {
      assert.equal((await client.get(at(path))).status, 200, path)
      const head = await client.request('HEAD', at(path))
      assert.deepEqual([head.status, head.body.length], [200, 0], path)
    }
    assert.equal((await client.get(at('/nowhere'))).status, 404)
    assert.equal((await client.post(at('/payroll'), {})).status, 404)
  })

  it('repeats any request in JSON as it saw it', async () => {
    const answer = await client.request('PATCH', at('/whoami?a=1&b=%2F'), {
      headers: { 'X-Twice': ['one', 'two'], 'X-Once': 'one' },
      form: 'Grüße',
    })
    const seen = answer.json()
    assert.deepEqual(Object.keys(seen), ['method', 'url', 'headers', 'body'])
    assert.equal(seen.method, 'PATCH')
    assert.equal(seen.url, '/whoami?a=1&b=%2F')
    assert.equal(seen.body, 'Grüße')
    assert.deepEqual(seen.headers['x-twice'], ['one', 'two'])
    assert.equal(seen.headers['x-once'], 'one')
  })

  it('tells apart headers of two spellings, and repeats of one name in two cases', async () => {
    const socket = connect(Number(application.url.port), '127.0.0.1')
    socket.end(
      'GET /whoami HTTP/1.1\r\nHost: a\r\nX-User: 1\r\nx-user: 2\r\nX_User: 3\r\n' +
        'Connection: close\r\n\r\n',
    )
    await once(socket.resume(), 'close')
    const { headers, rawHeaders } = lastRequest()
    assert.deepEqual(headers['x-user'], ['1', '2'])
    assert.equal(headers.x_user, '3')
    assert.ok(rawHeaders.includes('X-User') && rawHeaders.includes('x-user'))
  })

  it('reads headers and bodies that are not UTF-8 as Latin-1', async () => {
    await client.request('POST', at('/whoami'), {
      headers: { 'X-Name': 'Gr\xf6\xdfe' },
      form: Buffer.from('Gr\xf6\xdfe', 'latin1'),
    })
    assert.equal(lastRequest().headers['x-name'], 'Größe')
    assert.equal(lastRequest().body, 'Größe')
    assert.deepEqual(lastRequest().bytes, Buffer.from('Gr\xf6\xdfe', 'latin1'))
  })

  it('asks for a code as RFC 9470 says, until the request says that there was one', async () => {
    const refused = await client.get(at('/challenge?max_age=900'))
    assert.equal(refused.status, 401)
    assert.equal(
      refused.headers.get('www-authenticate'),
      'Bearer error="insufficient_user_authentication", ' +
        'error_description="Changing a salary needs a code by SMS", ' +
        'acr_values="twilio_sms", max_age="900"',
    )
    const basic = { headers: { 'X-Stepgate-Acr': 'basic' } }
    assert.equal((await client.get(at('/challenge'), basic)).status, 401)
    const proved = { headers: { 'X-Stepgate-Acr': 'twilio_sms' } }
    assert.equal((await client.get(at('/challenge'), proved)).status, 200)
    assert.equal((await client.get(at('/challenge?always=yes'), proved)).status, 401)
    assert.equal((await client.get(at('/challenge?max_age=900'), proved)).status, 401)
    for (const [age, status] of [
      [800, 200],
      [1000, 401],
    ] as const) {
      const time = String(Math.floor(Date.now() / 1000) - age)
      const headers = { ...proved.headers, 'X-Stepgate-Otp-Time': time }
      assert.equal((await client.get(at('/challenge?max_age=900'), { headers })).status, status)
    }
    const posted = await client.post(at('/challenge'), { note: 'plus 10 %' }, proved)
    assert.match(posted.text(), /plus 10 %/)
  })

  it('sends events one by one', async () => {
    const answer = await client.get(at('/events?count=3&interval=1'))
    assert.equal(answer.headers.get('content-type'), 'text/event-stream')
    const ticks = answer.text().match(/^data: .*$/gm)
    assert.deepEqual(ticks, ['data: {"tick":1}', 'data: {"tick":2}', 'data: {"tick":3}'])
  })

  it('sends a download of the length asked for', async () => {
    for (const bytes of [0, 1, 65_536, 200_000]) {
      const answer = await client.get(at(`/download?bytes=${bytes}`))
      assert.equal(answer.headers.get('content-length'), String(bytes))
      assert.equal(answer.body.length, bytes)
    }
    assert.equal((await client.get(at('/download?bytes=99999999999999'))).status, 400)
  })

  it('counts and hashes an upload without keeping it', async () => {
    const file = Buffer.alloc(12 * 1024 * 1024, 'x')
    const answer = await client.request('PUT', at('/upload'), { form: file })
    const sha256 = createHash('sha256').update(file).digest('hex')
    assert.deepEqual(answer.json(), { bytes: file.length, sha256 })
    assert.equal(lastRequest().bytes.length, 0)
    assert.equal(lastRequest().complete, true)
    const refused = await client.get(at('/upload'))
    assert.deepEqual([refused.status, refused.headers.get('allow')], [405, 'POST, PUT'])
  })

  it('notes an upload that breaks off', async () => {
    const sent = request(at('/upload'), { method: 'POST', headers: { 'content-length': 10 } })
    sent.on('error', () => {})
    sent.write('12345')
    await until(() => lastRequest().headers['content-length'] === '10')
    const closed = new Promise((resolve) => sent.once('close', resolve))
    sent.destroy()
    await closed
    assert.equal((await client.get(at('/public'))).status, 200)
    assert.equal(application.requests().at(-2)?.complete, false)
  })

  it('keeps at most 10 MB of a body', async () => {
    const answer = await client.request('POST', at('/form'), { form: Buffer.alloc(10_485_761) })
    assert.equal(answer.status, 413)
    assert.equal(lastRequest().bytes.length, 0)
    const allowed = await client.request('POST', at('/whoami'), { form: Buffer.alloc(10_485_760) })
    assert.equal(allowed.status, 200)
  })

  it('forgets the oldest requests when their bodies take too much room', async () => {
    for (let count = 0; count < 6; count += 1) {
      await client.request('POST', at('/whoami'), { form: Buffer.alloc(10_000_000) })
    }
    const kept = application.requests().reduce((sum, { bytes }) => sum + bytes.length, 0)
    assert.equal(kept, 50_000_000)
  })

  it('answers late when asked to', async () => {
    assert.deepEqual((await client.get(at('/slow?ms=1'))).json(), { slow: true })
  })
})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate)
}
