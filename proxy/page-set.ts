import { readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { brandStylesheet } from '../pages/brand-stylesheet.ts'
import type { PageFrame } from '../pages/page.ts'
import type { PageName, PageProps } from '../pages/page-props.ts'
import { SAMPLES } from '../pages/samples.ts'
import type { Config } from './config/config.ts'
import { type AskedLanguages, chooseLanguage } from './pages-dir/choose-language.ts'
import { loadPages, type Pages, type RenderPage } from './pages-dir/load-pages.ts'
import { translator } from './pages-dir/messages.ts'
import { PagesDirError, problemOf } from './pages-dir/pages-dir-error.ts'
import { type Asset, readAssets, toAsset } from './pages-dir/read-assets.ts'
import { readLocales } from './pages-dir/read-locales.ts'

/** What a page needs to know of the request that it answers. */
export type FrameRequest = AskedLanguages & { readonly requestId: string }

/** Everything that people see, read once at start. */
export type PageSet = {
  /** The page as a whole HTML document. */
  render<Name extends PageName>(
    name: Name,
    request: FrameRequest,
    props: PageProps[Name],
  ): Promise<string>
  /** Language, sentences and brand for one request. */
  frame(request: FrameRequest): PageFrame
  /** A file under `/_stepgate/assets/`; undefined for what was not there at start. */
  asset(name: string): Asset | undefined
  /** The logo as pages refer to it, for the Content-Security-Policy. */
  readonly logo: string | undefined
}

const BUILT_IN = join(import.meta.dirname, '../pages')
const ASSETS = '/_stepgate/assets/'

/**
 * Reads pages, sentences and assets, with the files of `pagesDir` in place of those of the same
 * name, and tries replaced pages with every sample. Throws `PagesDirError`, which names the file.
 */
export async function loadPageSet(config: Pick<Config, 'brand' | 'pagesDir'>): Promise<PageSet> {
  const { name, color, supportContact } = config.brand
  const dir = config.pagesDir === undefined ? undefined : await openDir(config.pagesDir)
  const pages = await loadPages(BUILT_IN, dir)
  const locales = await readLocales(join(BUILT_IN, 'locales'), dir && join(dir, 'locales'))
  const assets = await loadAssets(color, dir)
  const english = locales.get('en') ?? new Map()
  const logo = logoSource(config.brand.logo, assets, dir)

  const shared = {
    brand: {
      name,
      ...(logo !== undefined && { logo }),
    },
    ...(supportContact !== undefined && { supportContact }),
    asset: (name: string) => assetPath(name, assets),
  }
  const frames = new Map(
    [...locales].map(([lang, messages]) => [
      lang,
      { ...shared, lang, dir: directionOf(lang), t: translator(lang, messages, english) },
    ]),
  )
  const languages = [...locales.keys()]

  const frame = (request: FrameRequest): PageFrame => {
    const chosen = frames.get(chooseLanguage(languages, request))
    if (chosen === undefined) throw new Error('The English sentences are missing')
    return { ...chosen, requestId: request.requestId }
  }
  if (dir !== undefined) await tryPages(pages, frame, dir)
  return {
    frame,
    asset: (name) => assets.get(name),
    logo,
    render: async (name, request, props) => renderPage(name, pages[name], frame(request), props),
  }
}

async function renderPage<Name extends PageName>(
  name: Name,
  page: RenderPage<Name>,
  frame: PageFrame,
  props: PageProps[Name],
): Promise<string> {
  const markup = await page(frame, props)
  // A plain string would be text that nobody escaped.
  if (markup?.isEscaped !== true) {
    throw new TypeError(`the page "${name}" must return what html\`…\` of hono/html makes`)
  }
  return markup.toString()
}

async function tryPages(
  pages: Pages,
  frame: (request: FrameRequest) => PageFrame,
  dir: string,
): Promise<void> {
  const trial = async <Name extends PageName>(name: Name) => {
    for (const { state, props } of SAMPLES[name]) {
      await renderPage(name, pages[name], frame({ requestId: 'trial' }), props).catch(
        (error: unknown) => {
          const problem = `the page "${name}" (${state}) can’t be shown: ${problemOf(error)}`
          throw new PagesDirError(dir, problem, error)
        },
      )
    }
  }
  for (const name of Object.keys(SAMPLES) as PageName[]) await trial(name)
}

async function openDir(path: string): Promise<string> {
  try {
    const dir = await realpath(path)
    await readdir(dir)
    return dir
  } catch (error) {
    throw new PagesDirError(path, 'can’t be read as a folder', error)
  }
}

async function loadAssets(
  color: string | undefined,
  dir: string | undefined,
): Promise<ReadonlyMap<string, Asset>> {
  const brand = toAsset('brand.css', Buffer.from(brandStylesheet(color)))
  const builtIn = await readAssets(join(BUILT_IN, 'assets'))
  if (dir === undefined) return new Map([...builtIn, ['brand.css', brand]])
  // Scripts beside the pages are pages.
  const beside = await readAssets(dir, ['.js'])
  const own = await readAssets(join(dir, 'assets'))
  return new Map([...builtIn, ['brand.css', brand], ...beside, ...own])
}

function assetPath(name: string, assets: ReadonlyMap<string, Asset>): string {
  const asset = assets.get(name)
  if (asset === undefined) throw new Error(`There is no asset "${name}"`)
  return `${ASSETS}${encodeURIComponent(name)}?v=${asset.hash}`
}

function logoSource(
  logo: string | undefined,
  assets: ReadonlyMap<string, Asset>,
  dir: string | undefined,
): string | undefined {
  if (logo === undefined || /^(?:https:\/\/|data:image\/)/i.test(logo)) return logo
  if (assets.has(logo)) return assetPath(logo, assets)
  throw new PagesDirError(dir ?? '', `there is no image "${logo}" for STEPGATE_BRAND_LOGO`)
}

function directionOf(lang: string): 'ltr' | 'rtl' {
  return new Intl.Locale(lang).getTextInfo().direction === 'rtl' ? 'rtl' : 'ltr'
}
