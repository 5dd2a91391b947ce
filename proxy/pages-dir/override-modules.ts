import { existsSync } from 'node:fs'
import { type ResolveHookContext, registerHooks } from 'node:module'
import { join, posix } from 'node:path'
import { pathToFileURL } from 'node:url'

type Next = (specifier: string, context?: Partial<ResolveHookContext>) => { url: string }

/** Imports modules by their path in the pages folder, such as `otp.ts`. */
export type OverridingImporter = {
  /** What the module exports; rejects with what it throws. */
  load(path: string): Promise<Readonly<Record<string, unknown>>>
  /** The file that stands for this path. */
  fileOf(path: string): string
  /** Whether anything imported the module at this path so far. */
  isUsed(path: string): boolean
  /** Ends the effect on imports; what was imported goes on working. */
  close(): void
}

const BUILT_IN = 'stepgate/pages/'
let generations = 0

/**
 * Lets the modules of one folder stand in for those of the same path in another, for all imports
 * between them: a replaced layout is everybody's layout. A replacing module finds packages and what
 * it imports relatively but does not have (`./layout.ts`) in the built-in pages, and the original of
 * anything as `stepgate/pages/layout.ts`. Each importer has modules of its own.
 */
export function overrideModules(builtInDir: string, overridesDir: string): OverridingImporter {
  generations += 1
  const tag = `?pages=${generations}`
  const entry = `stepgate-pages-${generations}:`
  /** Path in the pages folder by the URL of the module that stands for it. */
  const paths = new Map<string, string>()
  const builtInUrl = pathToFileURL(join(builtInDir, 'page.ts')).href

  const resolveFile = (file: string, path: string, next: Next) => {
    const url = next(pathToFileURL(file).href).url + tag
    paths.set(url, path)
    return { url, shortCircuit: true }
  }
  const fileOf = (path: string) =>
    variants(path)
      .map((variant) => join(overridesDir, variant))
      .find(existsSync) ?? join(builtInDir, path)

  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier.startsWith(entry)) {
        const path = specifier.slice(entry.length)
        return resolveFile(fileOf(path), path, next)
      }
      const parent = paths.get(context.parentURL ?? '')
      if (parent === undefined) return next(specifier, context)
      if (specifier.startsWith(BUILT_IN)) {
        const path = posix.normalize(specifier.slice(BUILT_IN.length))
        return resolveFile(join(builtInDir, path), path, next)
      }
      if (specifier.startsWith('.')) {
        const path = posix.join(posix.dirname(parent), specifier)
        const file = fileOf(path)
        if (!path.startsWith('..') && existsSync(file)) return resolveFile(file, path, next)
        return next(specifier, context)
      }
      try {
        return next(specifier, context)
      } catch {
        return next(specifier, { ...context, parentURL: builtInUrl })
      }
    },
  })
  return {
    load: (path) => import(entry + path),
    fileOf,
    isUsed: (path) => [...paths.values()].some((used) => variants(used).includes(path)),
    close: () => hooks.deregister(),
  }
}

/** The file names that may stand for a module of the built-in pages. */
function variants(path: string): readonly string[] {
  const stem = path.replace(/\.(?:ts|m?js)$/, '')
  return [`${stem}.ts`, `${stem}.js`, `${stem}.mjs`]
}
