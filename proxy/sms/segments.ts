/**
 * How a text travels. `units` are septets (GSM-7) or UTF-16 code units (UCS-2); a text of several
 * segments has 153 or 67 in each, and neither an escape pair nor a surrogate pair is split
 * (3GPP TS 23.038 §6.2.1, TS 23.040 §9.2.3.24.1).
 */
export type SmsSegments = {
  readonly encoding: 'gsm-7' | 'ucs-2'
  readonly units: number
  readonly segments: number
}

const GSM_7_BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
    '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
)
const GSM_7_EXTENSION = new Set('\f^{}\\[~]|€')

/** Septets of one character in the GSM 7-bit default alphabet; 0: it has none. */
export function gsm7Units(character: string): 0 | 1 | 2 {
  if (GSM_7_BASIC.has(character)) return 1
  return GSM_7_EXTENSION.has(character) ? 2 : 0
}

/** Counts the segments that an operator bills for. */
export function smsSegments(text: string): SmsSegments {
  const characters = [...text]
  const septets = characters.map(gsm7Units)
  return septets.includes(0)
    ? counted(
        'ucs-2',
        characters.map((character) => character.length),
        70,
        67,
      )
    : counted('gsm-7', septets, 160, 153)
}

function counted(
  encoding: SmsSegments['encoding'],
  sizes: readonly number[],
  alone: number,
  each: number,
): SmsSegments {
  const units = sizes.reduce((sum, size) => sum + size, 0)
  if (units <= alone) return { encoding, units, segments: 1 }
  let segments = 1
  let used = 0
  for (const size of sizes) {
    if (used + size > each) {
      segments += 1
      used = 0
    }
    used += size
  }
  return { encoding, units, segments }
}
