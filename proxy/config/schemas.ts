import * as z from 'zod'
import { formatDuration, parseDuration } from './duration.ts'
import { ok, type Parsed, parsedBy, wrong } from './parsed.ts'
import { parseSize } from './size.ts'

/** One of a few words. */
export function oneOf<const W extends readonly [string, ...string[]]>(
  ...words: W
): z.ZodType<W[number], string> {
  const list = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
  return parsedBy((text): Parsed<W[number]> => {
    const word = words.find((candidate) => candidate.toLowerCase() === text.toLowerCase())
    return word === undefined ? wrong(`it must be ${list}`) : ok(word)
  })
}

/** `true` or `false`, also written `on`, `yes`, `1` and so on. */
export const flag: z.ZodType<boolean, string> = z.stringbool({
  error: 'it must be true (on, yes, 1) or false (off, no, 0)',
})

/** A whole number between two others, both included. */
export function wholeNumber(min: number, max: number): z.ZodType<number, string> {
  return parsedBy((text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    return number >= min && number <= max
      ? ok(number)
      : wrong(`it must be a whole number from ${min} to ${max}`)
  })
}

/** A duration between two others, all in ms; the bounds are given as text. */
export function duration(min: string, max: string): z.ZodType<number, string> {
  const [least, most] = [parseDuration(min) ?? 0, parseDuration(max) ?? 0]
  const range = `from ${formatDuration(least)} to ${formatDuration(most)}`
  return parsedBy((text) => {
    const ms = parseDuration(text)
    if (ms === undefined) return wrong('it must be a number with s, m, h or d, as in 30s, 5m, 8h')
    return ms < least || ms > most ? wrong(`it must be ${range}`) : ok(ms)
  })
}

/** A duration as `duration` reads it, or `off`: undefined. */
export function durationOrOff(min: string, max: string): z.ZodType<number | undefined, string> {
  const on = duration(min, max)
  return parsedBy((text) => {
    if (text.toLowerCase() === 'off') return ok(undefined)
    const parsed = on.safeParse(text)
    if (parsed.success) return ok(parsed.data)
    return wrong(...parsed.error.issues.map(({ message }) => `${message}, or off`))
  })
}

/** A size between two others, all in bytes; the bounds are given as text. */
export function size(min: string, max: string): z.ZodType<number, string> {
  const [least, most] = [parseSize(min) ?? 0, parseSize(max) ?? 0]
  return parsedBy((text) => {
    const bytes = parseSize(text)
    if (bytes === undefined) return wrong('it must be a number with KB, MB or GB, as in 64KB, 10MB')
    return bytes < least || bytes > most ? wrong(`it must be from ${min} to ${max}`) : ok(bytes)
  })
}

/** What a limit may be, or `none`: no limit, Infinity. */
export function orNone(limit: z.ZodType<number, string>): z.ZodType<number, string> {
  return orWord('none', limit)
}

function orWord(word: string, number: z.ZodType<number, string>): z.ZodType<number, string> {
  return parsedBy((text) => {
    if (text.toLowerCase() === word) return ok(Number.POSITIVE_INFINITY)
    const parsed = number.safeParse(text)
    if (parsed.success) return ok(parsed.data)
    return wrong(...parsed.error.issues.map(({ message }) => `${message}, or ${word}`))
  })
}

/** What a time may be, or `off`: never, Infinity. */
export function orOff(time: z.ZodType<number, string>): z.ZodType<number, string> {
  return orWord('off', time)
}

/** Text of a certain form. */
export function matching(pattern: RegExp, problem: string): z.ZodType<string, string> {
  return z.string().regex(pattern, { error: problem })
}

/** Printable text of one line, in any script. */
export function line(maxLength: number): z.ZodType<string, string> {
  return matching(
    new RegExp(`^\\P{Cc}{1,${maxLength}}$`, 'u'),
    `it must be one line of at most ${maxLength} characters`,
  )
}

/** A secret as it is, which no stray line break may end. */
export const secretText: z.ZodType<string, string> = matching(
  /^\P{Cc}+$/u,
  'it holds a line break or another control character (was it made with echo instead of echo -n?)',
)

/** A secret that holds no white space, as generated ones do. */
export const token: z.ZodType<string, string> = matching(
  /^[\x21-\x7e]+$/,
  'it holds white space or a character that is not ASCII, perhaps a stray line break at its end',
)
