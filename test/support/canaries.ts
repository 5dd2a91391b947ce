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

/** Every secret that stands in the logs in `logs`, with its first line, as a sentence without it. */
export function findLeaks(logs: string): string[] {
  const secrets = readAll(logs, '.secrets')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as [string, string])
  const unique = new Map(secrets.map(([kind, value]) => [value, kind]))
  const text = readAll(logs, '.log')
  return [...unique].flatMap(([value, kind]) => {
    const line = lineWith(text, value)
    return line === undefined ? [] : [`a ${kind} is in the log line ${line.replaceAll(value, '…')}`]
  })
}

/** A code is short: as a part of a longer word, a hash or a time, it is chance. */
function lineWith(text: string, value: string): string | undefined {
  for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + 1)) {
    const end = at + value.length
    if (/[0-9A-Za-z]/.test(text.charAt(at - 1) + text.charAt(end))) continue
    const next = text.indexOf('\n', end)
    return text.slice(text.lastIndexOf('\n', at) + 1, next < 0 ? undefined : next)
  }
  return undefined
}

function readAll(logs: string, suffix: string): string {
  if (!existsSync(logs)) return ''
  return readdirSync(logs)
    .filter((name) => name.endsWith(suffix))
    .map((name) => readFileSync(join(logs, name), 'utf8'))
    .join('\n')
}
