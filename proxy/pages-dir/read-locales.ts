import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { checkMessages, type Messages, parseMessages } from './messages.ts'
import { PagesDirError } from './pages-dir-error.ts'

/** Sentences by language tag: the built-in ones, with those of a folder over them. */
export async function readLocales(
  builtInDir: string,
  overridesDir: string | undefined,
): Promise<ReadonlyMap<string, Messages>> {
  const locales = new Map<string, Messages>()
  for (const file of await jsonFiles(builtInDir)) locales.set(tagOf(file), await read(file))
  const english = locales.get('en') ?? new Map()
  for (const file of overridesDir === undefined ? [] : await jsonFiles(overridesDir)) {
    const messages = await read(file)
    const problem = checkMessages(messages, english)
    if (problem !== undefined) throw new PagesDirError(file, problem)
    const tag = tagOf(file)
    locales.set(tag, new Map([...(locales.get(tag) ?? []), ...messages]))
  }
  return locales
}

async function read(file: string): Promise<Messages> {
  const messages = parseMessages(await readFile(file, 'utf8'))
  if ('problem' in messages) throw new PagesDirError(file, messages.problem)
  return messages
}

async function jsonFiles(dir: string): Promise<readonly string[]> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new PagesDirError(dir, 'can’t be read', error)
  })
  return names.filter((name) => name.endsWith('.json')).map((name) => join(dir, name))
}

function tagOf(file: string): string {
  const name = basename(file, '.json')
  try {
    const [tag = name] = Intl.getCanonicalLocales(name)
    return tag
  } catch (error) {
    throw new PagesDirError(file, `must be named after a language, like pt-BR.json`, error)
  }
}
