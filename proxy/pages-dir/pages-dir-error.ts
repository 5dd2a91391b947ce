/** A file in `STEPGATE_PAGES_DIR` that can't be used; the message names it. */
export class PagesDirError extends Error {
  readonly code = 'pages_dir_invalid'
  readonly file: string
  constructor(file: string, problem: string, cause?: unknown) {
    super(`STEPGATE_PAGES_DIR: ${file}: ${problem}`, cause === undefined ? {} : { cause })
    this.name = 'PagesDirError'
    this.file = file
  }
}

/** What an unknown error says of itself, on one line. */
export function problemOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replace(/\s+/g, ' ')
}
