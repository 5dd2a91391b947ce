/** Percent-decodes once: text of latin1 bytes to text of latin1 bytes (RFC 3986 §2.1). */
export function decodePercent(text: string): string {
  return text.replace(/%([\da-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
