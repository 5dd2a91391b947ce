import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** This checkout. */
export const ROOT = join(import.meta.dirname, '../..')

/** What the image gets from the build context: each source, and its place below /app. */
export function copiedFiles(): { from: string; to: string }[] {
  return instructions('COPY')
    .filter((words) => !words[0]?.startsWith('--from='))
    .flatMap((words) => {
      const to = words.at(-1) ?? ''
      const sources = words.slice(0, -1)
      return sources.map((from) => ({ from, to: to === './' ? `./${from}` : to }))
    })
}

/** The words after each instruction of this name, of all stages in order. */
export function instructions(name: string): string[][] {
  const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8').replace(/\\\n\s*/g, '')
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `))
    .map((line) => line.slice(name.length + 1).split(/\s+/))
}
