import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { SAMPLES } from '../../pages/samples.ts'
import { loadPageSet } from '../../proxy/page-set.ts'
import { PagesDirError } from '../../proxy/pages-dir/pages-dir-error.ts'

const brand = { name: 'Acme' }
const request = { requestId: 'r-1' }
const otp = SAMPLES.otp[0]?.props as (typeof SAMPLES.otp)[number]['props']

describe('page set', () => {
  let root: string
  const folder = async (files: Readonly<Record<string, string>>) => {
    const dir = await mkdtemp(join(root, 'pages-'))
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(dir, name)), { recursive: true })
      await writeFile(join(dir, name), content)
    }
    return dir
  }
  const load = async (files: Readonly<Record<string, string>>, more = {}) =>
    loadPageSet({ brand: { ...brand, ...more }, pagesDir: await folder(files) })
  const refuses = (files: Readonly<Record<string, string>>, message: RegExp, more = {}) =>
    assert.rejects(load(files, more), (error) => {
      assert.ok(error instanceof PagesDirError)
      assert.equal(error.code, 'pages_dir_invalid')
      assert.match(error.message, message)
      return true
    })

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'page-set-'))
  })
  after(() => rm(root, { recursive: true }))

  describe('without a folder', () => {
    it('speaks the visitor’s language', async () => {
      const pages = await loadPageSet({ brand })
      const german = await pages.render(
        'not-found',
        { ...request, acceptLanguage: 'de-CH, en;q=0.7' },
        {},
      )
      assert.match(german, /<html lang="de" dir="ltr">[\s\S]*Seite nicht gefunden/)
      const asked = { ...request, uiLocales: 'en', acceptLanguage: 'de' }
      assert.match(await pages.render('not-found', asked, {}), /<html lang="en"/)
    })

    it('has assets under paths that change with their content', async () => {
      const pages = await loadPageSet({ brand })
      const markup = await pages.render('otp', request, otp)
      const paths = [...markup.matchAll(/"\/_stepgate\/assets\/([^"?]+)\?v=([0-9a-f]{12})"/g)]
      assert.equal(paths.length >= 5, true)
      for (const [, name = '', hash] of paths) assert.equal(pages.asset(name)?.hash, hash, name)
      const other = await loadPageSet({ brand: { ...brand, color: '#ff0000' } })
      assert.notEqual(other.asset('brand.css')?.hash, pages.asset('brand.css')?.hash)
      assert.equal(pages.asset('otp.js')?.contentType, 'text/javascript; charset=utf-8')
    })

    it('serves nothing but what it read at start', async () => {
      const pages = await loadPageSet({ brand })
      for (const name of [
        '',
        '.',
        '..',
        '../page.ts',
        '..%2fpage.ts',
        '../locales/en.json',
        '/etc/passwd',
        'otp.js/',
        'OTP.JS',
        'constructor',
        '__proto__',
      ]) {
        assert.equal(pages.asset(name), undefined, name)
      }
    })

    it('keeps its scripts small', async () => {
      const pages = await loadPageSet({ brand })
      assert.ok((pages.asset('otp.js')?.body.length ?? Infinity) < 3000)
      assert.ok((pages.asset('step-up.js')?.body.length ?? Infinity) < 3000)
      assert.ok((pages.asset('delivery.js')?.body.length ?? Infinity) < 2000)
    })

    it('refuses a logo that is no URL and no file', async () => {
      await assert.rejects(
        loadPageSet({ brand: { ...brand, logo: 'logo.png' } }),
        /STEPGATE_BRAND_LOGO/,
      )
    })
  })

  describe('with a folder', () => {
    it('takes a page from it, in TypeScript, with packages and built-in parts', async () => {
      const pages = await load({
        'otp.ts': `import { html } from 'hono/html'
          import type { PageFrame } from './page.ts'
          import { layout } from './layout.ts'
          import { notice } from './parts/notice.ts'
          export function render(frame: PageFrame, props: { lastDigits: string }) {
            return layout(frame, { title: 'Mine', icon: 'phone', body: [
              html\`<p>to \${props.lastDigits}</p>\`, notice('info', 'n', [frame.t('otp.submit')])] })
          }`,
      })
      const markup = await pages.render('otp', request, { ...otp, lastDigits: '<9' })
      assert.match(markup, /<title>Mine · Acme<\/title>[\s\S]*<p>to &lt;9<\/p>[\s\S]*Confirm/)
      assert.match(await pages.render('not-found', request, {}), /Page not found/)
    })

    for (const name of ['otp.js', 'otp.mjs']) {
      it(`takes ${name} for the page of that name`, async () => {
        const pages = await load({
          [name]: `import { html } from 'hono/html'\nexport const render = () => html\`<p>mine</p>\``,
        })
        assert.equal(await pages.render('otp', request, otp), '<p>mine</p>')
        assert.equal(pages.asset(name)?.body.includes('mine') ?? false, false)
      })
    }

    it('puts its layout around every page, and lets it use the original', async () => {
      const pages = await load({
        'layout.ts': `import { layout as original } from 'stepgate/pages/layout.ts'
          import { badge } from './badge.ts'
          export const layout = (frame, page) => original(frame, { ...page, body: [badge, ...page.body] })`,
        'badge.ts': `import { html } from 'hono/html'\nexport const badge = html\`<p class="badge">Mine</p>\``,
      })
      for (const name of ['otp', 'denied'] as const) {
        const markup = await pages.render(name, request, SAMPLES[name][0]?.props as never)
        assert.match(markup, /<!doctype html>[\s\S]*<p class="badge">Mine<\/p>/)
      }
    })

    it('does not touch the pages of another set in the same process', async () => {
      await load({
        'otp.js': `import { html } from 'hono/html'\nexport const render = () => html\`mine\``,
      })
      const pages = await loadPageSet({ brand })
      assert.match(await pages.render('otp', request, otp), /Enter your code/)
    })

    it('reads files behind links, as Kubernetes mounts them', async () => {
      const data = await folder({
        'otp.js': `import { layout } from './layout.ts'\nexport const render = (frame) => layout(frame, { title: 'Linked', icon: 'phone', body: [] })`,
      })
      const dir = await folder({})
      await symlink(data, join(dir, '..data'))
      await symlink(join('..data', 'otp.js'), join(dir, 'otp.js'))
      const pages = await loadPageSet({ brand, pagesDir: dir })
      assert.match(await pages.render('otp', request, otp), /Linked/)
    })

    it('merges sentences, and adds languages with what they lack in English', async () => {
      const pages = await load({
        'locales/en.json': '{"otp.submit":"Let me in","mine.extra":"x"}',
        'locales/ar.json': '{"otp.submit":"تأكيد"}',
      })
      assert.match(
        await pages.render('otp', request, otp),
        />Let me in<[\s\S]*>Send the code again</,
      )
      const arabic = await pages.render('otp', { ...request, acceptLanguage: 'ar-EG' }, otp)
      assert.match(arabic, /<html lang="ar" dir="rtl">[\s\S]*>تأكيد<[\s\S]*>Send the code again</)
      const german = await pages.render('otp', { ...request, acceptLanguage: 'de' }, otp)
      assert.match(german, />Bestätigen</)
      assert.equal(pages.frame(request).t('mine.extra'), 'x')
    })

    it('replaces and adds assets, from beside the pages or from their own folder', async () => {
      const pages = await load(
        {
          'stepgate.css': 'body{}',
          'logo.svg': '<svg/>',
          'assets/otp.js': '// mine',
          'assets/logo.svg': '<svg id="own"/>',
          'notes.txt': 'private',
          'locales/en.json': '{}',
        },
        { logo: 'logo.svg' },
      )
      assert.equal(pages.asset('stepgate.css')?.body.toString(), 'body{}')
      assert.equal(pages.asset('otp.js')?.body.toString(), '// mine')
      assert.equal(pages.asset('logo.svg')?.body.toString(), '<svg id="own"/>')
      assert.equal(pages.asset('notes.txt'), undefined)
      assert.equal(pages.asset('en.json'), undefined)
      assert.match(
        await pages.render('not-found', request, {}),
        /<img class="logo" src="\/_stepgate\/assets\/logo\.svg\?v=/,
      )
      assert.match(pages.logo ?? '', /^\/_stepgate\/assets\/logo\.svg/)
    })
  })

  describe('refuses at start, with the name of the file,', () => {
    it('a page without its function', () =>
      refuses({ 'otp.ts': 'export const page = 1' }, /otp\.ts: must export a function "render/))

    it('a page that throws when it is loaded, or is no program', async () => {
      await refuses({ 'otp.js': 'throw new Error("boom")' }, /otp\.js: can’t be loaded: boom/)
      await refuses({ 'otp.ts': 'export function render( {' }, /otp\.ts: can’t be loaded/)
      await refuses(
        { 'otp.js': 'import "./nowhere.js"\nexport const render = 1' },
        /otp\.js: can’t be loaded: .*nowhere/,
      )
    })

    it('a page that throws for one of its states', () =>
      refuses(
        {
          'locked.js': `import { html } from 'hono/html'
            export const render = (frame, props) => { if (props.kind === 'locked') throw new Error('boom'); return html\`x\` }`,
        },
        /the page "locked" \(locked\) can’t be shown: boom/,
      ))

    it('a page that returns text that nobody escaped', () =>
      refuses(
        { 'denied.js': 'export const render = (frame, props) => "<p>" + props.reason' },
        /"denied".*must return what html/,
      ))

    it('a page that asks for an asset that is not there', () =>
      refuses(
        {
          'denied.js': `import { html } from 'hono/html'\nexport const render = (frame) => html\`\${frame.asset('gone.png')}\``,
        },
        /There is no asset "gone\.png"/,
      ))

    it('a module that takes no page’s place and that none imports', () =>
      refuses(
        { 'opt.ts': 'export const render = 1' },
        /opt\.ts: replaces no page.*pages are otp, /,
      ))

    it('sentences that are no JSON, misspelt or lack a place', async () => {
      await refuses({ 'locales/de.json': '{' }, /locales\/de\.json: is not JSON/)
      await refuses(
        { 'locales/de.json': '{"otp.sumbit":"x"}' },
        /de\.json: "otp\.sumbit" is not a key/,
      )
      await refuses(
        { 'locales/fr.json': '{"otp.lead":"Entrez le code {digits}"}' },
        /fr\.json: "otp\.lead" lacks \{length\}/,
      )
      await refuses({ 'locales/not a language.json': '{}' }, /must be named after a language/)
    })

    it('a folder that is not there', () =>
      assert.rejects(loadPageSet({ brand, pagesDir: join(root, 'gone') }), {
        code: 'pages_dir_invalid',
      }))

    it('a logo that is not in it', () =>
      refuses({ 'a.svg': '<svg/>' }, /there is no image "logo\.svg"/, { logo: 'logo.svg' }))
  })
})
