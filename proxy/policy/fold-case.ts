/**
 * Text as it is compared when case doesn't count: lower case, and characters whose upper or lower
 * case is an ASCII letter (`ſ`, `ı`, `İ`, `K`) become that letter, as in Java's `equalsIgnoreCase`.
 */
export function foldCase(text: string): string {
  const lower = text.toLowerCase()
  return ASCII.test(lower) ? lower : lower.replaceAll('i\u0307', 'i').replace(/[ıſ]/g, asciiLetter)
}

const ASCII = /^[\0-\x7f]*$/

function asciiLetter(character: string): string {
  return character === 'ı' ? 'i' : 's'
}
