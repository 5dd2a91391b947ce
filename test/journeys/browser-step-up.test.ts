import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { axeFindings } from '../support/axe.ts'
import { launchBrowser } from '../support/browser.ts'
import { type Place, startReplicas } from '../support/replicas.ts'
import { heading, newVisitor, signIn, typeCode, type Visitor } from '../support/visitor.ts'
import { ALICE, startWorld } from '../support/world.ts'

const RULES = 'public /payroll.css; basic /challenge /salaries; twilio_sms /**'

async function overSqlite(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'stepgate-step-up-'))
  const store = `sqlite:${join(folder, 'stepgate.db')}`
  const world = await startWorld({ env: { STEPGATE_STORE: store, STEPGATE_RULES: RULES } })
  return {
    ...world,
    async close() {
      await world.close()
      await rm(folder, { recursive: true })
    },
  }
}

for (const [kind, open] of Object.entries({
  SQLite: overSqlite,
  'three replicas on Redis': () => startReplicas(RULES),
})) {
  describe(`an application that asks for a code by itself, over ${kind}`, () => {
    let browser: Browser
    let place: Place
    const visitors: Visitor[] = []
    before(async () => {
      place = await open()
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

    async function visit(path: string, options = {}): Promise<Page> {
      const visitor = await newVisitor(browser, options)
      visitors.push(visitor)
      await visitor.page.goto(at(path))
      await signIn(visitor.page, 'alice')
      return visitor.page
    }
    async function visitSalaries(options = {}): Promise<Page> {
      const page = await visit('/salaries', options)
      await heading(page, 'Salary table')
      await page.waitForFunction('window.stepgate')
      return page
    }

    const save = async (page: Page, salary: string) => {
      await page.getByLabel("Alice's new salary").fill(salary)
      await page.getByRole('button', { name: 'Save' }).click()
    }
    const saved = (page: Page, text: string) => page.locator('#saved', { hasText: text }).waitFor()
    const goOn = async (page: Page, name = 'Continue'): Promise<Page> => {
      const opened = page.waitForEvent('popup')
      await page.getByRole('link', { name }).click()
      return opened
    }
    const posts = () =>
      place.application
        .requests()
        .filter(({ method, url }) => method === 'POST' && url === '/challenge')

    test('a page: the code page instead of its refusal, and then the page', async () => {
      const page = await visit('/challenge?max_age=600')
      await heading(page, 'Enter your code')
      const refused = place.application.requests().filter(({ url }) => url.startsWith('/challenge'))
      assert.equal(refused.length, 1)
      await typeCode(page, place.codeFor(ALICE))
      await heading(page, 'Salary change')
      assert.equal(page.url(), at('/challenge?max_age=600'))
      await page.goto(at('/challenge?always=yes'))
      await heading(page, 'Not allowed')
    })

    test('a script: a dialog, the code in a window of its own, and the same request again', async () => {
      const before = posts().length
      const page = await visitSalaries()
      await save(page, '4500')
      const dialog = page.getByRole('dialog', { name: 'One more step' })
      await dialog.waitFor()
      const popup = await goOn(page)
      await heading(popup, 'Enter your code')
      const closed = popup.waitForEvent('close')
      await typeCode(popup, place.codeFor(ALICE))
      await closed
      await saved(page, 'Saved: 4500')
      assert.equal(await dialog.count(), 0)
      const sent = posts().slice(before)
      assert.deepEqual(
        sent.map(({ body, headers }) => [body, headers['x-stepgate-acr']]),
        [
          ['salary=4500', 'basic'],
          ['salary=4500', 'twilio_sms'],
        ],
      )
      await save(page, '4600')
      await saved(page, 'Saved: 4600')
    })

    test('a form: the code page, and then its result at its own address', async () => {
      const page = await visitSalaries()
      const before = posts().length
      await page.evaluate(`{
        const form = document.createElement('form')
        Object.assign(form, { method: 'post', action: '/challenge' })
        form.innerHTML = '<textarea name="note">für alle\\n& mehr</textarea>'
        document.body.append(form)
        form.submit()
      }`)
      await heading(page, 'Enter your code')
      await typeCode(page, place.codeFor(ALICE))
      await heading(page, 'Thank you!')
      assert.equal(page.url(), at('/challenge'))
      const sent = posts().slice(before)
      const body = 'note=f%C3%BCr+alle%0D%0A%26+mehr'
      assert.deepEqual(
        sent.map(({ body, headers }) => [body, headers['x-stepgate-acr']]),
        [
          [body, 'basic'],
          [body, 'twilio_sms'],
        ],
      )
      await page.reload()
      await heading(page, 'This was sent already')
      assert.equal(posts().length, before + 2)
    })

    // The rest is the browser's affair, wherever things are stored.
    if (open !== overSqlite) return

    test('the dialog stays while the window comes and goes, and can be cancelled', async () => {
      const before = posts().length
      const page = await visitSalaries({ locale: 'de-DE' })
      await save(page, '1')
      const dialog = page.getByRole('dialog', { name: 'Noch ein Schritt' })
      await dialog.waitFor()
      assert.deepEqual(await axeFindings(page), [])
      const popup = await goOn(page, 'Weiter')
      await heading(popup, 'Code eingeben')
      await popup.close()
      await dialog.getByRole('status').filter({ hasText: 'von selbst' }).waitFor()
      await dialog.getByRole('button', { name: 'Abbrechen' }).click()
      await saved(page, 'Not saved')
      assert.equal(await dialog.count(), 0)

      await save(page, '2')
      await dialog.waitFor()
      await page.keyboard.press('Escape')
      await saved(page, 'Not saved')
      // Without a person's doing it does not come again.
      const status = await page.evaluate(async () => {
        Object.defineProperty(navigator, 'userActivation', { value: { isActive: false } })
        return (await fetch('/challenge', { method: 'POST', body: 'salary=3' })).status
      })
      assert.equal(status, 401)
      assert.deepEqual(
        posts()
          .slice(before)
          .map(({ body }) => body),
        ['salary=1', 'salary=2', 'salary=3'],
      )
    })

    test('one dialog serves all requests, and a code that was typed in another tab too', async () => {
      const page = await visitSalaries()
      const all = page.evaluate(async () => {
        const request = new Request('/challenge', { method: 'PUT', body: 'a' })
        const other = { method: 'POST', body: new Blob(['b']) }
        const answers = [fetch(request), fetch(new URL(request.url), other)]
        return (await Promise.all(answers)).map(({ status }) => status)
      })
      await page.getByRole('dialog').waitFor()
      assert.equal(await page.getByRole('dialog').count(), 1)
      const tab = await visitors.at(-1)?.openTab()
      assert.ok(tab)
      await tab.goto(at('/challenge'))
      await typeCode(tab, place.codeFor(ALICE))
      await heading(tab, 'Salary change')
      await page.evaluate("dispatchEvent(new Event('focus'))")
      assert.deepEqual(await all, [200, 200])
    })

    test('requests that need nothing pass as they are, and stepUp serves what is no fetch', async () => {
      const page = await visitSalaries()
      const plain = await page.evaluate(async () => {
        const own = await fetch('/salaries', { headers: { 'X-Some': 'thing' } })
        const elsewhere = await fetch('http://127.0.0.1:9/').catch((error) => error.name)
        const refused = await fetch('http://[').catch((error) => error.name)
        return [own.status, elsewhere, refused]
      })
      assert.deepEqual(plain, [200, 'TypeError', 'TypeError'])
      assert.equal(place.application.requests().at(-1)?.headers['x-some'], 'thing')

      const done = page.evaluate(() =>
        Reflect.get(globalThis, 'stepgate').stepUp('/_stepgate/step-up?max_age=60'),
      )
      const popup = await goOn(page)
      await heading(popup, 'Enter your code')
      await typeCode(popup, place.codeFor(ALICE))
      assert.equal(await done, true)
    })

    test('somebody whose session has ended signs in in the window, and sends what she has typed', async () => {
      const page = await visitSalaries()
      await page.context().clearCookies()
      await save(page, '5000')
      const popup = await goOn(page)
      const closed = popup.waitForEvent('close')
      await signIn(popup, 'alice')
      await closed
      await page.getByText('One more step').waitFor()
      const code = await goOn(page)
      await typeCode(code, place.codeFor(ALICE))
      await saved(page, 'Saved: 5000')
    })

    test('what one person typed is not sent by another who signs in in the window', async () => {
      const page = await visitSalaries()
      // Who it is is known before anything is refused.
      await Promise.all([page.waitForResponse(at('/_stepgate/session')), page.reload()])
      await page.context().clearCookies()
      const before = posts().length
      await save(page, '6000')
      const popup = await goOn(page)
      const closed = popup.waitForEvent('close')
      await signIn(popup, 'bob')
      await closed
      await saved(page, 'Not saved')
      assert.equal(await page.getByRole('dialog').count(), 0)
      assert.equal(posts().length, before)
    })

    test('a window that has done its part before the dialog is there is remembered', async () => {
      const page = await visitSalaries()
      let release = () => {}
      const released = new Promise<void>((resolve) => {
        release = resolve
      })
      await page.route('**/step-up.css', async (route) => {
        await released
        await route.continue()
      })
      const asked = page.waitForRequest('**/step-up.css')
      const status = page.evaluate(async () => (await fetch('/challenge')).status)
      await asked
      const tab = await visitors.at(-1)?.openTab()
      assert.ok(tab)
      await tab.goto(at('/challenge'))
      await typeCode(tab, place.codeFor(ALICE))
      await heading(tab, 'Salary change')
      await page.evaluate("dispatchEvent(new Event('focus'))")
      assert.equal(await status, 200)
      release()
      assert.equal(await page.getByRole('dialog').count(), 0)
    })

    test('whatever is in the way of the dialog, fetch has the answer that there is', async () => {
      const page = await visitSalaries()
      const statusOf = (method: string) =>
        page.evaluate(async (method) => (await fetch('/challenge', { method })).status, method)
      // Without a body nobody knows where to go on.
      assert.equal(await statusOf('HEAD'), 401)
      for (const path of ['session', 'step-up/texts']) {
        await page.route(`**/_stepgate/${path}`, (route) => route.abort())
        assert.equal(await statusOf('GET'), 401, path)
        await page.unrouteAll()
      }
      await page.evaluate('document.body.remove()')
      assert.equal(await statusOf('GET'), 401)
    })

    test('a window is opened on this host alone', async () => {
      const page = await visitSalaries()
      const stepUp = (url: string) =>
        page.evaluate((url) => Reflect.get(globalThis, 'stepgate').stepUp(url), url)
      assert.equal(await stepUp('https://evil.example/x'), false)
      const done = stepUp(`${place.url.origin}//evil.example/x`)
      const link = page.getByRole('dialog').getByRole('link')
      const href = await link.evaluate((element) => Reflect.get(element, 'href'))
      assert.ok(href.startsWith(`${place.url.origin}//evil.example/x?`), href)
      await page.getByRole('button', { name: 'Cancel' }).click()
      assert.equal(await done, false)
    })
  })
}
