import type { Config } from './config.ts'
import { ok, type Parsed, wrong } from './parsed.ts'

const MOST = 256

/** A number of processes, or `auto`. */
export function parseWorkers(given: string): Parsed<Config['workers']> {
  const text = given.trim().toLowerCase()
  if (text === 'auto') return ok(text)
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (count >= 1 && count <= MOST) return ok(count)
  return wrong(`it must be a whole number from 1 to ${MOST}, or auto`)
}
