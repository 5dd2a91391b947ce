import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { axeFindings } from '../support/axe.ts'
import { launchBrowser } from '../support/browser.ts'
import { type Place, startReplicas } from '../support/replicas.ts'
import { heading, newVisitor, notice, signIn, typeCode, type Visitor } from '../support/visitor.ts'
import { ALICE, startWorld, type World } from '../support/world.ts'

const HOUR = 60 * 60_000

describe('what was typed is not lost, in browsers, over SQLite', () => {
  let browser: Browser
  let folder: string
  let world: World
  const visitors: Visitor[] = []

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stepgate-resume-'))
    world = await startWorld({
      env: {
        STEPGATE_STORE: `sqlite:${join(folder, 'stepgate.db')}`,
        STEPGATE_RESUME_MAX_BODY: '64KB',
        STEPGATE_RULES:
          'public /public /payroll.css; twilio_sms POST /form; twilio_sms /whoami; basic /**',
      },
    })
    browser = await launchBrowser()
  })
  afterEach(async () => {
    for (const visitor of visitors.splice(0)) await visitor.leave()
  })
  after(async () => {
    await browser?.close()
    await world?.close()
    await rm(folder, { recursive: true })
  })

  const arrive = async (options?: BrowserContextOptions) => {
    const visitor = await newVisitor(browser, options)
    visitors.push(visitor)
    return visitor
  }
  const url = (path: string) => new URL(path, world.url).href
  const forms = () => world.application.requests().filter(({ method }) => method === 'POST')

  test('her session ends while she types, and her note arrives once, at its own address', async () => {
    const { page } = await arrive()
    await page.goto(url('/'))
    await signIn(page, 'alice')
    await heading(page, 'Welcome, alice!')
    await page.evaluate("document.cookie = 'strict=yes; SameSite=Strict'")
    world.turnClock(2 * HOUR)
    const before = forms().length
    await sendNote(page, 'Dear all,\nüber alles & more')
    await heading(page, 'Enter your code')
    await typeCode(page, world.codeFor(ALICE))
    await page.waitForURL(url('/form'))
    const seen = forms().at(-1)
    assert.ok(seen)
    const { headers, body } = seen
    assert.equal(body, 'note=Dear+all%2C%0D%0A%C3%BCber+alles+%26+more')
    assert.equal(headers['x-forwarded-user'], 'alice')
    assert.equal(headers.referer, url('/'))
    // As if it had come from the form: this one browsers send with what begins on our pages alone.
    assert.match(`${headers.cookie}`, /strict=yes/)
    assert.equal(forms().length, before + 1)

    // Again is not sent, whichever way it is asked for.
    await page.reload()
    await heading(page, 'This was sent already')
    assert.equal(page.url(), url('/form'))
    assert.deepEqual(await axeFindings(page), [])
    await page.goBack()
    await heading(page, 'This was sent already')
    assert.notEqual(page.url(), url('/form'))
    assert.equal(forms().length, before + 1)
  })

  test('files arrive byte for byte, and so does what was typed in another tab', async () => {
    const { page, openTab } = await arrive()
    const other = await openTab()
    await page.goto(url('/'))
    await signIn(page, 'alice')
    await heading(page, 'Welcome, alice!')
    await other.goto(url('/'))
    world.turnClock(2 * HOUR)
    await other.locator('#note').fill('from the other tab')
    await sendFile(page, [...Array(2048).keys()])
    await heading(page, 'Enter your code')
    await other.getByRole('button', { name: 'Send note' }).click()
    await heading(other, 'Enter your code')

    await typeCode(page, world.codeFor(ALICE))
    await page.waitForURL(url('/form'))
    const seen = forms().at(-1)
    const bytes = Buffer.from(Uint8Array.from(Array(2048).keys()))
    assert.match(`${seen?.headers['content-type']}`, /^multipart\/form-data; boundary=/)
    assert.ok(seen?.bytes.includes(bytes))
    assert.match(seen?.bytes.toString('latin1') ?? '', /filename="odd \u00c3\u00bc.bin"/)

    await other.reload()
    await other.waitForURL(url('/form'))
    assert.equal(await other.locator('#received').textContent(), 'from the other tab')
  })

  test('without JavaScript a button sends it on, in the person’s language', async () => {
    const { page } = await arrive({ javaScriptEnabled: false, locale: 'de-DE' })
    await page.goto(url('/'))
    await signIn(page, 'alice')
    await heading(page, 'Welcome, alice!')
    world.turnClock(2 * HOUR)
    const before = forms().length
    await sendNote(page, 'by hand')
    await typeCode(page, world.codeFor(ALICE))
    await heading(page, 'Einen Moment')
    assert.equal(forms().length, before)
    await page.getByRole('button', { name: 'Jetzt senden' }).dblclick()
    await page.waitForURL(url('/form'))
    await page.locator('h1').first().waitFor()
    assert.equal(forms().length, before + 1)
  })

  test('what is too large is said to be, and the way back to it keeps what was typed', async () => {
    const { page, mischief } = await arrive()
    await page.goto(url('/'))
    await signIn(page, 'alice')
    await heading(page, 'Welcome, alice!')
    const before = forms().length
    const note = 'x'.repeat(64 * 1024)
    await sendNote(page, note)
    await heading(page, 'This was not sent')
    await page.getByText('too large to be kept until then (at most 64KB)').waitFor()
    assert.deepEqual(await axeFindings(page), [])
    const tab = page.waitForEvent('popup')
    await page.getByRole('link', { name: 'Enter a code' }).click()
    const popup = await tab
    await typeCode(popup, world.codeFor(ALICE))
    await heading(popup, 'Welcome, alice!')
    await page.getByRole('link', { name: 'Back to the form' }).click()
    await heading(page, 'Welcome, alice!')
    assert.equal((await page.locator('#note').inputValue()).length, note.length)
    await page.getByRole('button', { name: 'Send note' }).click()
    await heading(page, 'Thank you!')
    assert.equal(forms().length, before + 1)
    assert.deepEqual(mischief, [])
  })

  test('the part of an address behind # survives sign-in and code, and no server sees it', async () => {
    const { page } = await arrive()
    const sent: string[] = []
    page.on('request', (request) => {
      sent.push(`${request.url().split('#', 1)} ${request.postData()}`)
    })
    await page.goto(url('/basic?q=a%20b#/chapters/7?x=canary'))
    await signIn(page, 'alice')
    await page.waitForURL(url('/basic?q=a%20b#/chapters/7?x=canary'))
    await heading(page, 'Telephone list')

    await page.goto(url('/whoami#canary'))
    await heading(page, 'Enter your code')
    await typeCode(page, '000000')
    await notice(page, 'not right')
    await typeCode(page, world.codeFor(ALICE))
    await page.waitForURL(url('/whoami#canary'))
    assert.doesNotMatch(sent.join('\n'), /canary|chapters/)
    assert.doesNotMatch(JSON.stringify(world.logs()), /canary|chapters/)
  })

  test('without JavaScript people are signed in as ever, by way of one page more', async () => {
    const { page } = await arrive({ javaScriptEnabled: false })
    await page.goto(url('/basic#chapter'))
    await signIn(page, 'alice')
    await heading(page, 'Telephone list')
    assert.equal(new URL(page.url()).pathname, '/basic')
  })

  test('a form of another site is not kept, and is told so', async () => {
    const { page } = await arrive()
    const elsewhere = 'http://elsewhere.test/'
    const body = `<form method="post" action="${url('/form')}"><input name="note" value="planted"><button>A kitten</button></form>`
    await page.route(elsewhere, (route) => route.fulfill({ contentType: 'text/html', body }))
    await page.goto(elsewhere)
    const before = forms().length
    await page.getByRole('button', { name: 'A kitten' }).click()
    await heading(page, 'This was not sent')
    await page.getByText('Another site wanted to send a form here.').waitFor()
    assert.deepEqual(await axeFindings(page), [])
    const tab = page.waitForEvent('popup')
    await page.getByRole('link', { name: 'Sign in' }).click()
    const popup = await tab
    await signIn(popup, 'alice')
    await heading(popup, 'Welcome, alice!')
    assert.equal(forms().length, before)
  })
})

describe('what was typed is not lost, in a browser, over three replicas on Redis', () => {
  let browser: Browser
  let place: Place
  before(async () => {
    place = await startReplicas('public /payroll.css; twilio_sms POST /form; basic /**')
    browser = await launchBrowser()
  })
  after(async () => {
    await browser?.close()
    await place?.close()
  })

  test('a code comes between, and her note arrives once, at its own address', async () => {
    const { page, leave } = await newVisitor(browser)
    await page.goto(new URL('/', place.url).href)
    await signIn(page, 'alice')
    await heading(page, 'Welcome, alice!')
    await sendNote(page, 'over replicas')
    await heading(page, 'Enter your code')
    await typeCode(page, place.codeFor(ALICE))
    await page.waitForURL(new URL('/form', place.url).href)
    await heading(page, 'Thank you!')
    await page.reload()
    await heading(page, 'This was sent already')
    const forms = place.application.requests().filter(({ method }) => method === 'POST')
    assert.deepEqual(
      forms.map(({ body }) => body),
      ['note=over+replicas'],
    )
    await leave()
  })
})

/** Types into the form of the application's home page, and presses its button. */
async function sendNote(page: Page, note: string): Promise<void> {
  await page.locator('#note').fill(note)
  await page.getByRole('button', { name: 'Send note' }).click()
}

/** Sends a file with such bytes by a form that is put on the page. */
async function sendFile(page: Page, bytes: readonly number[]): Promise<void> {
  const name = 'odd ü.bin'
  await page.evaluate(`{
    const form = document.createElement('form')
    Object.assign(form, { method: 'post', action: '/form', enctype: 'multipart/form-data' })
    form.innerHTML = '<input type="file" name="file">'
    const files = new DataTransfer()
    files.items.add(new File([Uint8Array.from(${JSON.stringify(bytes)})], '${name}'))
    form.firstChild.files = files.files
    document.body.append(form)
    form.submit()
  }`)
}
