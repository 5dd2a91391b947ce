import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { PagesDirError } from './pages-dir-error.ts'

/** A file that pages refer to. `hash` changes with its content and is safe in a URL. */
export type Asset = { readonly body: Buffer; readonly contentType: string; readonly hash: string }

const TYPES: Readonly<Record<string, string>> = {
  '.avif': 'image/avif',
  '.css': 'text/css; charset=utf-8',
  '.gif': 'image/gif',
  '.ico': 'image/x-icon',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webp': 'image/webp',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
}

/** The asset that a file name and its content make. */
export function toAsset(name: string, body: Buffer): Asset {
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 12)
  return { body, contentType: TYPES[extname(name)] ?? 'application/octet-stream', hash }
}

/**
 * Reads the files of the kinds that pages can use (not those in `except`), by name; none when
 * there is no such folder. What is served later is only ever looked up by these names.
 */
export async function readAssets(
  dir: string,
  except: readonly string[] = [],
): Promise<ReadonlyMap<string, Asset>> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new PagesDirError(dir, 'can’t be read', error)
  })
  const usable = names.filter((name) => extname(name) in TYPES && !except.includes(extname(name)))
  const read = async (name: string) => {
    const file = join(dir, name)
    const body = await readFile(file).catch((error: unknown) => {
      throw new PagesDirError(file, 'can’t be read', error)
    })
    return [name, toAsset(name, body)] as const
  }
  return new Map(await Promise.all(usable.map(read)))
}
