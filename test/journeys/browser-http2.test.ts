import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { launchBrowser } from '../support/browser.ts'
import { freePort } from '../support/free-port.ts'
import { testClient } from '../support/relying-party.ts'
import { createCertificate } from '../support/slapd-certificate.ts'
import { heading, newVisitor, signIn, typeCode } from '../support/visitor.ts'
import { ALICE, startWorld } from '../support/world.ts'

test('a person comes in over HTTP/2, from the first page to the last', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'stepgate-browser-'))
  t.after(() => rm(folder, { recursive: true }))
  const { cert, key } = await createCertificate(folder, 'IP:127.0.0.1')
  const url = new URL(`https://127.0.0.1:${await freePort()}`)
  const world = await startWorld({
    env: {
      STEPGATE_PUBLIC_URL: url.origin,
      STEPGATE_LISTEN: url.host,
      STEPGATE_TLS_CERT_FILE: cert,
      STEPGATE_TLS_KEY_FILE: key,
    },
    // Asking needs a client that takes this certificate.
    waitForProvider: false,
  })
  t.after(() => world.close())
  world.provider.putClient({
    ...testClient,
    redirect_uris: [new URL('/_stepgate/callback', url).href],
    post_logout_redirect_uris: [new URL('/_stepgate/signed-out', url).href],
  })
  const browser = await launchBrowser()
  t.after(() => browser.close())
  // No authority that this browser knows has issued the certificate.
  const visitor = await newVisitor(browser, { ignoreHTTPSErrors: true })
  t.after(() => visitor.leave())
  const { page } = visitor
  const protocols = () =>
    page.evaluate(() =>
      performance
        .getEntries()
        .flatMap((entry) => ('nextHopProtocol' in entry ? [String(entry.nextHopProtocol)] : [])),
    )
  const isAllHttp2 = async () => {
    const seen = await protocols()
    return seen.length > 0 && seen.every((protocol) => protocol === 'h2')
  }

  await page.goto(new URL('/payroll', url).href)
  await signIn(page, 'alice')
  await heading(page, 'Enter your code')
  assert.ok(await isAllHttp2())
  assert.equal(await page.locator('#code').evaluate((field) => field.matches(':focus')), true)
  await typeCode(page, world.codeFor(ALICE))
  await page.waitForURL(new URL('/payroll', url).href)
  await heading(page, 'Payslip of alice')
  assert.ok(await isAllHttp2())

  await page.goto(new URL('/whoami', url).href)
  const { headers } = JSON.parse((await page.locator('pre').textContent()) ?? '')
  assert.equal(headers['x-forwarded-user'], 'alice')
  assert.equal(headers.forwarded, `for=127.0.0.1;host="${url.host}";proto=https`)
  assert.doesNotMatch(headers.cookie ?? '', /stepgate/)
})
