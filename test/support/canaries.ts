import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where a whole test run keeps its logs and what must not be in them; unset for a single file. */
const folder = process.env.STEPGATE_TEST_LOGS

/** Keeps a line that a program under test wrote. */
export function keepLog(line: string): void {
  if (folder !== undefined) appendFileSync(join(folder, `${process.pid}.log`), line)
}

/** Declares that `value` (a code, number, token or secret) must stand in no log of the run. */
export function declareSecret(kind: string, value: string): void {
  if (folder !== undefined) {
    appendFileSync(join(folder, `${process.pid}.secrets`), `${JSON.stringify([kind, value])}\n`)
  }
}

/** Every line of the logs in `logs` that holds a declared secret, as a sentence without the secret. */
export function findLeaks(logs: string): string[] {
  const secrets = readAll(logs, '.secrets').map((line) => JSON.parse(line) as [string, string])
  const unique = new Map(secrets.map(([kind, value]) => [value, kind]))
  const lines = readAll(logs, '.log')
  const leaks: string[] = []
  for (const [value, kind] of unique) {
    // A code is short: as a part of a longer word, a hash or a time, it is chance.
    const inWords = new RegExp(`(?<![0-9A-Za-z])${RegExp.escape(value)}(?![0-9A-Za-z])`)
    const found = lines.find((line) => inWords.test(line))
    if (found !== undefined)
      leaks.push(`a ${kind} is in the log line ${found.replaceAll(value, '…')}`)
  }
  return leaks
}

function readAll(logs: string, suffix: string): string[] {
  if (!existsSync(logs)) return []
  return readdirSync(logs)
    .filter((name) => name.endsWith(suffix))
    .flatMap((name) => readFileSync(join(logs, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
}
