import { gsm7Units } from './segments.ts'

// Letters and signs that Unicode does not decompose, or not into what a reader expects.
const SPELLINGS: Readonly<Record<string, string>> = {
  ł: 'l',
  Ł: 'L',
  đ: 'd',
  Đ: 'D',
  ð: 'd',
  Ð: 'D',
  þ: 'th',
  Þ: 'Th',
  œ: 'oe',
  Œ: 'OE',
  ı: 'i',
  ħ: 'h',
  Ħ: 'H',
  ŧ: 't',
  Ŧ: 'T',
  ẞ: 'SS',
  '‘': "'",
  '’': "'",
  '‚': "'",
  '`': "'",
  '´': "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '«': '"',
  '»': '"',
  '‐': '-',
  '‑': '-',
  '–': '-',
  '—': '-',
  '−': '-',
  '•': '-',
  '·': '-',
  '×': 'x',
}

/**
 * A brand that can't be read as anything else in a text message: one line, no control or
 * formatting characters, no `@` and `#` (a phone takes the first `@host #code` it finds), and no
 * group of digits that is as long as the code.
 */
export function safeBrand(brand: string, codeLength: number): string {
  const codeLike = new RegExp(`\\p{Nd}(?:[\\s.,-]*\\p{Nd}){${Math.max(codeLength - 1, 0)},}`, 'gu')
  return brand
    .replace(/[™℠]/g, '')
    .normalize('NFKC')
    .replace(/[\p{C}\p{Z}@#]+/gu, ' ')
    .replace(codeLike, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}

/**
 * The brand in GSM-7 characters, its diacritics dropped where GSM-7 has no such letter, signs that
 * it lacks left out. Undefined when a letter or a digit would be lost: half a name is no name.
 */
export function gsm7Brand(brand: string): string | undefined {
  const spelled = [...brand].map(gsm7Spelling)
  if (spelled.includes(undefined)) return undefined
  return spelled.join('').replace(/\s+/g, ' ').trim()
}

function gsm7Spelling(character: string): string | undefined {
  if (gsm7Units(character) > 0) return character
  const spelling = SPELLINGS[character] ?? character.normalize('NFKD').replace(/\p{M}/gu, '')
  if (spelling !== '' && [...spelling].every((letter) => gsm7Units(letter) > 0)) return spelling
  return /[\p{L}\p{N}]/u.test(character) ? undefined : ''
}
