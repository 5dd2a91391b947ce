import { readdirSync, readFileSync } from 'node:fs'
import { errorCode } from '../error-code.ts'

/** What the configuration reads from disk; both throw Node's errors with their `code`. */
export type Files = {
  /** The whole file as UTF-8. */
  readonly read: (path: string) => string
  /** The names in a folder. */
  readonly list: (path: string) => readonly string[]
}

/** The real file system. */
export const nodeFiles: Files = {
  read: (path) => readFileSync(path, 'utf8'),
  list: (path) => readdirSync(path),
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'stepgate may not read it',
  EPERM: 'stepgate may not read it',
  EISDIR: 'it is a folder',
  ENOTDIR: 'it is not a folder',
}

/** Says which path could not be read and why, with the errno: `/run/x can't be read: … (ENOENT)`. */
export function unreadable(path: string, error: unknown): string {
  const code = errorCode(error) ?? 'unknown error'
  const reason = REASONS[code]
  return `${JSON.stringify(path)} can't be read: ${reason ? `${reason} (${code})` : code}`
}
