import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { after, before, describe, it } from 'node:test'
import type { AxeResults } from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { loadPageSet } from '../../proxy/page-set.ts'
import { launchBrowser } from '../support/browser.ts'
import { SAMPLE_PATHS, type SampleServer, serveSamples } from './sample-server.ts'

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const BRAND = { name: 'Acme', supportContact: 'it@acme.example or +49 30 1234567' }

const VIEWS = [
  { width: 360, colorScheme: 'light' },
  { width: 360, colorScheme: 'dark' },
  { width: 1280, colorScheme: 'dark' },
  { width: 1280, colorScheme: 'light' },
] as const

// What a width or a colour scheme can change; all else of a page is the same in every view.
const SEEN = ['color-contrast', 'link-in-text-block', 'target-size', 'scrollable-region-focusable']

describe('every page in every state', () => {
  let browser: Browser
  let server: SampleServer
  let page: Page
  let axe: string
  const refused: string[] = []

  before(async () => {
    axe = await readFile(AXE, 'utf8')
    server = await serveSamples(await loadPageSet({ brand: BRAND }))
    browser = await launchBrowser()
    page = await browser.newPage()
    // Pages that go on by themselves are looked at as they are while they can't.
    await page.route(/\/(?:going|send)-on\.js/, (route) =>
      route.fulfill({ contentType: 'text/javascript', body: '' }),
    )
    page.on('console', (message) => {
      if (message.type() === 'error') refused.push(`${page.url()}: ${message.text()}`)
    })
  })
  after(async () => {
    await browser?.close()
    await server?.close()
  })

  const problems = async (rules?: readonly string[]) => {
    // Evaluated, not injected: the page's own Content-Security-Policy stays in force.
    if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe)
    const { violations } = await page.evaluate(
      (runOnly): Promise<AxeResults> =>
        Reflect.get(globalThis, 'axe').run({
          resultTypes: ['violations'],
          ...(runOnly !== undefined && { runOnly }),
        }),
      rules,
    )
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
  }
  // States that differ in their words alone look alike in all views but the narrow one.
  const shapes = new Set<string>()
  const viewsOf = async () => {
    const shape = [...(await page.content()).matchAll(/<[a-z]\w*|class="[^"]*"/g)].join()
    if (shapes.has(shape)) return VIEWS.slice(0, 1)
    shapes.add(shape)
    return VIEWS
  }
  const overflow = () =>
    page.evaluate(() => {
      const { scrollWidth, clientWidth } = Reflect.get(globalThis, 'document').documentElement
      return scrollWidth - clientWidth
    })

  for (const path of SAMPLE_PATHS) {
    it(`has nothing that axe finds: ${path}`, async () => {
      await page.goto(server.origin + path)
      for (const [index, { width, colorScheme }] of (await viewsOf()).entries()) {
        await page.setViewportSize({ width, height: 800 })
        await page.emulateMedia({ colorScheme })
        const found = await problems(index === 0 ? undefined : SEEN)
        assert.deepEqual(found, [], `${width} px, ${colorScheme}`)
      }
    })

    it(`needs no sideways scrolling on a narrow or zoomed screen in German: ${path}`, async () => {
      await page.setViewportSize({ width: 320, height: 500 })
      await page.goto(`${server.origin}${path}?lang=de`)
      assert.equal(await overflow(), 0)
    })
  }

  it('keeps to its own Content-Security-Policy', () => {
    assert.deepEqual(refused, [])
  })

  for (const color of ['#ffe100', '#101010', '#ffffff', '#e4002b']) {
    it(`stays readable in ${color}`, async () => {
      const branded = await serveSamples(await loadPageSet({ brand: { ...BRAND, color } }))
      try {
        for (const path of ['/samples/otp/4', '/samples/choose-number/1', '/samples/no-number/0']) {
          await page.goto(branded.origin + path)
          for (const colorScheme of ['light', 'dark'] as const) {
            await page.emulateMedia({ colorScheme })
            assert.deepEqual(await problems(), [], `${path}, ${colorScheme}`)
          }
        }
      } finally {
        await branded.close()
      }
    })
  }
})
