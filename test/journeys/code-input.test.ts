import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import {
  acrAt,
  assertSays,
  comparedIn,
  hasField,
  OTP,
  openCodePage,
  startStill,
  typeCode,
} from '../support/code-page.ts'
import type { Client } from '../support/cookie-jar.ts'
import { ALICE, type World } from '../support/world.ts'

describe('what comes in place of a code', () => {
  let world: World
  let browser: Client
  let url: URL
  before(async () => {
    world = await startStill()
    browser = (await openCodePage(world, 'alice')).browser
    url = new URL(OTP, world.url)
  })
  after(() => world.close())

  test('is told as such on the page, counts no attempt and breaks nothing', async () => {
    const forms: readonly (string | Record<string, string>)[] = [
      '',
      {},
      { code: '' },
      { code: '   ' },
      { other: '123456' },
      { code: '12345' },
      { code: '1234567' },
      { code: '1'.repeat(10_000) },
      { code: '١٢٣٤٥٦' },
      { code: '１２３４５６' },
      { code: 'abcdef' },
      { code: "' OR 1=1 --" },
      { code: '<script>alert(1)</script>' },
      { code: '12345\0' },
      'code[]=123456&code[0]=123456',
      'code=%ff%fe%00',
      'code=%',
      '&&&===',
    ]
    for (const form of forms) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const page = await browser.post(url, form, { headers })
      const shown = JSON.stringify(form).slice(0, 60)
      assert.equal(page.status, 422, shown)
      assertSays(page, 'otp.notice.not-a-code')
      assert.ok(hasField(page), shown)
      assert.doesNotMatch(page.text(), /<script>alert/)
    }
    assert.equal(comparedIn(world), 0)
  })

  test('in another form than ours is refused with a page', async () => {
    const code = world.codeFor(ALICE)
    const bodies: readonly [string, string][] = [
      ['application/json', JSON.stringify({ code })],
      ['text/plain', `code=${code}`],
      [
        'multipart/form-data; boundary=x',
        `--x\r\nContent-Disposition: form-data; name="code"\r\n\r\n${code}\r\n--x--`,
      ],
      ['application/xml', '<code/>'],
      ['', `code=${code}`],
    ]
    for (const [type, body] of bodies) {
      const page = await browser.post(url, body, { headers: { 'content-type': type } })
      assert.equal(page.status, 415, type)
      assertSays(page, 'bad-request.form')
    }
    assert.equal(comparedIn(world), 0)
  })

  test('is refused when it is huge, however it comes', async () => {
    for (const size of [17 * 1024, 200 * 1024]) {
      const page = await browser.post(url, { code: '1'.repeat(size) })
      assert.equal(page.status, 413)
      assertSays(page, 'bad-request.form')
    }
    assert.match(await postWithoutEnd(), /^HTTP\/1\.1 413 /)
    assert.equal(comparedIn(world), 0)
  })

  test('by other methods changes nothing', async () => {
    const code = world.codeFor(ALICE)
    for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      const page = await browser.request(method, url, { form: { code } })
      assert.equal(page.status, 405, method)
    }
    await browser.get(`${url.href}?code=${'9'.repeat(6)}`)
    assert.equal((await browser.get(new URL(`${OTP}/resend`, world.url))).status, 405)
    assert.equal(comparedIn(world), 0)
    assert.equal(world.messages().length, 1)
  })

  test('from another site is refused, also from a sibling host', async () => {
    const code = world.codeFor(ALICE)
    for (const path of ['', '/resend', '/number']) {
      for (const headers of [
        { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
        { origin: 'https://evil.example', 'sec-fetch-site': undefined },
        { 'sec-fetch-site': 'same-site' },
        { origin: 'null', 'sec-fetch-site': undefined },
      ]) {
        const page = await browser.post(`${url.href}${path}`, { code }, { headers })
        assert.equal(page.status, 403, `${path} ${JSON.stringify(headers)}`)
        assertSays(page, 'bad-request.cross-site')
      }
    }
    assert.equal(comparedIn(world), 0)
    assert.equal(world.messages().length, 1)
  })

  test('pasted with spaces is the code', async () => {
    const code = world.codeFor(ALICE)
    const pasted = ` ${code.slice(0, 3)} ${code.slice(3)}\n`
    assert.equal((await typeCode(world, browser, pasted)).status, 303)
    assert.equal(await acrAt(world, browser), 'twilio_sms')
  })

  /** A chunked form that never ends: what is answered before its end. */
  async function postWithoutEnd(): Promise<string> {
    const socket = connect(Number(world.url.port), world.url.hostname)
    const cookies = Object.entries(browser.cookies(world.url))
    socket.write(
      `POST ${OTP} HTTP/1.1\r\nHost: ${world.url.host}\r\nTransfer-Encoding: chunked\r\n` +
        'Content-Type: application/x-www-form-urlencoded\r\nAccept: text/html\r\n' +
        `Cookie: ${cookies.map(([name, value]) => `${name}=${value}`).join('; ')}\r\n\r\n`,
    )
    const chunk = 'x'.repeat(20_000)
    socket.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`)
    const answer = await new Promise<string>((resolve, reject) => {
      socket.once('data', (data) => resolve(data.toString()))
      socket.once('error', reject)
    })
    socket.destroy()
    return answer
  }
})
