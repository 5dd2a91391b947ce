import { readFile } from 'node:fs/promises'
import { unreadable } from '../config/files.ts'

/** What files held together at one time, in the order of their paths; or why one can't be read. */
export type Contents =
  | { readonly kind: 'read'; readonly texts: readonly string[] }
  | { readonly kind: 'unreadable'; readonly problem: string }

/**
 * Reads small files every `every` ms and says what they hold once they hold something else than
 * `known` or than what was said last, and the same twice in a row: two files are rarely replaced at
 * one moment. It is told about by content, not by notices of the file system: those differ between a
 * file written in place, one renamed over it, and a folder that a symlink no longer points to, and
 * some volumes have none. Answers what ends the watch.
 */
export function watchFiles(
  paths: readonly string[],
  known: readonly string[],
  every: number,
  onChange: (contents: Contents) => void,
): () => void {
  let said = fingerprint({ kind: 'read', texts: known })
  let before = said
  let timer: NodeJS.Timeout
  let ended = false

  async function look(): Promise<void> {
    const contents = await readAll(paths)
    if (ended) return
    const now = fingerprint(contents)
    const settled = now === before
    before = now
    if (settled && now !== said) {
      said = now
      onChange(contents)
    }
    wait()
  }
  function wait(): void {
    timer = setTimeout(look, every).unref()
  }
  wait()
  return () => {
    ended = true
    clearTimeout(timer)
  }
}

async function readAll(paths: readonly string[]): Promise<Contents> {
  const texts: string[] = []
  for (const path of paths) {
    try {
      texts.push(await readFile(path, 'utf8'))
    } catch (error) {
      return { kind: 'unreadable', problem: unreadable(path, error) }
    }
  }
  return { kind: 'read', texts }
}

function fingerprint(contents: Contents): string {
  return JSON.stringify(contents)
}
