import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Html, PageFrame } from '../../pages/page.ts'
import type { PageName, PageProps } from '../../pages/page-props.ts'
import { SAMPLES } from '../../pages/samples.ts'
import { type OverridingImporter, overrideModules } from './override-modules.ts'
import { PagesDirError, problemOf } from './pages-dir-error.ts'

/** The function that each page module exports as `render`. */
export type RenderPage<Name extends PageName> = (frame: PageFrame, props: PageProps[Name]) => Html

export type Pages = { readonly [Name in PageName]: RenderPage<Name> }

const NAMES = Object.keys(SAMPLES) as readonly PageName[]

/**
 * The pages by name, with the modules of `overridesDir` in place of those of the same name.
 * Throws `PagesDirError` for a module that fails, exports no `render` or takes no page's place.
 */
export async function loadPages(
  builtInDir: string,
  overridesDir: string | undefined,
): Promise<Pages> {
  const importer =
    overridesDir === undefined
      ? plainImporter(builtInDir)
      : overrideModules(builtInDir, overridesDir)
  try {
    const pages: Partial<Record<PageName, unknown>> = {}
    for (const name of NAMES) pages[name] = await loadPage(importer, name)
    if (overridesDir !== undefined) await refuseUnused(importer, overridesDir)
    return pages as Pages
  } finally {
    importer.close()
  }
}

async function loadPage(importer: OverridingImporter, name: PageName): Promise<unknown> {
  const path = `${name}.ts`
  const module = await importer.load(path).catch((error: unknown) => {
    throw new PagesDirError(importer.fileOf(path), `can’t be loaded: ${problemOf(error)}`, error)
  })
  if (typeof module.render === 'function') return module.render
  throw new PagesDirError(importer.fileOf(path), 'must export a function "render(frame, props)"')
}

// A misspelt name would otherwise be a page that never shows.
async function refuseUnused(importer: OverridingImporter, dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!/\.(?:ts|m?js)$/.test(name) || name.endsWith('.d.ts') || name === 'page.ts') continue
    if (importer.isUsed(name)) continue
    const known = `pages are ${NAMES.join(', ')}`
    throw new PagesDirError(join(dir, name), `replaces no page, and none imports it; ${known}`)
  }
}

function plainImporter(dir: string): OverridingImporter {
  const fileOf = (path: string) => join(dir, path)
  return {
    load: (path) => import(fileOf(path)),
    fileOf,
    isUsed: () => true,
    close: () => {},
  }
}
